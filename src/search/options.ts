/** Checks of options. */

import type { Vectors } from '../api/embeddings';
import { wrongChoice } from '../api/errors';
import { checkOptions, type OptionNames } from '../api/options';
import { checkSpaces } from '../same-space';
import type {
  AddOptions,
  IndexOptions,
  IndexPrompt,
  IndexSearchOptions,
  IndexSpec,
  OpenOptions,
  SearchMode,
  VectorOptions,
  WordOptions,
} from './types';

const ADD: OptionNames<AddOptions> = { signal: true, onProgress: true };
const OPEN: OptionNames<OpenOptions> = { ...ADD, query: true, store: true, words: true, gpu: true };
const VECTORS: OptionNames<VectorOptions> = {
  precision: true,
  metric: true,
  dimensions: true,
  document: true,
  chunk: true,
};
const INDEX: OptionNames<IndexOptions> = { ...VECTORS, ...OPEN, rebuild: true };
const SEARCH: OptionNames<IndexSearchOptions> = {
  topK: true,
  mode: true,
  embedding: true,
  filter: true,
  signal: true,
};
const WORDS: OptionNames<WordOptions> = { language: true, split: true };
const PROMPT: OptionNames<IndexPrompt> = { prompt: true, promptName: true };
const CHUNK: OptionNames<Exclude<VectorOptions['chunk'], false | undefined>> = { maxTokens: true, overlap: true };

export const checkAddOptions = (options: AddOptions): void => checkOptions('add', options, ADD);

export function checkImportOptions(options: OpenOptions): void {
  checkOptions('importIndex', options, OPEN);
  checkOpenOptions('importIndex', options);
}

function checkOpenOptions(what: string, { words, query, store, gpu }: OpenOptions): void {
  if (gpu !== undefined && gpu !== false && typeof gpu?.requestAdapter !== 'function') {
    throw new TypeError('gpu must be false or a GPU such as navigator.gpu, which is the default.');
  }
  if (store !== undefined && typeof store?.read !== 'function') {
    throw new TypeError("store must be an object that keeps an index, such as indexedDbStore('notes').");
  }
  if (words !== false) checkOptions(`${what}'s words`, words, WORDS);
  checkOptions(`${what}'s query`, query, PROMPT);
}

export function checkIndexOptions(options: IndexOptions): void {
  checkOptions('createIndex', options, INDEX);
  checkOpenOptions('createIndex', options);
  const { precision = 'float32', metric = 'cosine', chunk, document } = options;
  const precisions = ['float32', 'int8', 'binary'];
  if (!precisions.includes(precision)) throw wrongChoice('precision', precisions, precision);
  if (!['cosine', 'dot'].includes(metric)) throw wrongChoice('metric', ['cosine', 'dot'], metric);
  if (metric === 'dot' && precision !== 'float32') {
    throw new RangeError(
      `${precision} vectors have no lengths, so that they are compared by cosine: metric 'dot' needs precision 'float32'.`,
    );
  }
  if (chunk !== false) checkOptions("createIndex's chunk", chunk, CHUNK);
  checkOptions("createIndex's document", document, PROMPT);
}

/** The options with their defaults, and the row of `embedding`. `hasWords`: whether words can be searched. */
export function searchOptions<M>(query: unknown, options: IndexSearchOptions<M>, hasWords: boolean, spec: IndexSpec) {
  checkOptions('search', options, SEARCH);
  const { topK = 10, mode = hasWords ? 'hybrid' : 'vectors', filter, signal } = options;
  if (typeof query !== 'string') throw new TypeError(`The query must be a string, it is a ${typeof query}.`);
  const vector = options.embedding && rowOf(options.embedding, spec);
  if (!Number.isInteger(topK) || topK < 1) throw new RangeError(`topK must be a positive integer, it is ${topK}.`);
  const modes: SearchMode[] = ['hybrid', 'vectors', 'words'];
  if (!modes.includes(mode)) throw wrongChoice('mode', modes, mode);
  if (mode !== 'vectors' && !hasWords) {
    throw new RangeError(`mode '${mode}' needs an index of words, and this index was opened with words: false.`);
  }
  if (filter !== undefined && typeof filter !== 'function') {
    throw new TypeError(`filter must be a function of metadata and id, it is a ${typeof filter}.`);
  }
  return { topK, mode, filter, signal, vector };
}

/** The vector of a query that its caller has embedded; of unit length where lengths do not count. */
function rowOf(embedding: Vectors<Float32Array | Int8Array>, spec: IndexSpec): Float32Array | Int8Array {
  const { data, rows, dim } = embedding;
  const wanted = spec.precision === 'float32' ? Float32Array : Int8Array;
  if (!(data instanceof wanted)) {
    throw new TypeError(
      `embedding must be what embed resolves to for one text, with data in a ${wanted.name}, as the index has ${spec.precision} vectors; its data is ${Object.prototype.toString.call(data).slice(8, -1)}.`,
    );
  }
  if (rows !== 1 || dim !== spec.dim || data.length !== dim) {
    throw new RangeError(
      `embedding must be one row of ${spec.dim} numbers, as the index has them; it is ${rows} of ${dim}, and its data ${data.length} numbers.`,
    );
  }
  checkSpaces(embedding, spec);
  let squares = 0;
  for (const x of data) squares += x * x;
  const length = Math.sqrt(squares);
  if (!(length > 0 && length < Infinity)) {
    throw new RangeError(`embedding must be finite numbers and not all 0; its length is ${length}.`);
  }
  return spec.metric === 'cosine' && data instanceof Float32Array ? data.map((x) => x / length) : data;
}
