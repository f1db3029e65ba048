// How far the outputs of two models agree.
import type { Model } from '../src/api/types';

/** Mean and least cosine between corresponding rows of `width` numbers. */
export function cosines(actual: Float32Array, expected: Float32Array, width: number) {
  const all: number[] = [];
  for (let at = 0; at < expected.length; at += width) {
    let [ab, aa, bb] = [0, 0, 0];
    for (let i = at; i < at + width; i++) {
      ab += actual[i] * expected[i];
      aa += actual[i] ** 2;
      bb += expected[i] ** 2;
    }
    all.push(ab / Math.sqrt(aa * bb));
  }
  return { cosine_mean: all.reduce((a, b) => a + b, 0) / all.length, cosine_min: Math.min(...all) };
}

/** Compares the first choice of each row of logits with the reference's and with the right token. */
export function agreement(logits: Float32Array, reference: Float32Array, targets: number[]) {
  const width = logits.length / targets.length;
  let [same, right, nats] = [0, 0, 0];
  targets.forEach((target, r) => {
    const row = logits.subarray(r * width, (r + 1) * width);
    const best = argmax(row);
    if (best === argmax(reference.subarray(r * width, (r + 1) * width))) same++;
    if (best === target) right++;
    nats += row[best] - row[target] + Math.log(row.reduce((sum, value) => sum + Math.exp(value - row[best]), 0));
  });
  const count = targets.length;
  return { top1_agreement: same / count, top1_accuracy: right / count, cross_entropy: nats / count };
}

const argmax = (values: Float32Array): number =>
  values.reduce((best, value, i) => (value > values[best] ? i : best), 0);

/** Paragraphs of prose: no tables, no code, no headings, at least 20 words. */
export const paragraphs = (text: string): string[] =>
  text
    .split(/\n\s*\n/)
    .filter((part) => !/^( {4}\S.*\n?)+$|^#|^\||^```/.test(part))
    .map((part) => part.replace(/\s+/g, ' ').trim())
    .filter((part) => part.split(' ').length >= 20);

/** Percentage of tokens that are masked. */
const MASKED = 15;

/** Texts as one batch with some tokens masked, always the same. `rows`: their places in the stream; `targets`: their original ids. */
export async function maskedTokens(model: Model, texts: string[]) {
  const { ids: mask } = await model.tokenize(model.info.maskToken!);
  const inputIds: number[] = [];
  const lengths: number[] = [];
  const rows: number[] = [];
  const targets: number[] = [];
  for (const text of texts) {
    const { ids, offsets } = await model.tokenize(text);
    lengths.push(ids.length);
    ids.forEach((id, i) => {
      const row = inputIds.length;
      const isWord = offsets[i][1] > offsets[i][0];
      const isMasked = isWord && Math.imul(row + 1, 0x9e3779b1) >>> 0 < (MASKED / 100) * 2 ** 32;
      if (isMasked) {
        rows.push(row);
        targets.push(id);
      }
      inputIds.push(isMasked ? mask[1] : id); // between [CLS] and [SEP]
    });
  }
  return { inputIds: Uint32Array.from(inputIds), lengths: Uint32Array.from(lengths), rows, targets };
}
