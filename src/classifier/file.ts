import { checkOptions, type OptionNames } from '../api/options';
import type { ModelInfo } from '../api/types';
import { untested } from './evaluation';
import type { LinearHead } from './logistic-regression';
import type { ClassifierEmbedOptions, ClassifierFile, EncoderFacts } from './types';

export const FORMAT = 'modernbert-webgpu/classifier-head';

export const EMBED_OPTIONS: OptionNames<ClassifierEmbedOptions> = {
  kind: true,
  promptName: true,
  prompt: true,
  pooling: true,
  normalize: true,
  dimensions: true,
};

/** What the demo exported at first: numbers in lists, of embeddings with the model's default options. */
interface FirstVersion {
  format: typeof FORMAT;
  version: 1;
  /** Hub id or name of the model. */
  model: string;
  dtype: string;
  dim: number;
  labels: string[];
  /** [labels][dim] */
  weights: number[][];
  bias: number[];
}

/** A file of any version, with its numbers. */
export interface ReadFile {
  file: ClassifierFile;
  head: LinearHead;
  /** [labels, dim]; undefined if the file has none. */
  means: Float32Array | undefined;
}

/** Reads what `toJSON` of a classifier made. Throws a TypeError or RangeError that says what is wrong with anything else. */
export function readFile(json: unknown): ReadFile {
  if (!isRecord(json) || json.format !== FORMAT) {
    throw new TypeError(`This is not a classifier: its "format" is not "${FORMAT}". Give what JSON.parse made of one.`);
  }
  if (json.version !== 1 && json.version !== 2) {
    throw new RangeError(`This classifier is of version ${json.version}; versions 1 and 2 can be read.`);
  }
  const { labels, dim, bias } = json;
  check(isList(labels, isText) && labels.length >= 2, 'labels', 'two or more texts');
  check(new Set(labels).size === labels.length, 'labels', 'texts that differ');
  check(Number.isInteger(dim) && (dim as number) > 0, 'dim', 'a positive integer');
  check(isList(bias, Number.isFinite) && bias.length === labels.length, 'bias', 'a number per label');
  return json.version === 1
    ? readFirst(json as unknown as FirstVersion)
    : readSecond(json as unknown as ClassifierFile);
}

function readFirst({ format, labels, dim, weights, bias, dtype }: FirstVersion): ReadFile {
  const isRow = (row: unknown) => isList(row, Number.isFinite) && row.length === dim;
  check(isList(weights, isRow) && weights.length === labels.length, 'weights', 'a list of dim numbers per label');
  const numbers = weights.flat();
  const encoder = { embeddingSize: dim, dtype: dtype as EncoderFacts['dtype'] };
  const given = { labels, targets: [], duplicates: [], conflicts: [] };
  const evaluation = untested(given, 'The file is of version 1, which does not tell.');
  const known = {
    format,
    version: 2,
    labels,
    dim,
    weights: toBase64(numbers),
    bias,
    l2: 0.01,
    encoder,
    embed: {},
  } as const;
  return {
    file: { ...known, temperature: 1, typicality: null, evaluation },
    head: { weights: Float64Array.from(numbers), bias: Float64Array.from(bias) },
    means: undefined,
  };
}

function readSecond(file: ClassifierFile): ReadFile {
  const { labels, dim, typicality, encoder, embed, evaluation, temperature, l2 } = file;
  check(Number.isFinite(temperature) && temperature > 0, 'temperature', 'a positive number');
  check(Number.isFinite(l2) && l2 > 0, 'l2', 'a positive number');
  check(isRecord(encoder), 'encoder', 'an object');
  check(isRecord(embed), 'embed', 'an object');
  checkOptions('The embed of a classifier', embed, EMBED_OPTIONS);
  checkEvaluation(evaluation, labels.length);
  check(typicality === null || isRecord(typicality), 'typicality', 'an object or null');
  const size = labels.length * dim;
  const head = {
    weights: Float64Array.from(fromBase64(file.weights, size, 'weights')),
    bias: Float64Array.from(file.bias),
  };
  if (!typicality) return { file, head, means: undefined };
  const { percentiles } = typicality;
  const ascends =
    isList(percentiles, Number.isFinite) && percentiles.every((x, i) => i === 0 || x >= percentiles[i - 1]);
  check(ascends && percentiles.length === 101, 'typicality.percentiles', '101 ascending numbers');
  return { file, head, means: fromBase64(typicality.means, size, 'typicality.means') };
}

