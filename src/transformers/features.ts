/** feature-extraction: embeddings of texts or of their tokens. */
import { wrongChoice } from '../api/errors';
import { checkOptions, type OptionNames } from '../api/options';
import type { Model } from '../api/types';
import { Tensor } from './tensor';
import type { FeatureExtractionOptions } from './types';

const OPTIONS: OptionNames<FeatureExtractionOptions> = {
  pooling: true,
  normalize: true,
  quantize: true,
  precision: true,
  signal: true,
};

const POOLINGS = {
  none: undefined,
  mean: 'mean',
  cls: 'cls',
  first_token: 'cls',
  eos: 'lasttoken',
  last_token: 'lasttoken',
} as const;
const PRECISIONS = ['binary', 'ubinary'];

export async function features(
  model: Model,
  texts: string | string[],
  options: FeatureExtractionOptions = {},
): Promise<Tensor> {
  checkOptions('feature-extraction', options, OPTIONS);
  const { pooling = 'none', normalize = false, quantize = false, precision = 'binary', signal } = options;
  if (!Object.hasOwn(POOLINGS, pooling)) throw wrongChoice('pooling', Object.keys(POOLINGS), pooling);
  const how = POOLINGS[pooling];
  if (quantize && !PRECISIONS.includes(precision)) throw wrongChoice('precision', PRECISIONS, precision);
  if (quantize && !how)
    throw new RangeError("quantize is for one embedding per text: choose a pooling, such as 'mean'.");
  const list = Array.isArray(texts) ? texts : [texts];
  if (!how) return tokenFeatures(model, list, normalize, signal);
  const { data, rows } = await model.embed(list, {
    pooling: how,
    normalize,
    prompt: '', // transformers.js puts nothing before a text
    precision: quantize ? 'binary' : 'float32',
    truncate: true,
    signal,
  });
  // Signed bytes are the unsigned ones less 128.
  const signed = quantize && precision === 'binary';
  return new Tensor(signed ? Int8Array.from(data, (byte) => byte - 128) : data, [rows, data.length / rows]);
}

/** [texts, tokens of the longest, hidden]: rows of zeros follow a shorter text's tokens. */
async function tokenFeatures(
  model: Model,
  texts: string[],
  normalize: boolean,
  signal: AbortSignal | undefined,
): Promise<Tensor> {
  const { maxTokens, hiddenSize: hidden } = model.info;
  const sequences = await Promise.all(texts.map(async (text) => cut(await model.tokenize(text), maxTokens)));
  const lengths = Uint32Array.from(sequences, ({ length }) => length);
  const inputIds = new Uint32Array(lengths.reduce((a, b) => a + b, 0));
  let at = 0;
  for (const ids of sequences) {
    inputIds.set(ids, at);
    at += ids.length;
  }
  const { last_hidden_state } = await model.forward({ inputIds, lengths }, { signal });
  const states = last_hidden_state!.data;
  if (normalize) for (let i = 0; i < states.length; i += hidden) toUnitLength(states.subarray(i, i + hidden));
  const most = lengths.reduce((a, b) => Math.max(a, b), 0);
  const data = new Float32Array(texts.length * most * hidden);
  at = 0;
  for (const [i, length] of lengths.entries()) {
    data.set(states.subarray(at, at + length * hidden), i * most * hidden);
    at += length * hidden;
  }
  return new Tensor(data, [texts.length, most, hidden]);
}

/** At most `most` tokens: the special ones at the end stay. */
function cut({ ids, wordIds }: { ids: Uint32Array; wordIds: Int32Array }, most: number): Uint32Array {
  if (ids.length <= most) return ids;
  const end = wordIds.findLastIndex((word) => word >= 0) + 1;
  const kept = ids.slice(0, most);
  kept.set(ids.subarray(end), most - (ids.length - end));
  return kept;
}

function toUnitLength(row: Float32Array): void {
  const length = Math.sqrt(row.reduce((sum, x) => sum + x * x, 0));
  for (let i = 0; i < row.length; i++) row[i] /= length;
}
