import type { Answer, AnswerOptions, Tokens } from '../api/calls';
import { CALL_OPTIONS, type OptionNames } from '../api/options';
import { tokenLogits } from '../model/heads/logits';
import type { Item } from '../runtime/pass-items';
import type { Call } from './call';
import {
  byScore,
  checkLength,
  checkText,
  checkTopK,
  inputsOf,
  type Parts,
  paced,
  softmax,
  tokenizerOf,
  withoutSpace,
} from './common';

const { signal, onProgress } = CALL_OPTIONS;
const OPTIONS: OptionNames<AnswerOptions> = {
  signal,
  onProgress,
  topK: true,
  maxAnswerLength: true,
  handleImpossible: true,
  maxTokens: true,
  docStride: true,
  alignToWords: true,
};

type Texts = string | string[];

export const answer: Call = {
  task: 'qa',
  inputs: 2,
  options: OPTIONS,
  async run(parts, questions: Texts, contexts: Texts, options?: AnswerOptions) {
    const found = await answerPairs(parts, pairsOf(questions, contexts), options);
    return Array.isArray(questions) || Array.isArray(contexts) ? found : found[0];
  },
};

/** One question or context goes with each of a list of the others. */
function pairsOf(questions: Texts, contexts: Texts): [question: string, context: string][] {
  if (!Array.isArray(questions)) checkText(questions, 'Question 0');
  if (!Array.isArray(contexts)) checkText(contexts, 'Context 0');
  const lists = [questions, contexts].filter((texts) => Array.isArray(texts));
  const { length = 1 } = lists[0] ?? {};
  for (const list of lists) {
    if (list.length === length) continue;
    throw new RangeError(`There are ${length} questions, but ${list.length} contexts: lists must be of one length.`);
  }
  const textAt = (texts: Texts, i: number) => (Array.isArray(texts) ? texts[i] : texts);
  return Array.from({ length }, (_, i) => [textAt(questions, i), textAt(contexts, i)]);
}

/** A part of a context with its question: tokens `from` .. `to` of the context, whose first token is row `first` of `ids`. */
interface Window {
  ids: Uint32Array;
  tokenTypeIds: Uint32Array;
  first: number;
  from: number;
  to: number;
  /** Logits of the rows that count, [rows, 2]: of the special token before the texts, if there is one, and of the context. */
  logits?: Float32Array;
}

/** As transformers' question-answering pipeline does it. */
async function answerPairs(parts: Parts, pairs: [string, string][], options: AnswerOptions = {}): Promise<Answer[][]> {
  const tokenizer = tokenizerOf(parts);
  const { info, submit } = parts;
  const limit = Math.min(info.maxTokens, info.maxTokensPerPass);
  const { maxTokens = limit, maxAnswerLength = 15, topK = 1, signal, onProgress } = options;
  checkTopK(topK);
  checkCount('maxAnswerLength', maxAnswerLength);
  checkCount('maxTokens', maxTokens, limit);
  const items: Item[] = [];
  const read = await paced(pairs, signal, ([question, context], i) => {
    checkText(question, `Question ${i}`);
    checkText(context, `Context ${i}`);
    const tokens = tokenizer.encode(question, context);
    const windows = windowsOf(tokens, maxTokens, options.docStride, `Question ${i}`);
    for (const window of windows) {
      const name = `Pair ${i}`;
      checkLength(info, window.ids.length, name);
      items.push({ ...inputsOf(parts, window), name, wanted: [wanted(window, tokens)] });
    }
    return { context, tokens, windows };
  });
  await submit(items, { signal, onProgress });
  return read.map(({ context, tokens, windows }) => {
    const all: Answer[] = [];
    let none = Infinity;
    for (const window of windows) none = Math.min(none, addAnswers(all, window, tokens, context, options));
    if (options.handleImpossible) all.push({ answer: '', score: none, start: 0, end: 0 });
    return all.sort(byScore).slice(0, topK);
  });
}

function checkCount(name: string, value: number, most = Infinity): void {
  if (Number.isInteger(value) && value >= 1 && value <= most) return;
  const upTo = most === Infinity ? 'a positive integer' : `an integer from 1 to ${most}, the model's limit`;
  throw new RangeError(`${name} must be ${upTo}; it is ${value}.`);
}

