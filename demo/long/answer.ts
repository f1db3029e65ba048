import { element, find } from '../dom';
import { type Bounds, relevanceOf } from '../search/relevance';
import { boundsOf } from './bounds';
import type { Passage, Span } from './passages';
import { nextBest, ranked, shares } from './scores';
import { type Cell, cellsOf } from './strip';
import { createStrip } from './strip-view';
import type { PassageRow } from './take-away';
import { createTextView } from './text-view';

/** Passages that are named as the best. */
const BEST = 3;
/** How strongly the best passage is coloured where it is far from the question. */
const PALE = 0.4;
/** Characters of a passage's first words. */
const WORDS = 90;

/** The scores of a text for one question; without a question for how typical its passages are. */
export interface Scores {
  question: string;
  /** The model's name. */
  model: string;
  /** Cosines. */
  passages: number[];
  /** Of all passages' sentences, one after the other. */
  sentences: number[];
}

/** Strip, text and best passages as one. */
export interface AnswerView {
  setText(text: string, passages: Passage[], notes: string[], rest: string): void;
  show(scores: Scores): void;
  /** Goes to the best passage, or from there to the next best. */
  next(): void;
  /** What is shown, for tables. */
  rows(): PassageRow[];
  cells(): Cell[];
  shares(): number[];
}

export function createAnswer(result: HTMLElement): AnswerView {
  const list = find(result, '.long-best ol');
  const line = find(result, '#long-answer');
  let text = '';
  /** Whether the text goes on after what was read. */
  let isPart = false;
  let passages: Passage[] = [];
  let notes: string[] = [];
  let scores: number[] = [];
  let sentences: number[] = [];
  let bounds: Bounds | undefined;
  let order: number[] = [];
  let coloured: number[] = [];
  let current: number | undefined;

  const strip = createStrip(find(result, '.strip-place'), { choose });
  const view = createTextView(find(result, '.long-read'), { view: strip.setView, choose: point });

  const wordsOf = ({ start, end }: Span) => {
    const words = text.slice(start, end).trim().replace(/\s+/g, ' ');
    return words.length > WORDS ? `${words.slice(0, WORDS)}…` : words;
  };
  const nameOf = (i: number) => relevanceOf({ similarity: scores[i] }, bounds) ?? '';
  const isUnlikely = (i: number) => nameOf(i) === 'unlikely';
  const numberOf = (i: number) => (Math.round(scores[i] * 100) / 100 || 0).toFixed(2); // no -0.00
  const scoreOf = (i: number) => `${numberOf(i)} ${nameOf(i)}`.trim();
  const titleOf = (i: number) => [`§${i + 1}`, notes[i], scoreOf(i)].filter(Boolean).join(' · ');

  /** The sentence of a passage that has the highest score. */
  function bestSentence(passage: number): Span {
    const before = passages.slice(0, passage).reduce((sum, { sentences }) => sum + sentences.length, 0);
    const own = passages[passage].sentences;
    return own.reduce((best, sentence, i) =>
      sentences[before + i] > sentences[before + own.indexOf(best)] ? sentence : best,
    );
  }

  /** Makes a passage the current one, where it stands. */
  function point(passage: number) {
    current = passage;
    strip.select(passage);
    view.point(passage);
    showMarks();
  }

  function choose(passage: number) {
    point(passage);
    view.jump(passage);
  }

  /** Only of those that somebody looks for: many marks would be none. */
  function showMarks() {
    const near = order.slice(0, BEST).filter((i) => !isUnlikely(i));
    const marked = current === undefined ? near : [...near, current];
    view.mark(new Map(marked.map((i) => [i, bestSentence(i)])));
  }

  function next() {
    if (order.length > 0) choose(nextBest(order, current));
  }

  find(result, '#long-next').addEventListener('click', next);
  result.addEventListener('keydown', (event) => {
    if (event.key.toLowerCase() !== 'n' || event.ctrlKey || event.metaKey || event.altKey) return;
    if (event.target instanceof HTMLInputElement) return;
    event.preventDefault();
    next();
  });

  return {
    next,
    cells: () => cellsOf(passages.map(({ start, end }) => end - start)),
    shares: () => coloured,
    rows: () =>
      passages.map(({ start, end, tokens }, i) => ({
        passage: i + 1,
        start,
        end,
        place: notes[i],
        tokens,
        cosine: scores[i],
        relevance: nameOf(i),
        text: text.slice(start, end).trim(),
      })),
    setText(whole, own, beside, rest) {
      [text, passages, notes] = [whole, own, beside];
      isPart = rest !== '';
      current = undefined;
      order = [];
      view.setText(text, passages, notes, rest);
    },
    show({ question, model, passages: cosines, sentences: ofSentences }) {
      [scores, sentences] = [cosines, ofSentences];
      bounds = question === '' ? undefined : boundsOf(model);
      order = ranked(scores);
      const best = order.slice(0, BEST);
      const isFar = isUnlikely(best[0]);
      coloured = shares(scores, isFar ? PALE : 1);
      result.dataset.asked = question;
      const none = isPart ? 'No passage of the part that was read is close to that.' : 'No passage is close to that.';
      line.textContent = question === '' ? 'Most typical of the text:' : isFar ? `${none} The nearest:` : 'Best:';
      find(result, '.legend .low').textContent = question === '' ? 'less typical' : 'farther from the question';
      find(result, '.legend .high').textContent = question === '' ? 'more typical of the text' : 'nearer';
      list.replaceChildren(
        ...best.map((i) => {
          const title = wordsOf(bestSentence(i));
          const go = element('button', { type: 'button', className: `example ${nameOf(i)}`, title }, titleOf(i));
          go.addEventListener('click', () => choose(i));
          return element('li', {}, go);
        }),
      );
      strip.show(
        passages.map((passage, i) => ({
          length: passage.end - passage.start,
          share: coloured[i],
          title: titleOf(i),
          words: wordsOf(passage),
        })),
        best,
      );
      view.colour(
        coloured,
        scores.map((_, i) => (isUnlikely(i) ? numberOf(i) : scoreOf(i))),
      );
      // A question's answer comes into view by itself.
      if (question !== '') choose(best[0]);
      else showMarks();
    },
  };
}
