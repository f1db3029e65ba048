/** The public types of an index. */
import type { ChunkOptions } from '../api/calls';
import type { EmbedOptions, Precision, Vectors } from '../api/embeddings';
import type { Model, WebGPU } from '../api/types';

/** What an index needs of a model: every loaded model that embeds has it. */
export type IndexModel = Pick<Model, 'embed' | 'chunk' | 'tokenize' | 'info'>;

/** A JSON object: strings, finite numbers, booleans, null, lists and objects of these. */
export type Metadata = Record<string, unknown>;

export interface IndexDocument<M = Metadata> {
  /** Unique in the index. */
  id: string;
  text: string;
  /** Returned with hits, and for filters. Default {}. The index keeps a copy. */
  metadata?: M;
}

/** `vectors`: by meaning. `words`: BM25. `hybrid`: both. */
export type SearchMode = 'hybrid' | 'vectors' | 'words';

/** A part of a document's text: `text.slice(start, end)`, UTF-16 offsets. */
export interface Passage {
  start: number;
  end: number;
}

/** What is put before the texts, as in EmbedOptions. */
export type IndexPrompt = Pick<EmbedOptions, 'prompt' | 'promptName'>;

export interface WordOptions {
  /** BCP 47, such as 'tr' or 'ja': for lower case, and for the words of scripts without spaces (Intl.Segmenter). Default: no language's rules. */
  language?: string;
  /** Splits texts and queries in place of the index's own rules, for example to stem. The same text must always give the same words. */
  split?: (text: string) => string[];
}

export interface IndexProgress {
  /** Texts that are in the index now. */
  done: number;
  /** Texts in all; undefined if they come one by one. */
  total: number | undefined;
  /** Passages embedded so far. */
  passages: number;
}

export interface AddOptions {
  signal?: AbortSignal;
  onProgress?: (progress: IndexProgress) => void;
}

/** What decides about an index's vectors. */
export interface VectorOptions {
  /**
   * How vectors are kept, per passage and number: `float32` 4 bytes, `int8` 1 byte, `binary` 1 byte and 1 bit: bits find candidates, of which the
   * int8 vectors are compared. Searches of float32 and int8 are exact for these vectors. Default float32.
   */
  precision?: Precision;
  /**
   * `dot`: for models whose vectors have lengths that count; a Normalize of the checkpoint is then left out. Needs float32. Default: `dot` if
   * `info.similarity` says so and the vectors are float32, else `cosine`.
   */
  metric?: 'cosine' | 'dot';
  /** Numbers per vector to keep, from the first (Matryoshka). Default: what the checkpoint says. */
  dimensions?: number;
  /** In place of the checkpoint's prompt for documents. */
  document?: IndexPrompt;
  /**
   * Documents are cut into passages of at most `maxTokens` tokens, special ones included, of which consecutive ones share `overlap`. false: one
   * vector per document, and a RangeError for one above the model's limit. Default: 128 tokens or the model's limit if that is less, and an overlap of
   * an eighth.
   */
  chunk?: Pick<ChunkOptions, 'maxTokens' | 'overlap'> | false;
}

/** How an index is opened. */
export interface OpenOptions extends AddOptions {
  /** In place of the checkpoint's prompt for queries. */
  query?: IndexPrompt;
  /** Where the index is kept, such as `indexedDbStore('notes')`. Default: only in memory. */
  store?: IndexStore;
  /** false: without an index of words, which takes about 2 KB per passage of 85 words; only `vectors` can then be searched. */
  words?: WordOptions | false;
  /**
   * What compares the vectors from 10,000 passages on, in float32 or int8: false: the CPU alone. Default: the page's GPU (`navigator.gpu`), unless it is
   * software. In Node `create([])` of the package webgpu. The answers are the same: the GPU finds where the best are, and the CPU compares these. The
   * vectors' copy on the GPU takes as much memory as they do here, in steps of about 32 MB, until `close`.
   */
  gpu?: WebGPU | false;
}

export interface IndexOptions extends VectorOptions, OpenOptions {
  /**
   * If the stored index was made with another model or other options, embed all its texts again. The stored one is replaced when that is done.
   * Default false: an error.
   */
  rebuild?: boolean;
}