/** 1 if there is a special token before the texts, [CLS]: it counts in the softmaxes, and stands for no answer. */
const skipOf = ({ sequenceIds }: Tokens): number => (sequenceIds[0] === -1 ? 1 : 0);

function wanted(window: Window, tokens: Tokens): Item['wanted'][number] {
  const { first, from, to } = window;
  const skip = skipOf(tokens);
  return {
    head: tokenLogits,
    rows: Uint32Array.from({ length: skip + to - from }, (_, i) => (i < skip ? 0 : first + i - skip)),
    deliver(data) {
      window.logits = data.slice();
    },
  };
}

/** Parts of the context that leave room for the question, each `stride` tokens into the one before it. */
function windowsOf(
  { ids, sequenceIds, tokenTypeIds }: Tokens,
  maxTokens: number,
  docStride: number | undefined,
  name: string,
) {
  const count = sequenceIds.reduce((sum, sequence) => sum + (sequence === 1 ? 1 : 0), 0);
  const first = count === 0 ? ids.length : sequenceIds.indexOf(1);
  const others = ids.length - count;
  const room = maxTokens - others;
  if (room < 1) {
    throw new RangeError(
      `${name} has ${others} tokens with the special ones, which leaves none of maxTokens ${maxTokens} for the context. Shorten it.`,
    );
  }
  const stride = docStride ?? Math.min(128, maxTokens >> 1, room - 1);
  if (!Number.isInteger(stride) || stride < 0 || stride >= room) {
    throw new RangeError(
      `docStride must be an integer from 0 to ${room - 1}, less than the ${room} tokens that the question leaves; it is ${docStride}.`,
    );
  }
  const windows: Window[] = [];
  for (let from = 0; ; from += room - stride) {
    const to = Math.min(from + room, count);
    const cut = (all: Uint32Array) => {
      const own = [all.subarray(0, first), all.subarray(first + from, first + to), all.subarray(first + count)];
      return Uint32Array.from(own.flatMap((part) => [...part]));
    };
    windows.push({ ids: cut(ids), tokenTypeIds: cut(tokenTypeIds), first, from, to });
    if (to === count) return windows;
  }
}

/**
 * Adds a window's best answers to those of the windows before it; equal texts count as one answer. Returns how likely it is that the window
 * has none.
 */
function addAnswers(all: Answer[], window: Window, tokens: Tokens, context: string, options: AnswerOptions): number {
  const { topK = 1, maxAnswerLength = 15, alignToWords = true } = options;
  const { offsets, wordIds } = tokens;
  const { first, from, to, logits } = window;
  const skip = skipOf(tokens);
  const [starts, ends] = [0, 1].map((column) => softmax(logits!.filter((_, i) => i % 2 === column)));
  // Tokens of the context in the whole pair, where offsets and words are.
  const [low, high] = [first + from, first + to];
  const inWord = (token: number, step: 1 | -1): number => {
    let at = token;
    while (at + step >= low && at + step < high && wordIds[at + step] === wordIds[token]) at += step;
    return at;
  };
  const candidates = bestSpans(starts, ends, skip, maxAnswerLength, alignToWords ? 2 * topK + 10 : topK);
  for (const { s, e, score } of candidates) {
    const [a, b] = [low + s - skip, low + e - skip];
    const places = [alignToWords ? inWord(a, -1) : a, alignToWords ? inWord(b, 1) : b];
    const [start, end] = withoutSpace(context, offsets[places[0]][0], offsets[places[1]][1]);
    const text = context.slice(start, end);
    const known = all.find(({ answer }) => answer.toLowerCase() === text.toLowerCase());
    if (known) known.score += score;
    else all.push({ answer: text, score, start, end });
  }
  return skip ? starts[0] * ends[0] : 0;
}

interface Span {
  s: number;
  e: number;
  score: number;
}

/** The `most` spans of at most `length` tokens with the largest product of probabilities, best first. */
function bestSpans(starts: number[], ends: number[], skip: number, length: number, most: number): Span[] {
  const best: Span[] = [];
  for (let s = skip; s < starts.length; s++) {
    for (let e = s; e < Math.min(s + length, ends.length); e++) {
      const score = starts[s] * ends[e];
      if (best.length === most && score <= best[most - 1].score) continue;
      const place = best.findIndex((span) => score > span.score);
      best.splice(place < 0 ? best.length : place, 0, { s, e, score });
      if (best.length > most) best.pop();
    }
  }
  return best;
}
