// The measurements of the evaluation, through the library's public API.
import type { Model } from '../../src/api/types';

export interface Score {
  /** Number of masked tokens or facts. */
  count: number;
  /** Shares with the right token as first choice, and among the first five. */
  top1: number;
  top5: number;
  /** Mean -ln p of the right token. */
  nats: number;
}

interface Guess {
  rank: number;
  nats: number;
}

/** The number of tokens ranked above the right one, and -ln of its probability. */
function guess(logits: Float32Array, right: number): Guess {
  let [rank, largest] = [0, -Infinity];
  for (const value of logits) {
    if (value > logits[right]) rank++;
    if (value > largest) largest = value;
  }
  let sum = 0;
  for (const value of logits) sum += Math.exp(value - largest);
  return { rank, nats: largest - logits[right] + Math.log(sum) };
}

export const score = (guesses: Guess[]): Score => ({
  count: guesses.length,
  top1: guesses.filter(({ rank }) => rank === 0).length / guesses.length,
  top5: guesses.filter(({ rank }) => rank < 5).length / guesses.length,
  nats: guesses.reduce((sum, { nats }) => sum + nats, 0) / guesses.length,
});

/** Scores the right tokens of these rows of a stream of sequences. */
async function guesses(
  model: Model,
  inputIds: number[],
  lengths: number[],
  rows: number[],
  rights: number[],
): Promise<Guess[]> {
  const batch = { inputIds: Uint32Array.from(inputIds), lengths: Uint32Array.from(lengths) };
  const { logits } = await model.forward(batch, { outputs: ['logits'], rows });
  const width = model.info.vocabSize;
  return rights.map((right, r) => guess(logits!.data.subarray(r * width, (r + 1) * width), right));
}

/** Whether the token at this place is masked: the same for every model with this tokenizer; those at 15% are a subset of those at 30%. */
const isMasked = (place: number, percent: number): boolean =>
  Math.imul(place + 1, 0x9e3779b1) >>> 0 < (percent / 100) * 2 ** 32;

/** Splits texts into sequences of at most `length` tokens, special ones included, at most `total` tokens together. */
export async function sequences(model: Model, texts: string[], length: number, total: number): Promise<number[][]> {
  const found: number[][] = [];
  let left = total;
  for (const text of texts) {
    const { ids } = await model.tokenize(text);
    const [first, last] = [ids[0], ids[ids.length - 1]];
    for (let at = 1; at < ids.length - 1 && left > 20; at += length - 2) {
      const part = ids.slice(at, Math.min(at + length - 2, ids.length - 1, at + left - 2));
      if (part.length < 20) continue;
      found.push([first, ...part, last]);
      left -= part.length + 2;
    }
  }
  return found;
}

/** Masks tokens of every sequence, except the special ones at its ends, and predicts them. `positions`: their places within the sequence. */
export async function maskedGuesses(model: Model, parts: number[][], percent: number) {
  const { ids } = await model.tokenize(model.info.maskToken!);
  const mask = ids[1]; // between [CLS] and [SEP]
  const found: Guess[] = [];
  const positions: number[] = [];
  let place = 0;
  for (let at = 0; at < parts.length; ) {
    const inputIds: number[] = [];
    const lengths: number[] = [];
    const rows: number[] = [];
    const rights: number[] = [];
    do {
      const part = parts[at++];
      part.forEach((id, i) => {
        const hidden = i > 0 && i < part.length - 1 && isMasked(place++, percent);
        if (hidden) {
          rows.push(inputIds.length);
          rights.push(id);
          positions.push(i);
        }
        inputIds.push(hidden ? mask : id);
      });
      lengths.push(part.length);
    } while (at < parts.length && inputIds.length + parts[at].length <= 2048);
    found.push(...(await guesses(model, inputIds, lengths, rows, rights)));
  }
  return { guesses: found, positions };
}

/** Scores facts: texts with one [MASK], and the token that fills it. */
export async function cloze(model: Model, facts: { text: string; answer: string }[]): Promise<Score> {
  const mask = (await model.tokenize(model.info.maskToken!)).ids[1]; // between [CLS] and [SEP]
  const inputIds: number[] = [];
  const lengths: number[] = [];
  const rights: number[] = [];
  for (const { text, answer } of facts) {
    const { ids } = await model.tokenize(text);
    const right = (await model.tokenize(answer)).ids;
    if (right.length !== 3) throw new RangeError(`The answer '${answer}' is not one token.`);
    inputIds.push(...ids);
    lengths.push(ids.length);
    rights.push(right[1]);
  }
  const rows = inputIds.flatMap((id, row) => (id === mask ? [row] : []));
  if (rows.length !== facts.length) throw new RangeError('Every fact must have exactly one mask.');
  return score(await guesses(model, inputIds, lengths, rows, rights));
}
