import { element } from '../dom';
import { percent } from '../numbers';
import { animate } from './motion';

/** How many are asked for, where the user named none. */
export const CANDIDATES = 8;

/** A word that may stand in a mask's place. */
export interface Shown {
  token: string;
  /** What the bar shows, from 0 to 1. */
  share: number;
  /** A second number beside the first. */
  note?: string;
}

/** One mask's candidates: a bar each, which grows and moves to its new place when the candidates change. */
export interface CandidateList {
  list: HTMLElement;
  /** `rows`: how many there is room for. `original`: the word that the user had there. `isStill`: nothing moves, so nothing is measured. */
  update(candidates: Shown[], rows: number, original?: string, isStill?: boolean): void;
  choose(token: string | undefined): void;
}

export const wordOf = (token: string): string => token.trim() || '␣';

interface Row {
  item: HTMLElement;
  button: HTMLButtonElement;
  bar: HTMLElement;
  score: HTMLElement;
  note: HTMLElement;
}

/** `preview` hears of the token that is pointed at, and of undefined when none is any more. */
export function createCandidates(on: {
  choose(token: string): void;
  preview(token: string | undefined): void;
}): CandidateList {
  const list = element('ol', { className: 'candidates' });
  let rows = new Map<string, Row>();

  function createRow(token: string): Row {
    const [bar, score, note] = ['bar', 'score', 'note'].map((className) => element('span', { className }));
    bar.ariaHidden = 'true';
    const word = element('span', { className: 'token' }, wordOf(token));
    const button = element('button', { type: 'button' }, word, bar, note, score);
    button.addEventListener('click', () => on.choose(token));
    for (const type of ['pointerenter', 'focus']) button.addEventListener(type, () => on.preview(token));
    for (const type of ['pointerleave', 'blur']) button.addEventListener(type, () => on.preview(undefined));
    return { item: element('li', {}, button), button, bar, score, note };
  }

  return {
    list,
    update(candidates, room, original, isStill = false) {
      const focused = document.activeElement;
      const before = isStill ? [] : [...rows];
      const places = new Map(before.map(([token, { item }]) => [token, item.offsetTop]));
      const widths = new Map(before.map(([token, { bar }]) => [token, bar.offsetWidth]));
      rows = new Map(candidates.map(({ token }) => [token, rows.get(token) ?? createRow(token)]));
      list.style.setProperty('--rows', String(room));
      const items = [...rows.values()].map(({ item }) => item);
      // What is put in again loses its focus and its transitions.
      if (items.length !== list.children.length || items.some((item, i) => item !== list.children[i]))
        list.replaceChildren(...items);
      for (const { token, share, note = '' } of candidates) {
        const row = rows.get(token)!;
        row.bar.style.setProperty('--share', String(share));
        row.score.textContent = percent(share);
        row.note.textContent = wordOf(token) === original ? `your word ${note}` : note;
      }
      for (const [token, { item, bar }] of isStill ? [] : rows) {
        const [from, to] = [widths.get(token) ?? 0, bar.offsetWidth];
        if (from !== to) animate(bar, [{ width: `${from}px` }, { width: `${to}px` }]);
        const moved = (places.get(token) ?? item.offsetTop) - item.offsetTop;
        if (moved !== 0) animate(item, [{ transform: `translateY(${moved}px)` }, { transform: 'none' }]);
        else if (!places.has(token)) animate(item, [{ opacity: 0 }, { opacity: 1 }]);
      }
      if (focused instanceof HTMLElement && list.contains(focused)) focused.focus({ preventScroll: true });
    },
    choose(token) {
      for (const [name, { button }] of rows) button.setAttribute('aria-pressed', String(name === token));
    },
  };
}
