/** The public types of what a model can be asked: each call with its options and results. */

/** How a text's tokens become one vector; the names are sentence-transformers'. */
export const POOLINGS = ['cls', 'max', 'mean', 'mean_sqrt_len_tokens', 'weightedmean', 'lasttoken'] as const;
export type Pooling = (typeof POOLINGS)[number];

/** `cosine` and `dot` of two vectors, or their distance with a minus sign, so that more is always more alike. */
export type Metric = 'cosine' | 'dot' | 'euclidean' | 'manhattan';

/** Two texts that the model reads as one sequence: question and answer, premise and hypothesis. */
export interface TextPair {
  text: string;
  pair: string;
}

/** How far a call is, after each of its passes. `done` and `total` count sequences (texts, or pairs), `tokens` their tokens. */
export interface CallProgress {
  done: number;
  total: number;
  tokens: number;
  totalTokens: number;
}

export interface CallOptions {
  signal?: AbortSignal;
  onProgress?: (progress: CallProgress) => void;
  /** Cut inputs above the model's limit instead of throwing a RangeError. Default false. */
  truncate?: boolean;
}

export interface FillMaskOptions extends CallOptions {
  /** Candidates a mask. Default 5. */
  topK?: number;
  /** Score these words instead of the whole vocabulary; each must be one token where the mask stands. */
  targets?: string[];
  /** Give every candidate the text with its mask filled. Default false. */
  sequences?: boolean;
}

/** One candidate for a masked token. `score`: softmax probability over the whole vocabulary, also of `targets`. */
export interface Candidate {
  token: string;
  tokenId: number;
  score: number;
  /** With the option `sequences`: the text with this mask filled; other masks stay. */
  sequence?: string;
}

/** One `[MASK]` of a text: its token index, its place in the text (UTF-16 offsets) and the best candidates, best first. */
export interface MaskResult {
  index: number;
  start: number;
  end: number;
  candidates: Candidate[];
}

/**
 * What the numbers of an embedding are stored as. `int8`: each row scaled so that its largest magnitude is 127, and rounded (cosines stay),
 * or with `ranges` as sentence-transformers' int8. `binary`: one bit a number, set where it is above 0; the first in the highest bit of a
 * byte, as sentence-transformers' ubinary.
 */
export type Precision = 'float32' | 'int8' | 'binary';

export interface PrecisionData {
  float32: Float32Array;
  int8: Int8Array;
  binary: Uint8Array;
}

/** Embeddings, row-major: `rows` rows of `dim` numbers; binary ones have ceil(dim / 8) bytes a row. */
export interface Embeddings<P extends Precision = 'float32'> {
  data: PrecisionData[P];
  rows: number;
  dim: number;
  /** Row i as a view into `data`. */
  row(i: number): PrecisionData[P];
}

export interface EmbedOptions<P extends Precision = Precision> extends CallOptions {
  /** Default: the checkpoint's own. Several are put side by side. Another one than its own skips no Dense module. */
  pooling?: Pooling | Pooling[];
  /** To unit length, after `dimensions`. Default true; false also leaves out a Normalize module at the checkpoint's end. */
  normalize?: boolean;
  /** What stands before every text: one of `info.prompts` by name, or the words themselves. Default: `info.defaultPrompt`, if any. */
  promptName?: string;
  prompt?: string;
  /** Keep only so many numbers of each embedding, for models trained for it (Matryoshka). Default: what the checkpoint says, else all. */
  dimensions?: number;
  /** Default float32. */
  precision?: P;
  /** For int8: the least and the largest value of every number, e.g. of your corpus, which become -128 and 127. */
  ranges?: { min: ArrayLike<number>; max: ArrayLike<number> };
}

/** How a text is read by a multi-vector model: a query is filled up with mask tokens, a document leaves its punctuation out. */
export interface MultiVectorOptions extends CallOptions {
  kind: 'query' | 'document';
  /** Most tokens, special ones and the prefix included; what a query is filled up to. Default: the checkpoint's. */
  maxTokens?: number;
}

/** One text's token embeddings, of unit length, with each token's id and its UTF-16 offsets ([0, 0] for special tokens). */
export interface MultiVector extends Embeddings {
  ids: Uint32Array;
  offsets: [start: number, end: number][];
}

export interface LabelScore {
  label: string;
  score: number;
}

export interface ClassifyOptions extends CallOptions {
  /** Labels to give, best first. Default: all. */
  topK?: number;
  /** Logits instead of probabilities. Default: false, true where problem_type is regression. */
  raw?: boolean;
  /** Each label by itself (sigmoid) instead of one of all (softmax). Default: what problem_type says, true for a single label. */
  multiLabel?: boolean;
}

export interface ZeroShotOptions extends CallOptions {
  /** The sentence that is tested for each label; `{}` stands for the label. Default 'This example is {}.' */
  hypothesisTemplate?: string;
  /** Each label by itself instead of one of all. Default false; true for a single label. */
  multiLabel?: boolean;
}

export interface RerankOptions extends CallOptions {
  /** Documents to give, best first. Default: all. */
  topK?: number;
  /** Logits instead of probabilities. Default: false, true where config.json names Identity as the cross-encoder's activation. */
  raw?: boolean;
  /** Put the documents into the results. Default false. */
  returnDocuments?: boolean;
  /** Cut documents so that query and document have at most this many tokens, special ones included. The query is never cut. */
  maxTokens?: number;
}

