/**
 * The public types: what `loadModel` takes and the model it gives, the same in a page (through a worker), in a worker and in Node.
 */

/**
 * How weights are stored on the GPU; none needs a device feature. `q8` and `q4`: the matrices of the layers as 8-bit and 4-bit integers in
 * groups of 32 with f16 scales, the embedding table as 8-bit ones in either; heads stay f16.
 */
export type Dtype = 'f32' | 'f16' | 'q8' | 'q4';

/**
 * What activations are between kernels, and attention's operands: `f32` runs everywhere, `f16` needs the device feature shader-f16.
 * Sums, the residual stream, LayerNorm and softmax are f32 in either.
 */
export type Arithmetic = 'f32' | 'f16';

/** What the checkpoint's head computes. `encoder`: no head, hidden states only. */
export type Task = 'encoder' | 'mlm' | 'seqcls' | 'tokcls';

export type Pooling = 'mean' | 'cls';

/**
 * Where a checkpoint's files are:
 * - a URL or path of a folder (`https://…`, `/models/nano`, `./nano`; in Node also a local folder),
 * - a Hugging Face Hub id, `org/name`,
 * - the files themselves, name → Blob (for example a folder that the user picked).
 */
export type ModelSource = string | URL | Map<string, Blob> | Record<string, Blob>;

/** Bytes of one file so far. `total` is undefined where the server does not say. */
export interface Progress {
  file: string;
  loaded: number;
  total: number | undefined;
}

export interface FileOptions {
  /** Branch, tag or commit of a Hub id. Default `main`. */
  revision?: string;
  /** Access token for private or gated Hub models. */
  token?: string;
  /** Base address of the Hub or a mirror of it. Default `https://huggingface.co`. */
  hubUrl?: string;
  onProgress?: (progress: Progress) => void;
  signal?: AbortSignal;
}

export interface LoadOptions extends FileOptions {
  /**
   * Weights on the GPU. `auto`: the file's own precision, f16 where f32 weights would be over 512 MiB, and q8 or q4 where the ones before are
   * over a quarter of the machine's memory (navigator.deviceMemory), or over the device's largest buffer and 512 MiB.
   */
  dtype?: 'auto' | Dtype;
  /** `auto`: f16 with f16 weights on a device with shader-f16, f32 otherwise. */
  arithmetic?: 'auto' | Arithmetic;
  /** What the head computes, for checkpoints whose config.json does not name a class in `architectures`. */
  task?: Task;
  /** Most tokens in one GPU pass; the default comes from the device's limits. */
  maxTokensPerPass?: number;
  /** A GPU to use instead of `navigator.gpu` (not in the worker). */
  gpu?: GPU;
}

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

/** One candidate for a masked token. `score`: softmax probability over the whole vocabulary. */
export interface Candidate {
  token: string;
  tokenId: number;
  score: number;
}

/** One `[MASK]` of a text: its token index, its place in the text (UTF-16 offsets) and the best candidates, best first. */
export interface MaskResult {
  index: number;
  start: number;
  end: number;
  candidates: Candidate[];
}

/** Embeddings, row-major: `data[i * dim + j]`. */
export interface Embeddings {
  data: Float32Array;
  rows: number;
  dim: number;
  /** Row i as a view into `data`. */
  row(i: number): Float32Array;
}

export interface LabelScore {
  label: string;
  score: number;
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

/** GPU bytes. `peak` is the most that was allocated at one time, loading included. */
export interface MemoryUse {
  weights: number;
  activations: number;
  peak: number;
}

export interface ModelInfo {
  /** config.json as it was read. */
  config: Record<string, unknown>;
  task: Task;
  dtype: Dtype;
  arithmetic: Arithmetic;
  /** Longest sequence, special tokens included. */
  maxTokens: number;
  maxTokensPerPass: number;
  hiddenSize: number;
  vocabSize: number;
  labels: string[];
  pooling: Pooling;
  /** How a mask is written in a text ([MASK], <mask>); undefined if the tokenizer has none. */
  maskToken: string | undefined;
  adapter: { vendor: string; architecture: string; device: string; description: string };
  /** WebGPU features of the device that the kernels use. */
  features: string[];
}

/** What a model can be asked. Every call takes its options, if any, as the last argument. */
export interface Calls {
  /** Fills every `[MASK]`. Throws a RangeError for a text without one. */
  fillMask(text: string, options?: CallOptions & { topK?: number }): Promise<MaskResult[]>;
  fillMask(texts: string[], options?: CallOptions & { topK?: number }): Promise<MaskResult[][]>;
  /** One embedding a text. `normalize` (default true): to unit length. Pooling: 1_Pooling/config.json, else mean. */
  embed(
    texts: string | string[],
    options?: CallOptions & { pooling?: Pooling; normalize?: boolean },
  ): Promise<Embeddings>;
  /** All labels with their scores, best first: softmax, or sigmoid where problem_type is multi_label_classification. */
  classify(text: string, options?: CallOptions): Promise<LabelScore[]>;
  classify(texts: string[], options?: CallOptions): Promise<LabelScore[][]>;
  /** The best label of every token but the special ones. */
  classifyTokens(text: string, options?: CallOptions): Promise<TokenLabel[]>;
  classifyTokens(texts: string[], options?: CallOptions): Promise<TokenLabel[][]>;
  /** The bare model, for those who bring their own token ids. Shapes: see README. */
  forward(batch: TokenBatch, options?: ForwardOptions): Promise<Partial<Record<OutputName, Tensor>>>;
  tokenize(text: string, pair?: string): Promise<Tokens>;
}

export interface Model extends Calls {
  readonly info: ModelInfo;
  memory(): MemoryUse;
  /** Frees the GPU. Waiting calls are rejected. */
  dispose(): Promise<void>;
}
