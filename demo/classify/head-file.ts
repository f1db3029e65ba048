import type { LinearHead } from './logistic-regression';

const FORMAT = 'modernbert-webgpu/classifier-head';

/** A trained head as JSON: everything that it takes to classify with it elsewhere. */
export interface HeadFile {
  format: typeof FORMAT;
  version: 1;
  /** Hub id or name of the encoder whose embeddings (unit length) it was trained on. */
  model: string;
  dtype: string;
  dim: number;
  labels: string[];
  /** [labels][dim] */
  weights: number[][];
  bias: number[];
  training: { examples: number; l2: number; folds: number; accuracy: number | null };
}

export function headFile(
  { weights, bias }: LinearHead,
  facts: Omit<HeadFile, 'format' | 'version' | 'weights' | 'bias'>,
): HeadFile {
  const { dim, labels, training, ...encoder } = facts;
  const rows = labels.map((_, c) => [...Float32Array.from(weights.subarray(c * dim, (c + 1) * dim))]);
  return { format: FORMAT, version: 1, ...encoder, dim, labels, weights: rows, bias: [...bias], training };
}

export const linearHead = ({ weights, bias }: HeadFile): LinearHead => ({
  weights: Float64Array.from(weights.flat()),
  bias: Float64Array.from(bias),
});

/** Reads what `headFile` wrote. Throws an Error in words for anything else. */
export function parseHeadFile(name: string, json: string): HeadFile {
  let head: Partial<HeadFile> | null;
  try {
    head = JSON.parse(json);
  } catch (cause) {
    throw new Error(`${name} is not JSON: ${(cause as Error).message}`, { cause });
  }
  if (head?.format !== FORMAT) throw new Error(`${name} is not a classifier head: its "format" is not "${FORMAT}".`);
  if (head.version !== 1) throw new Error(`${name} is of version ${head.version}; this page reads version 1.`);
  const { model, dtype, dim, labels, weights, bias, training } = head;
  const areFinite = (values: unknown, length: number) =>
    Array.isArray(values) && values.length === length && values.every((value) => Number.isFinite(value));
  const isWhole =
    [model, dtype].every((text) => typeof text === 'string') &&
    Number.isInteger(dim) &&
    Array.isArray(labels) &&
    labels.length >= 2 &&
    labels.every((label) => typeof label === 'string') &&
    Array.isArray(weights) &&
    weights.length === labels.length &&
    weights.every((row) => areFinite(row, dim as number)) &&
    areFinite(bias, labels.length) &&
    typeof training === 'object';
  if (!isWhole)
    throw new Error(`${name} is damaged: it needs weights [labels, dim] and bias [labels] of finite numbers.`);
  return head as HeadFile;
}

/** Throws an Error in words if the head was trained on another model's embeddings. `dim` is known once the model is loaded. */
export function checkModel(head: HeadFile, model: { name: string; dim?: number }): void {
  if (head.model !== model.name) {
    throw new Error(
      `This head was trained on embeddings of ${head.model}, and ${model.name} is chosen. Its numbers mean nothing to another model: choose ${head.model} first, or train a new head.`,
    );
  }
  if (model.dim !== undefined && head.dim !== model.dim) {
    throw new Error(
      `This head is for embeddings of ${head.dim} numbers; the ${model.name} that is loaded gives ${model.dim}. They are not the same model.`,
    );
  }
}

/** A text of a file as JavaScript, also in a comment: U+2028 and U+2029 end a line there. */
const quoted = (text: string): string =>
  JSON.stringify(text).replace(/[\u2028\u2029]/g, (end) => `\\u${end.charCodeAt(0).toString(16)}`);

/** How to use an exported head in one's own code. */
export const usage = ({ model, dtype }: HeadFile, source: string): string => `\
import { loadModel } from 'modernbert-webgpu';

const { labels, weights, bias } = await (await fetch('./classifier-head.json')).json();
const model = await loadModel(${quoted(source)}, { dtype: ${quoted(dtype)} }); // ${quoted(model)}

async function classify(texts) {
  const { rows, row } = await model.embed(texts);
  return Array.from({ length: rows }, (_, i) => {
    const scores = weights.map((w, c) => w.reduce((sum, value, j) => sum + value * row(i)[j], bias[c]));
    const powers = scores.map((score) => Math.exp(score - Math.max(...scores)));
    const total = powers.reduce((sum, power) => sum + power, 0);
    return labels.map((label, c) => ({ label, score: powers[c] / total })).sort((a, b) => b.score - a.score);
  });
}

console.log(await classify(['What is this about?']));
`;
