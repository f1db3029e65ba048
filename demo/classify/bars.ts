import { element } from '../dom';
import { percent } from '../numbers';

/** Texts with the scores of their labels, best first, as bars. */
export function bars(texts: string[], results: { label: string; score: number }[][]): HTMLElement {
  const items = texts.map((text, i) =>
    element(
      'li',
      {},
      element('p', { className: 'subject' }, text),
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
