import { element } from '../dom';
import { percent } from '../numbers';

/** Texts with the scores of their labels, best first, as bars. `notes` are put below the texts. */
export function bars(
  texts: string[],
  results: { label: string; score: number }[][],
  notes: (string | undefined)[] = [],
): HTMLElement {
  const items = texts.map((text, i) =>
    element(
      'li',
      {},
      element('p', { className: 'subject' }, text),
      ...(notes[i] ? [element('p', {}, notes[i])] : []),
      element(
        'ol',
        { className: 'label-bars' },
        ...results[i].map(({ label, score }) => {
          const bar = element('span', { className: 'bar' });
          bar.style.setProperty('--share', String(score));
          return element(
            'li',
            {},
            element('span', { className: 'label' }, label),
            bar,
            element('span', { className: 'count' }, percent(score)),
          );
        }),
      ),
    ),
  );
  return element('ul', { className: 'scored-texts' }, ...items);
}
