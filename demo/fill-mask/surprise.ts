import type { Model, Tokens } from '../../src/index';
import { turns } from '../../src/turns';
import { restOf, type Word, wordsOf } from './words';

/** Tokens of context on either side of a word. It makes the work grow with the text's length, not with its square. */
const CONTEXT = 128;
/** Of one call: logits are rows of vocabulary size, and few sequences a call let the text be coloured while it is worked on. */
const MOST_LOGITS = 2 ** 22;
const MOST_SEQUENCES = 32;
/** A copy of the text with a mask in row `row`, under which the token `target` was. */
interface MaskedCopy {
  word: number;
  ids: Uint32Array;
  row: number;
  target: number;
}

/**
 * A copy of the text for every token of every word, with that token and the word's later ones masked: the chain rule within the word, so
 * that bits of its tokens add up to the word's, and no token is guessed from the rest of its own word (Kauf and Ivanova 2023,
 * "A Better Way to Do Masked Language Model Scoring").
 */
export function maskedCopies({ ids, offsets }: Tokens, words: Word[], maskId: number): MaskedCopy[] {
  const head = offsets.findIndex(([, end]) => end > 0);
  const tail = offsets.findLastIndex(([, end]) => end > 0) + 1;
  return words.flatMap(({ tokens }, word) => {
    const first = tokens[0];
    const last = tokens[tokens.length - 1];
    const from = Math.max(head, first - CONTEXT);
    const to = Math.min(tail, last + 1 + CONTEXT);
    // The text's special tokens, and of the rest what is near.
    const near = new Uint32Array(head + to - from + ids.length - tail);
    near.set(ids.subarray(0, head));
    near.set(ids.subarray(from, to), head);
    near.set(ids.subarray(tail), head + to - from);
    return tokens.map((token) => {
      const row = head + token - from;
      return { word, ids: near.slice().fill(maskId, row, row + last + 1 - token), row, target: ids[token] };
    });
  });
}

/** `bits`: surprise of each token of the word, -log2 of its probability; their sum is the word's. `isWord`: or is it punctuation? */
export interface ScoredWord extends Word {
  bits: number[];
  isWord: boolean;
}

export interface ScoreOptions {
  signal: AbortSignal;
  onProgress?(done: number, total: number): void;
}

/**
 * How surprising each word is to a masked language model: in bits, by `forward` on copies of the text. `onWords` gets the words in their
 * order and then the tokens in no word, bits still empty, and again whenever some more of them have theirs; `onProgress` how many of
 * their tokens have them. Gives how many tokens the model read.
 */
export async function scoreWords(
  model: Model,
  text: string,
  options: ScoreOptions & { onWords(words: ScoredWord[]): void },
): Promise<number> {
  const { maskToken, vocabSize } = model.info;
  if (maskToken === undefined) throw new Error('This model has no mask token, so it cannot say what surprises it.');
  const [tokens, mask] = await Promise.all([model.tokenize(text), model.tokenize(maskToken)]);
  const maskId = mask.ids[mask.tokens.indexOf(maskToken)];
  const found = wordsOf(text, tokens, maskToken);
  const words = [
    ...found.map((word): ScoredWord => ({ ...word, bits: [], isWord: true })),
    ...restOf(tokens, found, maskToken).map((word): ScoredWord => ({ ...word, bits: [], isWord: false })),
  ];
  options.onWords(words);
  const copies = maskedCopies(tokens, words, maskId);
  const most = Math.max(1, Math.min(MOST_SEQUENCES, Math.floor(MOST_LOGITS / vocabSize)));
  let read = 0;
  for (let at = 0; at < copies.length; at += most) {
    const batch = copies.slice(at, at + most);
    const lengths = Uint32Array.from(batch, ({ ids }) => ids.length);
    const inputIds = Uint32Array.from(batch.flatMap(({ ids }) => [...ids]));
    let start = 0;
    const rows = batch.map(({ ids, row }) => {
      start += ids.length;
      return start - ids.length + row;
    });
    const { signal } = options;
    const { logits } = await model.forward({ inputIds, lengths }, { outputs: ['logits'], rows, signal });
    const pause = turns(signal);
    for (const [i, { word, target }] of batch.entries()) {
      words[word].bits.push(surprisal(logits!.data.subarray(i * vocabSize, (i + 1) * vocabSize), target));
      await pause();
    }
    read += inputIds.length;
    options.onProgress?.(at + batch.length, copies.length);
    options.onWords(words);
  }
  return read;
}

/** -log2 of a softmax probability. */
export function surprisal(logits: Float32Array, target: number): number {
  const highest = logits.reduce((a, b) => Math.max(a, b), -Infinity);
  const sum = logits.reduce((total, logit) => total + Math.exp(logit - highest), 0);
  return Math.max(0, (Math.log(sum) + highest - logits[target]) / Math.LN2);
}
