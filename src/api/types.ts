/**
 * The public types: what `loadModel` takes and the model it gives, the same in a page (through a worker), in a worker and in Node. Its
 * calls are in api-calls.ts.
 */
import type { Calls, Metric, Pooling } from './calls';

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

/**
 * What the products of the layers' matrices are computed with. `int8`: integers; activations are rounded to 8 bits, in groups of 32 along a
 * token's row, for weights of dtype q8.
 */
export type Compute = 'float' | 'int8';

/** What the checkpoint's head computes. `encoder`: no head, hidden states only. */
export const CHECKPOINT_TASKS = ['encoder', 'mlm', 'seqcls', 'tokcls'] as const;
export type Task = (typeof CHECKPOINT_TASKS)[number];

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

/**
 * What `loadModel` keeps on the device, so that the next load of the model reads no network. `auto`: models of the Hub and of other origins'
 * URLs. `always`: also those of the page's own origin. `refresh`: as `always`, but what is stored is not used: it is loaded anew and replaced.
 * `none`: nothing is read from the cache or stored. Blobs and local folders are never stored.
 */
export type CacheMode = 'auto' | 'always' | 'refresh' | 'none';

/** Where models are kept: the origin private file system, the Cache API where a browser lacks that, a folder in Node. */
export type CacheStore = 'opfs' | 'cache-api' | 'folder';

/** A model that is kept on the device. */
export interface CachedModel {
  /** Names the entry. */
  id: string;
  /** Hub id or URL, as `loadModel` takes it. */
  source: string;
  /** The Hub's address, where it was a mirror's. */
  hubUrl?: string;
  /** Branch, tag or commit that was asked for; undefined for URLs. */
  revision?: string;
  /** The commit that its files are from, where the server told. */
  commit?: string;
  dtype: Dtype;
  /** Of all its files. */
  bytes: number;
  storedAt: Date;
  lastUsed: Date;
}

/** What the cache did for a load. */
export interface CacheUse {
  /**
   * `hit`: every file came from the cache. `stored`: from the network, and the next load is a hit. `off`: not to be cached. `failed`: it could
   * not be stored; the model runs all the same.
   */
  state: 'hit' | 'stored' | 'off' | 'failed';
  store?: CacheStore;
  /** Of the files that are stored. */
  bytes?: number;
  /** Why it is off or failed. */
  reason?: string;
  /**
   * Where the space did not suffice: bytes that were to be stored, and what the browser allows and has in use, as far as it tells. No
   * `quota`: it named one that would have sufficed, as Chromium does.
   */
  needed?: number;
  quota?: number;
  usage?: number;
}

export interface LoadOptions extends FileOptions {
  /** Default `auto`. See docs/guide/loading.md. */
  cache?: CacheMode;
  /**
   * Weights on the GPU. `auto`: the file's own precision, f16 where f32 weights would be over 512 MiB, and q8 or q4 where the ones before are
   * over a quarter of the machine's memory (navigator.deviceMemory), or over the device's largest buffer and 512 MiB.
   */
  dtype?: 'auto' | Dtype;
  /** `auto`: f16 with f16 weights on a device with shader-f16, f32 otherwise. */
  arithmetic?: 'auto' | Arithmetic;
  /** Default `float`. `int8` makes q8 the default dtype, and adds about as much error as q8 weights do (docs/guide/dtypes.md). */
  compute?: Compute;
  /** What the head computes, for checkpoints whose config.json does not name a class in `architectures`. */
  task?: Task;
  /**
   * Time a few tile sizes of each matrix product at the first load on a device, check their results and remember the fastest (in
   * IndexedDB; in Node a file in the user's cache folder). Default: true, but false where the GPU is software.
   */
  autotune?: boolean;
  /** Most tokens in one GPU pass; the default comes from the device's limits. */
  maxTokensPerPass?: number;
  /** A GPU to use instead of `navigator.gpu` (not in the worker). */
  gpu?: GPU;
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
  compute: Compute;
  /** Longest sequence, special tokens included; sentence_bert_config.json may make it shorter than config.json does. */
  maxTokens: number;
  maxTokensPerPass: number;
  hiddenSize: number;
  vocabSize: number;
  labels: string[];
  /** How `embed` pools; several are put side by side. */
  pooling: Pooling[];
  /** Numbers of an embedding, or of each of a multi-vector model's. */
  embeddingSize: number;
  /** What `embed` can put before a text, by name ({ query: 'search_query: ' }); `defaultPrompt` is the name of the one it puts anyway. */
  prompts: Record<string, string>;
  defaultPrompt: string | undefined;
  /** What the embeddings were trained to be compared by. */
  similarity: Metric | 'MaxSim';
  /** Most tokens of a query and a document of a multi-vector (ColBERT) model; undefined for others. */
  multiVector: { queryLength: number; documentLength: number } | undefined;
  /** How a mask is written in a text ([MASK], <mask>); undefined if the tokenizer has none. */
  maskToken: string | undefined;
  adapter: { vendor: string; architecture: string; device: string; description: string };
  /** WebGPU features of the device that the kernels use. */
  features: string[];
  /** The commit that all files came from, where the server told. */
  commit: string | undefined;
  cache: CacheUse;
}

export interface Model extends Calls {
  readonly info: ModelInfo;
  memory(): MemoryUse;
  /** Frees the GPU. Waiting calls are rejected. */
  dispose(): Promise<void>;
}
