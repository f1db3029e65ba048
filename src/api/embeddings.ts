/** The public types of embeddings, dense, per token and sparse, and of the calls that make them. */
import type { CallOptions } from './calls';

/** How the hidden states of a text become one vector; the names are those of sentence-transformers. */
export type Pooling = 'cls' | 'max' | 'mean' | 'mean_sqrt_len_tokens' | 'weightedmean' | 'lasttoken';

/** `cosine` and `dot` of two vectors, or their negative distance: a larger value always means more similar. */
export type Metric = 'cosine' | 'dot' | 'euclidean' | 'manhattan';

/**
 * Storage of embeddings. `int8`: each row is scaled so that its largest magnitude is 127 (which preserves cosines), then rounded; with `ranges`, it
 * is converted like sentence-transformers' int8. `binary`: one bit per number, set if it is above 0, the first in the highest bit of a byte, like
 * sentence-transformers' ubinary.
 */
export type Precision = 'float32' | 'int8' | 'binary';

export interface PrecisionData {
  float32: Float32Array;
  int8: Int8Array;
  binary: Uint8Array;
}

/** Vectors in rows, which you can also make by hand. */
export interface Vectors<D extends PrecisionData[Precision] = Float32Array> {
  /** The rows one after the other. */
  data: D;
  rows: number;
  dim: number;
  /**
   * Which vectors these may be compared with: those of an equal id. It names the model with its commit and adapter, the class of its weights (float,
   * q8, q4), the pooling, `dim`, whether rows have unit length, and int8 or binary: `org/name@1a2b3c4/float/mean/768/unit`. Queries and documents
   * of a model have one. Store it with the vectors. Vectors without it are compared unchecked.
   */
  embeddingSpace?: string;
  /** Row i as a view into `data`. */
  row(i: number): D;
}

/** Embeddings, row-major: `rows` rows of `dim` numbers; binary rows have ceil(dim / 8) bytes. */
export interface Embeddings<P extends Precision = 'float32'> extends Vectors<PrecisionData[P]> {
  /** All rows as lists of numbers, for JSON and for libraries that take such; of binary rows their bytes. */
  toArrays(): number[][];
}

/** A text that is tokenized already: the ids of its tokens, special ones included, as `tokenize` returns them. */
export interface TokenIds {
  ids: Uint32Array | number[];
}

/** What a text is in a search. Checkpoints may have a prompt, modules or a whole model of their own for each. */
export type Kind = 'query' | 'document';

export interface EmbedOptions<P extends Precision = Precision> extends CallOptions {
  /**
   * What the texts are in a search, as sentence-transformers' encode_query and encode_document: the prompt is then the checkpoint's for them
   * (`info.promptNames`), or none, whatever its default prompt is; where the checkpoint has a Router, it takes this route.
   */
  kind?: Kind;
  /**
   * Late chunking (Günther et al. 2024, arXiv:2409.04701): an embedding per part of a text instead of one for all of it, pooled from the tokens that
   * begin in the part, which have seen the whole text. UTF-16 offsets, such as those that `chunk` gives; of several texts a list for each. The rows
   * are those of the first text's chunks, then those of the second's.
   */
  chunks?: { start: number; end: number }[] | { start: number; end: number }[][];
  /** Default: the checkpoint's own. Several are concatenated in this order. The checkpoint's Dense modules apply to any pooling. */
  pooling?: Pooling | Pooling[];
  /**
   * Normalise to unit length after the checkpoint's modules and `dimensions` (sentence-transformers' normalize_embeddings). Default: true for
   * checkpoints compared by cosine (`info.similarity`) whose modules do not end in a Normalize, or with `dimensions`; else the modules decide: a
   * checkpoint that itself cuts embeddings after its Normalize (truncate_dim) has rows shorter than 1, and one compared by dot product has the
   * lengths that it was trained for, as in sentence-transformers. false also leaves out a Normalize at the end of the modules.
   */
  normalize?: boolean;
  /** Put before every text: one of `info.prompts` by name, or the prompt itself. Default: the prompt of `kind`, else `info.defaultPrompt`, if any. */
  promptName?: string;
  prompt?: string;
  /** Cut each embedding to its first `dimensions` numbers, for models trained for it (Matryoshka). Default: what the checkpoint says, else no cut. */
  dimensions?: number;
  /** Default float32. */
  precision?: P;
  /** For int8: the smallest and largest value per dimension, e.g. of your corpus; they become -128 and 127. */
  ranges?: { min: ArrayLike<number>; max: ArrayLike<number> };
}

/**
 * As the checkpoint says, a multi-vector model fills a query up with mask tokens, and returns no embeddings for tokens on its skip list, such as a
 * document's punctuation.
 */
export interface MultiVectorOptions extends CallOptions {
  kind: Kind;
  /** As in EmbedOptions; of checkpoints in PyLate's format, a text after their prefix. */
  promptName?: string;
  prompt?: string;
  /** Most tokens, special ones and the prefix included; also the length that a query is filled up to. Default: the checkpoint's. */
  maxTokens?: number;
  /**
   * Fewer embeddings per document: tokens in clusters of about so many, each one their mean, by Ward's hierarchical clustering (2 to 4 lose little).
   * The first token stays as it is. Default: as the checkpoint says, else 1.
   */
  poolFactor?: number;
}

/**
 * One text's token embeddings, with each token's id and its UTF-16 offsets ([0, 0] for special tokens and the prompt). Of a cluster of pooled tokens
 * they are the first token's.
 */
export interface MultiVector extends Embeddings {
  ids: Uint32Array;
  offsets: [start: number, end: number][];
}

/** The weights of one text's tokens that are not 0. `ids`: token ids, ascending. `embeddingSpace`: as of Vectors. */
export interface SparseRow {
  ids: Uint32Array;
  weights: Float32Array;
  embeddingSpace?: string;
}

/** Sparse embeddings, row after row: row i has the entries `offsets[i]` to `offsets[i + 1]` of `ids` and `weights`. */
export interface SparseEmbeddings extends SparseRow {
  /** [rows + 1] */
  offsets: Uint32Array;
  rows: number;
  /** Tokens of the vocabulary: how long a row would be with its zeros. */
  size: number;
  /** Row i as views. */
  row(i: number): SparseRow;
}

export interface SparseOptions extends CallOptions {
  /** As in EmbedOptions. */
  kind?: Kind;
  promptName?: string;
  prompt?: string;
  /** Keep the largest `topK` weights of each text (sentence-transformers' max_active_dims). Default: what the checkpoint says, else all. */
  topK?: number;
}

export interface DecodeSparseOptions {
  /** Number of tokens to return. Default: all. */
  topK?: number;
  signal?: AbortSignal;
}

/** A token of a sparse row, as readable text. */
export interface SparseToken {
  token: string;
  tokenId: number;
  weight: number;
}
