import { element } from '../dom';
import { plural } from '../numbers';
import type { MappedTexts } from './text-map';
import { nearestRows } from './vectors';

const NEAREST = 5;
/** Selected texts that are listed. */
const LISTED = 50;

export interface SelectionOptions {
  /** The user chose one of the listed texts. */
  onChoose(point: number): void;
  /** What stands before a text, such as its chapter. */
  titleOf?(point: number): string;
  /** Shows a text where it comes from. */
  open?(point: number): void;
}

/** The texts that are selected on a map: one with those nearest to it, or a list. */
export function createSelection(
  place: HTMLElement,
  { onChoose, titleOf, open }: SelectionOptions,
): { show(texts: MappedTexts, selected: ReadonlySet<number>): void } {
  place.classList.add('selection');
  place.ariaLive = 'polite';

  const title = (i: number) => (titleOf ? `${titleOf(i)} · ` : '');

  function line({ texts }: MappedTexts, i: number, cosine?: number) {
    const button = element(
      'button',
      { type: 'button', className: 'selection-text' },
      title(i) + texts[i].slice(0, 300),
    );
    button.addEventListener('click', () => onChoose(i));
    const score = cosine === undefined ? '' : element('span', { className: 'count' }, cosine.toFixed(2));
    return element('li', {}, element('span', { className: 'number' }, `${i + 1}`), button, score);
  }

  function showOne(all: MappedTexts, i: number) {
    const near = nearestRows(all.vectors, i, NEAREST).map(({ j, cosine }) => line(all, j, cosine));
    const text = element('span', { className: 'selection-text' }, all.texts[i].slice(0, 600));
    const more = element('button', { type: 'button', hidden: !open }, 'Open in context');
    more.addEventListener('click', () => open?.(i));
    place.replaceChildren(
      element('p', {}, `${i + 1} · ${title(i)}`, text),
      ...(open ? [element('div', { className: 'row' }, more)] : []),
      element('h4', {}, 'Nearest texts, by cosine'),
      element('ul', { className: 'lines' }, ...near),
    );
  }

  return {
    show(all, selected) {
      const [first] = selected;
      if (first === undefined) {
        const hint = 'Choose a point to see its nearest texts, or press Select and drag around several.';
        return place.replaceChildren(element('p', { className: 'count' }, hint));
      }
      if (selected.size === 1) return showOne(all, first);
      const listed = [...selected].sort((a, b) => a - b).slice(0, LISTED);
      const rest = selected.size > LISTED ? ` The first ${LISTED} are listed.` : '';
      place.replaceChildren(
        element('h4', {}, `${plural(selected.size, 'text')} selected.${rest}`),
        element('ul', { className: 'lines' }, ...listed.map((i) => line(all, i))),
      );
    },
  };
}
