import type { MaskResult } from '../../src/index';
import { element } from '../dom';
import { CANDIDATES, type CandidateList, createCandidates, type Shown, wordOf } from './candidates';
import { carriedNotes, type MaskNote } from './mask-notes';
import { masksIn, type Span } from './parts';
import { createSentence } from './sentence';

/** Texts whose notes are remembered. */
const MOST_KNOWN = 100;

/** Masks from which on nothing moves: measuring each of many lists takes longer than reading the text. */
const MANY = 12;

/** A mask's place and the text that shall stand there. */
export interface Filling extends Span {
  token: string;
}

/** The masks of a text and what the model says of them, shown together. */
export interface FillView {
  elements: HTMLElement[];
  /** The text as it is now, before the model has read it. Masks show the words of the last results until then. */
  setText(text: string, maskToken: string): void;
  /** What the model says of the text's masks. `shown`: their candidates; `rows`: room for them; `foot`: a line under each list. */
  setResults(masks: MaskResult[], shown: Shown[][], rows: number, foot?: string[]): void;
  /** Masks a part of the text, and remembers what it hides. */
  mask(word: Span): void;
}

interface Column {
  section: HTMLElement;
  title: HTMLElement;
  putIn: HTMLButtonElement;
  back: HTMLButtonElement;
  foot: HTMLElement;
  candidates: CandidateList;
  /** Best first; empty before the first results. */
  tokens: string[];
}

const hintFor = (text: string, masks: number): string => {
  if (!text.trim()) return 'Write a text, or take an example.';
  return masks > 0 ? 'Click a word to mask it too.' : 'Click a word, and the model guesses it.';
};

/** `replace` changes one part of the text, `fillAll` all masks at once. Both lead to `setText`. */
export function createFillView(on: {
  replace(span: Span, token: string): void;
  fillAll(fillings: Filling[]): void;
}): FillView {
  const hint = element('p', { className: 'hint' });
  const sentence = createSentence({
    word: (word) => view.mask(word),
    mask: (i) => columns[i]?.candidates.list.querySelector<HTMLElement>('[aria-pressed="true"]')?.focus(),
  });
  const place = element('div', { id: 'masks', className: 'masks' });
  const putAll = element('button', { type: 'button', id: 'put-all' }, 'Insert all');
  const spoken = element('p', { className: 'visually-hidden', ariaLive: 'polite' });

  let text = '';
  let maskToken = '[MASK]';
  let masks: Span[] = [];
  let notes: MaskNote[] = [];
  /** Notes of the texts that were, for those that come again by undo. */
  const known = new Map<string, MaskNote[]>();
  let columns: Column[] = [];

  const chosenOf = (i: number): string | undefined => notes[i]?.chosen ?? columns[i]?.tokens[0];
  const shownOf = (i: number) => {
    const token = chosenOf(i);
    return token === undefined ? undefined : wordOf(token);
  };

  function createColumn(): Column {
    const at = () => columns.indexOf(column);
    const title = element('h3');
    const putIn = element('button', { type: 'button', className: 'put-in' }, 'Insert');
    const back = element('button', { type: 'button', className: 'back' });
    const foot = element('p', { className: 'hint foot' });
    const candidates = createCandidates({
      choose(token) {
        const i = at();
        notes[i] = { ...notes[i], chosen: token };
        showChosen(i);
      },
      preview(token) {
        const i = at();
        sentence.point(token === undefined ? -1 : i);
        sentence.fill(i, token === undefined ? shownOf(i) : wordOf(token));
      },
    });
    putIn.addEventListener('click', () => change(at(), chosenOf(at()) ?? ''));
    back.addEventListener('click', () => change(at(), notes[at()].original ?? ''));
    const head = element('div', { className: 'column-head' }, title, putIn, back);
    const section = element('section', {}, head, candidates.list, foot);
    section.addEventListener('keydown', (event) => {
      if (event.key === 'Escape') sentence.focus(masks[at()].start);
    });
    candidates.update([], CANDIDATES);
    const column: Column = { section, title, putIn, back, foot, candidates, tokens: [] };
    return column;
  }

  /** Puts a word in the place of a mask. */
  function change(i: number, token: string) {
    const { start } = masks[i];
    on.replace(masks[i], token);
    sentence.focus(start);
  }

  function showChosen(i: number) {
    columns[i].candidates.choose(chosenOf(i));
    columns[i].putIn.ariaLabel = `Insert “${shownOf(i) ?? ''}”`;
    sentence.fill(i, shownOf(i), columns.length > MANY);
  }

  /** Masks that a change left alone keep their columns; others get those that are left over, which know nothing of them yet. */
  function columnsOf(carried: MaskNote[], old: Column[]): Column[] {
    const kept = carried.map((note) => old[notes.indexOf(note)] as Column | undefined);
    const left = old.filter((column) => !kept.includes(column));
    return kept.map((column) => {
      if (column) return column;
      const other = left.shift() ?? createColumn();
      other.tokens = [];
      return other;
    });
  }

  function arrange() {
    const sections = columns.map(({ section }) => section);
    if (sections.length !== place.children.length || sections.some((section, i) => section !== place.children[i]))
      place.replaceChildren(...sections);
    for (const [i, { title, back, putIn, tokens }] of columns.entries()) {
      title.textContent = masks.length > 1 ? `Mask ${i + 1}` : 'Candidates';
      putIn.disabled = tokens.length === 0;
      back.hidden = notes[i].original === undefined;
      back.textContent = `Back to “${notes[i].original}”`;
    }
    putAll.hidden = masks.length < 2;
    putAll.disabled = columns.some(({ tokens }) => tokens.length === 0);
    hint.textContent = hintFor(text, masks.length);
  }

  putAll.addEventListener('click', () => {
    on.fillAll(masks.map((mask, i) => ({ ...mask, token: chosenOf(i) ?? maskToken })));
    sentence.focus(masks[0]?.start ?? 0);
  });

  const view: FillView = {
    elements: [element('div', { className: 'play' }, hint, sentence.line, putAll), place, spoken],
    setText(next, token) {
      if (next === text && token === maskToken && columns.length > 0) return;
      if (notes.some(({ original, chosen }) => original ?? chosen)) known.set(text, notes);
      if (known.size > MOST_KNOWN) known.delete([...known.keys()][0]);
      const carried = carriedNotes(text, notes, next, token);
      columns = columnsOf(carried, columns);
      notes = known.get(next) ?? carried;
      text = next;
      maskToken = token;
      masks = masksIn(text, maskToken);
      arrange();
      sentence.show(
        text,
        masks,
        masks.map((_, i) => shownOf(i)),
      );
    },
    setResults(results, shown, rows, foot = []) {
      if (results.length !== masks.length) return; // of a text that is no more
      for (const [i, column] of columns.entries()) {
        column.tokens = shown[i].map(({ token }) => token);
        if (!column.tokens.includes(notes[i].chosen ?? '')) notes[i] = { original: notes[i].original };
        column.candidates.update(shown[i], rows, notes[i].original, columns.length > MANY);
        column.foot.textContent = foot[i] ?? '';
        showChosen(i);
      }
      arrange();
      spoken.textContent = columns.length > 0 ? (sentence.line.textContent ?? '') : '';
    },
    mask(word) {
      const original = text.slice(word.start, word.end);
      on.replace(word, maskToken);
      const i = masks.findIndex(({ start }) => start === word.start);
      if (i >= 0) {
        notes[i] = { original };
        arrange();
      }
      sentence.focus(word.start);
    },
  };
  return view;
}