export interface IndexSearchOptions<M = Metadata> {
  /** Documents to return, best first. Default 10. */
  topK?: number;
  /** Default `hybrid`, or `vectors` if the index has no words. */
  mode?: SearchMode;
  /**
   * The query's embedding, if it is known already: what `embed` resolves to for one text, with kind `query` and the index's options (`precision: 'int8'`
   * for an index in int8 or binary), or one of your own making. The model is then not asked, nor waited for. With an empty query only vectors are
   * searched; with mode `words` it is not used.
   */
  embedding?: Vectors<Float32Array | Int8Array>;
  /** Only documents for which it returns true are searched. */
  filter?: (metadata: M, id: string) => boolean;
  signal?: AbortSignal;
}

/** A document, with the passage that was found. */
export interface IndexHit<M = Metadata> {
  id: string;
  text: string;
  /** The index's own object: do not change it. */
  metadata: M;
  /**
   * `vectors`: the cosine (or dot product) of the best passage. `words`: its BM25. `hybrid`: from 0 to 1, ⅓ v + ⅔ w². v is the document's place between
   * the nearest by vectors, 1, and the 100th, 0. w is its BM25 as a share of what a passage has that has all of the query's words, at most 1.
   */
  score: number;
  /** The cosine (or dot product) of the query and the passage, whichever search found it. Not with `words`. */
  similarity?: number;
  /** The best passage by meaning, else by words. Not with `chunk: false`. */
  passage?: Passage;
}

export interface SearchIndex<M = Metadata> {
  /** Documents. */
  readonly size: number;
  readonly passages: number;
  /** What compares the vectors of a search that begins now: the GPU, once they are copied to it (see the option `gpu`). */
  readonly device: 'cpu' | 'gpu';
  /** All documents. Their metadata are the index's own objects: do not change them. */
  documents(): IterableIterator<Required<IndexDocument<M>>>;
  /**
   * Adds documents, or replaces those of the same id; of several with one id the last stays. Vectors of a text that has not changed are kept.
   * Documents are stored in batches of up to 64, each whole or not at all; after an abort or an error those before it stay. Throws a TypeError or
   * RangeError for a wrong document (of a list before anything is added), and what embedding and the store throw.
   */
  add(
    documents: IndexDocument<M> | Iterable<IndexDocument<M>> | AsyncIterable<IndexDocument<M>>,
    options?: AddOptions,
  ): Promise<void>;
  /** Resolves to how many there were. */
  remove(ids: string | Iterable<string>): Promise<number>;
  /** The documents that fit best, best first, among all that are in the index by then; none for an empty query without `embedding`. */
  search(query: string, options?: IndexSearchOptions<M>): Promise<IndexHit<M>[]>;
  /** The index as one file for `importIndex`. It is a safetensors file: `vectors` [passages, dim] in F32 or I8, and `documents`, a line of JSON each. */
  export(): Promise<Blob>;
  /** Ends the index, once what is being stored is stored. The model stays. */
  close(): Promise<void>;
}

/** What an index was made with; the vectors of two that differ cannot be compared. */
export interface IndexSpec extends Pick<Required<VectorOptions>, 'precision' | 'metric' | 'document'> {
  embeddingSpace: string;
  /** Numbers per vector. */
  dim: number;
  chunk: { maxTokens: number; overlap: number } | false;
}

export interface IndexHeader extends IndexSpec {
  version: 1;
  /** Another number after each write, never 0. */
  revision: number;
}

/** A document as it is stored, plain data. */
export interface IndexRecord {
  id: string;
  text: string;
  metadata: Metadata;
  passages: Passage[];
  /** [passages, dim]; of `binary` the int8 vectors. */
  vectors: Float32Array | Int8Array;
}

/** A change of a stored index. */
export interface IndexChange {
  /** The stored revision that it is based on; 0 if nothing is stored. */
  base: number;
  header: IndexHeader;
  /** Whether all stored documents are removed first. */
  clear: boolean;
  remove: string[];
  put: IndexRecord[];
}

/** Where an index is kept. Several pages may use one store at a time. */
export interface IndexStore {
  /** What is stored, all of one revision; undefined if nothing is. */
  read(): Promise<{ header: IndexHeader; records: IndexRecord[] } | undefined>;
  /**
   * Makes the whole change or, if it fails, none of it. Resolves to false, without a change, if the stored revision is not `base`: another page has
   * written. The index then reads again and repeats the change.
   */
  write(change: IndexChange): Promise<boolean>;
  close(): Promise<void> | void;
}