function checkEvaluation(evaluation: unknown, classes: number): void {
  check(isRecord(evaluation), 'evaluation', 'an object');
  const { folds, labels, confusion, mistakes, duplicates, conflicts } = evaluation;
  const isRow = (row: unknown) => isList(row, Number.isInteger) && row.length === classes;
  check(Number.isInteger(folds), 'evaluation.folds', 'an integer');
  check(isList(labels, isRecord) && labels.length === classes, 'evaluation.labels', 'an object per label');
  check(isList(confusion, isRow) && confusion.length === classes, 'evaluation.confusion', 'counts of labels by labels');
  check(isList(mistakes, isRecord), 'evaluation.mistakes', 'a list of objects');
  check(isList(duplicates, Number.isInteger), 'evaluation.duplicates', 'a list of indices');
  check(isList(conflicts, Number.isInteger), 'evaluation.conflicts', 'a list of indices');
}

const isRecord = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

const isText = (value: unknown) => typeof value === 'string' && value !== '';

const isList = (value: unknown, isOne: (entry: unknown) => boolean): value is unknown[] =>
  Array.isArray(value) && value.every((entry) => isOne(entry));

function check(isRight: boolean, field: string, wanted: string): asserts isRight {
  if (!isRight) throw new TypeError(`This classifier is damaged: its "${field}" must be ${wanted}.`);
}

/** Numbers as little-endian f32 in base64. */
export function toBase64(numbers: ArrayLike<number>): string {
  const bytes = new DataView(new ArrayBuffer(numbers.length * 4));
  for (let i = 0; i < numbers.length; i++) bytes.setFloat32(i * 4, numbers[i], true);
  let text = '';
  for (let i = 0; i < bytes.byteLength; i++) text += String.fromCharCode(bytes.getUint8(i));
  return btoa(text);
}

function fromBase64(text: unknown, length: number, field: string): Float32Array {
  let bytes = '';
  try {
    bytes = atob(text as string);
  } catch {
    // not base64: as wrong as another length
  }
  const view = new DataView(Uint8Array.from(bytes, (byte) => byte.charCodeAt(0)).buffer);
  check(typeof text === 'string' && view.byteLength === length * 4, field, `${length} f32 in base64`);
  const numbers = Float32Array.from({ length }, (_, i) => view.getFloat32(i * 4, true));
  check(numbers.every(Number.isFinite), field, 'finite numbers');
  return numbers;
}

export function factsOf(info: ModelInfo, embeddingSpace: string | undefined): EncoderFacts {
  const { embeddingSize, hiddenSize, vocabSize, dtype, commit, loraAdapter, config } = info;
  const modelType = typeof config.model_type === 'string' ? config.model_type : undefined;
  return {
    embeddingSize,
    hiddenSize,
    vocabSize,
    modelType,
    dtype,
    commit,
    loraAdapter: loraAdapter ?? '',
    embeddingSpace,
  };
}

/** The facts that say whether embeddings are of one model. `dtype` changes them little. */
const TELLING = [
  'embeddingSize',
  'hiddenSize',
  'vocabSize',
  'modelType',
  'commit',
  'loraAdapter',
  'embeddingSpace',
] as const;

/** Throws a RangeError if a model, of which this is known, is not the one that a classifier was trained with. */
export function checkEncoder(trained: EncoderFacts, model: EncoderFacts): void {
  for (const fact of TELLING) {
    const [own, other] = [trained[fact], model[fact]];
    if (own === undefined || other === undefined || own === other) continue;
    throw new RangeError(
      `This classifier was trained on embeddings of another model: ${fact} was ${JSON.stringify(own)}, and is ${JSON.stringify(other)}. Its numbers mean nothing to other embeddings: load the model that it was trained with, or train it anew.`,
    );
  }
}
