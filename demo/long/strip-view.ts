import { element } from '../dom';
import { type Cell, cellAt, cellsOf, movedBy, spread } from './strip';

/** Length of a label beside the strip, as a share of the strip's. */
const LABEL = 0.045;

/** A passage as the strip shows it. */
export interface StripItem {
  /** Characters: how long its cell is. */
  length: number;
  /** How strongly it is coloured, 0 to 1. */
  share: number;
  /** Such as `§12 · 0.71, likely`. */
  title: string;
  /** Its first words. */
  words: string;
}

/** The strip: a slider over the passages of a text. */
export interface StripView {
  /** `best`: the passages that are marked 1, 2, 3. */
  show(items: StripItem[], best: number[]): void;
  /** Moves the mark to a passage. */
  select(passage: number): void;
  /** Which part of the text is in view, as shares of its height. */
  setView(from: number, to: number): void;
}

/** `choose`: somebody goes to a passage. */
export function createStrip(place: HTMLElement, on: { choose(passage: number): void }): StripView {
  const inside = element('div', { className: 'strip-cells' });
  const view = element('div', { className: 'strip-view' });
  const mark = element('div', { className: 'strip-mark' });
  const slider = element('div', { className: 'strip', role: 'slider', tabIndex: 0, ariaLabel: 'Passages' });
  slider.append(inside, view, mark);
  const ranks = element('div', { className: 'strip-ranks', ariaHidden: 'true' });
  const tip = element('div', { className: 'strip-tip', ariaHidden: 'true', hidden: true });
  place.append(slider, ranks, tip);

  const across = matchMedia('(max-width: 40rem)');
  const orient = () => {
    slider.ariaOrientation = across.matches ? 'horizontal' : 'vertical';
  };
  across.addEventListener('change', orient);
  orient();

  let items: StripItem[] = [];
  let cells: Cell[] = [];
  let current = 0;

  const put = (target: HTMLElement, at: number, size = 0) => {
    target.style.setProperty('--at', String(at));
    target.style.setProperty('--size', String(size));
  };

  function select(passage: number) {
    current = passage;
    const item = items[passage];
    if (!item) return;
    put(mark, cells[passage].at, cells[passage].size);
    slider.ariaValueMin = '1';
    slider.ariaValueMax = String(items.length);
    slider.ariaValueNow = String(passage + 1);
    slider.ariaValueText = `${item.title}: ${item.words}`;
  }

  function showTip(passage: number) {
    const { title, words } = items[passage];
    tip.replaceChildren(element('strong', {}, title), element('span', { dir: 'auto' }, words));
    put(tip, cells[passage].at + cells[passage].size / 2);
    tip.hidden = false;
  }
  const hideTip = () => {
    tip.hidden = true;
  };

  const under = ({ clientX, clientY }: PointerEvent): number => {
    const box = slider.getBoundingClientRect();
    return cellAt(cells, across.matches ? (clientX - box.left) / box.width : (clientY - box.top) / box.height);
  };
  slider.addEventListener('pointermove', (event) => {
    if (items.length === 0) return;
    showTip(under(event));
    if (slider.hasPointerCapture(event.pointerId)) on.choose(under(event));
  });
  slider.addEventListener('pointerdown', (event) => {
    if (items.length === 0 || event.button !== 0) return;
    slider.setPointerCapture(event.pointerId);
    showTip(under(event));
    on.choose(under(event));
  });
  for (const type of ['pointerleave', 'pointerup', 'pointercancel', 'blur'] as const)
    slider.addEventListener(type, hideTip);

  slider.addEventListener('keydown', (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || items.length === 0) return;
    const to = movedBy(event.key, current, items.length);
    if (to !== undefined) {
      select(to);
      showTip(to);
    } else if (event.key === 'Enter') on.choose(current);
    else if (event.key === 'Escape') hideTip();
    else return;
    event.preventDefault();
  });

  return {
    select,
    show(shown, best) {
      items = shown;
      cells = cellsOf(items.map(({ length }) => length));
      hideTip();
      if (inside.childElementCount !== items.length) {
        inside.replaceChildren(...items.map(() => element('div', { className: 'strip-cell' })));
      }
      for (const [i, cell] of [...inside.children].entries()) {
        put(cell as HTMLElement, cells[i].at, cells[i].size);
        (cell as HTMLElement).style.setProperty('--share', String(items[i].share));
      }
      ranks.replaceChildren(
        ...spread(
          best.map((passage) => cells[passage].at + cells[passage].size / 2),
          LABEL,
        ).map((at, i) => {
          const rank = element('span', {}, String(i + 1));
          put(rank, at);
          return rank;
        }),
      );
      select(Math.min(current, items.length - 1));
    },
    setView: (from, to) => put(view, from, to - from),
  };
}
