import { element } from '../dom';
import { type Passage, type Span, unwrapped } from './passages';

/** The text, passage after passage. */
export interface TextView {
  /** Another text. `notes`: what stands beside a passage's number, such as its page; `rest`: what to say at its end. */
  setText(text: string, passages: Passage[], notes: string[], rest: string): void;
  /** Colours the passages; `titles`: of each, what its colour says. */
  colour(shares: number[], titles: string[]): void;
  /** Marks a sentence in each of these passages. */
  mark(sentences: Map<number, Span>): void;
  /** Frames a passage. */
  point(passage: number): void;
  /** Brings a passage into view. */
  jump(passage: number): void;
}

/** `onView`: which part of the text is in view, as shares of its height. */
export function createTextView(
  place: HTMLElement,
  on: { view(from: number, to: number): void; choose(passage: number): void },
): TextView {
  let text = '';
  let passages: Passage[] = [];
  let blocks: HTMLElement[] = [];
  let marked = new Map<number, Span>();
  let chosen: HTMLElement | undefined;

  const tell = () => {
    const { scrollTop, scrollHeight, clientHeight } = place;
    if (scrollHeight > 0) on.view(scrollTop / scrollHeight, Math.min(1, (scrollTop + clientHeight) / scrollHeight));
  };
  place.tabIndex = 0; // so that keys scroll it
  place.addEventListener('scroll', tell, { passive: true });
  new ResizeObserver(tell).observe(place);
  place.addEventListener('click', ({ target }) => {
    const block = (target as HTMLElement).closest<HTMLElement>('.long-passage');
    if (block && getSelection()?.isCollapsed !== false) on.choose(blocks.indexOf(block));
  });

  /** The passage's text with a sentence marked. */
  function fill(passage: number) {
    const { start, end } = trimmed(text, passages[passage]);
    const sentence = marked.get(passage);
    const line = blocks[passage].querySelector('.text');
    if (!sentence) return line?.replaceChildren(text.slice(start, end));
    const own = trimmed(text, sentence);
    line?.replaceChildren(
      text.slice(start, own.start),
      element('mark', {}, text.slice(own.start, own.end)),
      text.slice(own.end, end),
    );
  }

  return {
    setText(whole, list, notes, rest) {
      text = unwrapped(whole.slice(0, list[list.length - 1].end));
      passages = list;
      marked = new Map();
      chosen = undefined;
      blocks = list.map((_, i) =>
        element(
          'div',
          { className: 'long-passage' },
          element(
            'p',
            { className: 'long-passage-head' },
            element('span', { className: 'number' }, `§${i + 1}`),
            element('span', {}, notes[i]),
            element('span', { className: 'title' }),
          ),
          element('p', { className: 'text', dir: 'auto' }),
        ),
      );
      for (const i of blocks.keys()) fill(i);
      place.replaceChildren(...blocks, ...(rest ? [element('p', { className: 'hint' }, rest)] : []));
      place.scrollTop = 0;
      tell();
    },
    colour(shares, titles) {
      for (const [i, block] of blocks.entries()) {
        block.style.setProperty('--share', String(shares[i]));
        const title = block.querySelector('.title');
        if (title) title.textContent = titles[i];
      }
    },
    mark(sentences) {
      const changed = new Set([...marked.keys(), ...sentences.keys()]);
      marked = sentences;
      for (const passage of changed) fill(passage);
    },
    point(passage) {
      chosen?.classList.remove('chosen');
      chosen = blocks[passage];
      chosen.classList.add('chosen');
    },
    jump(passage) {
      place.scrollTop = blocks[passage].offsetTop - place.clientHeight / 6;
    },
  };
}

/** Without white space at its ends. */
function trimmed(text: string, { start, end }: Span): Span {
  const own = text.slice(start, end);
  return { start: start + own.length - own.trimStart().length, end: start + own.trimEnd().length };
}
