import { element } from '../dom';

/** Milliseconds that a hint stays. */
const STAY = 2500;
/** Pixels between a point and what stands above it. */
const AWAY = 14;

export interface Tip {
  /** Shows a text above a place of `frame`, or below it where there is no room. */
  show(text: string, at: { x: number; y: number }): void;
  hide(): void;
  /** Says something at the map's lower edge for a while. */
  hint(text: string): void;
}

/** What stands above the point that the pointer is at. */
export function createTip(frame: HTMLElement): Tip {
  const tip = element('p', { className: 'map-tip', hidden: true, ariaHidden: 'true' });
  const hint = element('p', { className: 'map-hint', hidden: true });
  frame.append(tip, hint);
  let timer: ReturnType<typeof setTimeout> | undefined;
  return {
    show(text, { x, y }) {
      hint.hidden = true;
      tip.hidden = false;
      tip.textContent = text;
      tip.style.left = '0';
      const { offsetWidth, offsetHeight } = tip;
      const above = y - offsetHeight - AWAY;
      tip.style.left = `${Math.max(0, Math.min(x - offsetWidth / 2, frame.clientWidth - offsetWidth))}px`;
      tip.style.top = `${above < 0 ? y + AWAY : above}px`;
    },
    hide() {
      tip.hidden = true;
    },
    hint(text) {
      clearTimeout(timer);
      hint.textContent = text;
      hint.hidden = false;
      timer = setTimeout(() => {
        hint.hidden = true;
      }, STAY);
    },
  };
}