/** `index`: the document's place in the list that was given. */
export interface RerankResult {
  index: number;
  score: number;
  document?: string;
}

/**
 * How tokens become entities. `none`: not at all. `simple`: neighbours of one class. `first`, `max`, `average`: words first, which have the
 * class of their first token, of their surest one, or of the mean of their tokens' scores; then neighbours of one class.
 */
export type Aggregation = 'none' | 'simple' | 'first' | 'max' | 'average';

export interface ClassifyTokensOptions extends CallOptions {
  /** Default none. */
  aggregation?: Aggregation;
  /** Classes to leave out. Default: none of them without aggregation, else ['O']. */
  ignoreLabels?: string[];
}

/** Neighbouring tokens of one class. `label` without its prefix (B-, I-); `start` and `end`: UTF-16 offsets of `text`. */
export interface Entity extends LabelScore {
  text: string;
  start: number;
  end: number;
}

export interface ChunkOptions {
  /** Most tokens of a chunk, special ones included. Default: the model's limit. */
  maxTokens?: number;
  /** Tokens at the end of a chunk that the next begins with, rounded up to whole words. Default 0. */
  overlap?: number;
  signal?: AbortSignal;
}

/** A part of a text: `text.slice(start, end)`, UTF-16 offsets. `tokens`: how many it has by itself, special ones included. */
export interface Chunk {
  text: string;
  start: number;
  end: number;
  tokens: number;
}

/** One token's class; `start` and `end` are UTF-16 offsets into the text. */
export interface TokenLabel extends LabelScore {
  token: string;
  index: number;
  start: number;
  end: number;
}

export interface Tokens {
  ids: Uint32Array;
  tokens: string[];
  /** UTF-16 offsets into the text (of a pair: into the text the token comes from); special tokens have [0, 0]. */
  offsets: [start: number, end: number][];
}

export type OutputName = 'last_hidden_state' | 'hidden_states' | 'logits';

export interface Tensor {
  data: Float32Array;
  shape: number[];
}

/** Sequences one after the other, nothing padded: `inputIds.length` is the sum of `lengths`. */
export interface TokenBatch {
  inputIds: Uint32Array;
  lengths: Uint32Array;
}

export interface ForwardOptions extends CallOptions {
  outputs?: OutputName[];
  /** Rows of the stream to return, in this order. Default: all. Sequence-classification logits ignore it. */
  rows?: Uint32Array | number[];
}

/** What a model can be asked. Every call takes its options, if any, as the last argument. */
export interface Calls {
  /** Fills every `[MASK]`. Throws a RangeError for a text without one. */
  fillMask(text: string, options?: FillMaskOptions): Promise<MaskResult[]>;
  fillMask(texts: string[], options?: FillMaskOptions): Promise<MaskResult[][]>;
  /** One embedding a text, as the checkpoint's sentence-transformers files say; without them the mean. */
  embed<P extends Precision = 'float32'>(texts: string | string[], options?: EmbedOptions<P>): Promise<Embeddings<P>>;
  /** One embedding a token, by a multi-vector (ColBERT) model in PyLate's format. Compare them with `maxSim`. */
  embedMultiVector(text: string, options: MultiVectorOptions): Promise<MultiVector>;
  embedMultiVector(texts: string[], options: MultiVectorOptions): Promise<MultiVector[]>;
  /** The labels with their scores, best first: softmax, or sigmoid where problem_type is multi_label_classification. */
  classify(text: string | TextPair, options?: ClassifyOptions): Promise<LabelScore[]>;
  classify(texts: (string | TextPair)[], options?: ClassifyOptions): Promise<LabelScore[][]>;
  /** Labels of the caller's own, best first, by a natural language inference model (with a label for entailment). */
  zeroShot(text: string, labels: string[], options?: ZeroShotOptions): Promise<LabelScore[]>;
  zeroShot(texts: string[], labels: string[], options?: ZeroShotOptions): Promise<LabelScore[][]>;
  /** How well each document answers the query, best first, by a cross-encoder: a sequence classifier with one or two labels. */
  rerank(query: string, documents: string[], options?: RerankOptions): Promise<RerankResult[]>;
  /** The best label of every token but the special ones; with `aggregation` the entities. */
  classifyTokens(text: string, options?: ClassifyTokensOptions & { aggregation?: 'none' }): Promise<TokenLabel[]>;
  classifyTokens(texts: string[], options?: ClassifyTokensOptions & { aggregation?: 'none' }): Promise<TokenLabel[][]>;
  classifyTokens(text: string, options: ClassifyTokensOptions): Promise<Entity[]>;
  classifyTokens(texts: string[], options: ClassifyTokensOptions): Promise<Entity[][]>;
  /** Parts of a text that are short enough, cut between words where there are any. A short text is one chunk. */
  chunk(text: string, options?: ChunkOptions): Promise<Chunk[]>;
  chunk(texts: string[], options?: ChunkOptions): Promise<Chunk[][]>;
  /** The bare model, for those who bring their own token ids. Shapes: see README. */
  forward(batch: TokenBatch, options?: ForwardOptions): Promise<Partial<Record<OutputName, Tensor>>>;
  tokenize(text: string, pair?: string): Promise<Tokens>;
}
