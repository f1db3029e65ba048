import { element } from '../dom';
import { animate } from './motion';
import { type Part, partsOf, type Span } from './parts';
import { rovingFocus } from './roving';

/** Characters from which on a text is set smaller. */
const LONG = 200;

/** A text whose words and masks can be clicked. */
export interface Sentence {
  line: HTMLElement;
  /** `fillings`: what is shown in place of each mask; undefined where nothing is known yet. */
  show(text: string, masks: Span[], fillings: (string | undefined)[]): void;
  /** Another word in place of one mask. `isStill`: nothing moves, so nothing is measured. */
  fill(mask: number, word: string | undefined, isStill?: boolean): void;
  /** Marks the mask whose candidates are looked at. */
  point(mask: number): void;
  /** Puts the focus on the word or mask there, or on the next one. */
  focus(at: number): void;
}

export function createSentence(on: { word(word: Span): void; mask(i: number): void }): Sentence {
  const line = element('div', { id: 'filled', className: 'filled', role: 'group', dir: 'auto' });
  line.ariaLabel = 'The text. Arrow keys move between its words, Enter masks a word or shows a mask’s candidates';
  const reach = rovingFocus(line);
  let parts: Part[] = [];
  let buttons: HTMLButtonElement[] = [];
  let masks: HTMLButtonElement[] = [];

  function nodeOf(part: Part, text: string, filling: () => string | undefined): Node | string {
    if (part.kind === 'gap') return ' … ';
    if (part.kind === 'text') return text.slice(part.start, part.end);
    const button = element('button', { type: 'button' });
    buttons.push(button);
    if (part.kind === 'word') {
      button.className = 'word';
      button.textContent = text.slice(part.start, part.end);
      button.addEventListener('click', () => on.word(part));
      return button;
    }
    const i = masks.push(button) - 1;
    button.addEventListener('click', () => on.mask(i));
    setMask(i, filling());
    return button;
  }

  function setMask(i: number, word: string | undefined) {
    masks[i].className = word === undefined ? 'word tape blank' : 'word tape';
    masks[i].textContent = word ?? '?';
    masks[i].ariaLabel = `${word ?? 'Not guessed yet'}, mask ${i + 1}`;
  }

  return {
    line,
    show(text, spans, fillings) {
      parts = partsOf(text, spans);
      buttons = [];
      masks = [];
      let mask = 0;
      line.replaceChildren(...parts.map((part) => nodeOf(part, text, () => fillings[mask++])));
      line.classList.toggle('long', text.length > LONG);
      line.style.minHeight = '';
      reach(0);
    },
    fill(i, word, isStill = false) {
      if (!masks[i] || masks[i].textContent === (word ?? '?')) return;
      if (isStill) return setMask(i, word);
      // A longer word may need another line, and a shorter one in its place must not move the list under the pointer.
      const lineHeight = Number.parseFloat(getComputedStyle(line).lineHeight);
      line.style.minHeight = `${Math.round(line.offsetHeight / lineHeight)}lh`;
      setMask(i, word);
      animate(masks[i], [{ opacity: 0.2, transform: 'translateY(-0.2em)' }, { opacity: 1 }], 180);
    },
    point(i) {
      for (const [j, button] of masks.entries()) button.classList.toggle('current', j === i && masks.length > 1);
    },
    focus(at) {
      const there = parts.filter(({ kind }) => kind === 'word' || kind === 'mask');
      const i = there.findIndex(({ end }) => end > at);
      if (i < 0) return;
      reach(i);
      buttons[i].focus({ preventScroll: true });
    },
  };
}
