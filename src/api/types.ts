/**
 * The public types: the options of `loadModel` and the model it returns, the same in a page (through a worker), in a worker and in Node. The
 * model's calls are in calls.ts.
 */
import type { Calls } from './calls';
import type { Kind, Metric, Pooling } from './embeddings';

/**
 * Storage of weights on the GPU; no dtype needs a device feature. `q8` and `q4`: the layers' matrices and the
 * embedding table are 8-bit or 4-bit integers in groups of 32 with f16 scales, and heads stay f16.
 */
export type Dtype = 'f32' | 'f16' | 'q8' | 'q4';

/** Other names of dtypes, as other tools call them: f32, f16, q8 or q4. */
export type DtypeName = 'fp32' | 'float32' | 'fp16' | 'float16' | 'half' | 'int8' | 'q8_0' | 'int4' | 'q4_0';

/**
 * Storage of activations between kernels. `f32` runs everywhere; `f16` needs the device feature shader-f16. Sums, the residual stream,
 * LayerNorm and softmax are f32 in both.
 */
export type Arithmetic = 'f32' | 'f16';

/**
 * How the layers' matrix products are computed. `int8` needs q8 weights: activations are rounded to 8 bits too, in groups of 32 along a token's
 * row, and multiplied as integers.
 */
export type Compute = 'float' | 'int8';

/**
 * Which designs of the kernels are used, and which features and limits of the device. `card`: the fast ones of graphics cards. `minimal`: the same
 * without any optional feature and with WebGPU's default limits (16 KiB of workgroup memory), as on the weakest device. `software`: those that
 * suit a CPU which emulates a GPU.
 */
export type ProfileName = 'card' | 'minimal' | 'software';

/**
 * What the checkpoint's head computes: `mlm` a token of the vocabulary, `seqcls` a class of the text, `tokcls` of each token, `qa` where an answer
 * starts and ends, `gliner` entities with labels of the caller's choice. `encoder`: no head, only hidden states.
 */
export type Task = 'encoder' | 'mlm' | 'seqcls' | 'tokcls' | 'qa' | 'gliner';

/**
 * Where a checkpoint's files are:
 * - a URL or path of a folder (`https://…`, `/models/nano`, `./nano`, an extension's `chrome-extension://…`; in Node also a local folder),
 * - a Hugging Face Hub id, `org/name`,
 * - the files themselves, name → Blob (for example a folder that the user picked).
 */
export type ModelSource = string | URL | Map<string, Blob> | Record<string, Blob>;

/** Bytes of one file so far. `total` is undefined if the server does not report it. */
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
  /** Milliseconds without a byte from the network after which a connection counts as broken. Default 60 000; `Infinity`: never. */
  stallTimeout?: number;
  onProgress?: (progress: Progress) => void;
  signal?: AbortSignal;
}

/**
 * What `loadModel` keeps on the device, so that the next load needs no network. `auto`: models from the Hub and from URLs of other origins.
 * `always`: also those of the page's own origin, and of an extension's or app's own files. `refresh`: like `always`, but the stored model is downloaded
 * again and replaced. `none`: nothing is read from the cache or stored. Blobs and local folders are never stored.
 */
export type CacheMode = 'auto' | 'always' | 'refresh' | 'none';

/** Where models are kept: the origin private file system, the Cache API in browsers without it, a folder in Node. */
export type CacheStore = 'opfs' | 'cache-api' | 'folder';

/** A model kept on the device. */
export interface CachedModel {
  /** Identifies the entry. */
  id: string;
  /** Hub id or URL, as passed to `loadModel`. */
  source: string;
  /** The address of the Hub, if it was a mirror. */
  hubUrl?: string;
  /** The requested branch, tag or commit; undefined for URLs. */
  revision?: string;
  /** The commit of its files, if the server reported it. */
  commit?: string;
  dtype: Dtype;
  /** All its files together. */
  bytes: number;
  storedAt: Date;
  lastUsed: Date;
}

/** What the cache did for a load. */
export interface CacheUse {
  /**
   * `hit`: every file came from the cache. `stored`: downloaded, and the next load is a hit. `off`: not cached. `failed`: it could not be stored;
   * the model works anyway.
   */
  state: 'hit' | 'stored' | 'off' | 'failed';
  store?: CacheStore;
  /** Bytes of the stored files. */
  bytes?: number;
  /** Why the state is `off` or `failed`. */
  reason?: string;
  /**
   * If there was not enough space: the bytes to be stored, and the browser's quota and usage as far as it reports them. `quota` is left out if
   * the reported one would have sufficed, as in Chromium.
   */
  needed?: number;
  quota?: number;
  usage?: number;
}

export interface LoadOptions extends FileOptions {
  /** Default `auto`. See docs/guide/loading.md. */
  cache?: CacheMode;
  /**
   * Weights on the GPU. `auto`: the file's own precision; f16 if f32 weights would exceed 512 MiB; q8 or q4 if the larger ones would exceed a
   * quarter of the machine's memory (navigator.deviceMemory), or both the device's largest buffer and 512 MiB.
   */
  dtype?: 'auto' | Dtype | DtypeName;
  /**
   * A LoRA adapter that is merged into the weights of `source`, its base: a folder as peft or sentence-transformers saves it, of any kind that a
   * source can be. With `adapters`, the name of one of them. A `source` that is itself an adapter's folder needs no option: its base is the one
   * that its adapter_config.json names.
   */
  adapter?: ModelSource;
  /**
   * Adapters of the same base by name, of which one at a time is used, or none: see `Model.setAdapter`. The base's files stay in memory (a browser
   * may move them to the disk).
   */
  adapters?: Record<string, ModelSource>;
  /** `auto`: f16 if the device has shader-f16 and the weights are not f32, else f32. */
  arithmetic?: 'auto' | Arithmetic;
  /** Default `float`. `int8` makes q8 the default dtype and adds about as much error as q8 weights (docs/guide/dtypes.md). */
  compute?: Compute;
  /** What the head computes, for checkpoints whose config.json does not name a class in `architectures`. */
  task?: Task;
  /**
   * On a device that the model is new to, time a few tile sizes of each matrix product and of attention, check their results, use the fastest and remember them (in
   * IndexedDB; in Node in a file of the user's cache folder). No load and no call waits for it: it is done after the first results, whenever nothing
   * has used the model for a second, in pieces of milliseconds. `warm` does it at once. Default: true, but false on software adapters. With
   * false, remembered sizes are not used either.
   */
  autotune?: boolean;
  /**
   * At the first load on a device, run every kernel once and compare what it computes with values from the CPU; replace those that are wrong
   * (`info.replaced`). Default: true. Without it a faulty driver goes unnoticed.
   */
  selfCheck?: boolean;
  /**
   * After the loss of the GPU device (a driver's reset, sleep) or a crash of the worker, load the model again, and run once more what was under way.
   * Default: true. Otherwise, and if it happens twice within 10 seconds, calls reject with a DeviceLostError or WorkerError.
   */
  recover?: boolean;
  /**
   * Milliseconds without a call after which the model lets go of its GPU memory, counted from the end of the load or of the last call; default
   * Infinity. The next call loads it again, from the device's store or else from its source, whatever `recover` is. 0: after each call.
   */
  keepAlive?: number;
  /** Default `auto`: `software` on software adapters, else `card`. The others help to find out whether a driver is at fault. */
  profile?: 'auto' | ProfileName;
  /**
   * Most tokens per text, special ones included; at most the model's positions. Default: max_seq_length of sentence_bert_config.json, else
   * model_max_length of tokenizer_config.json, as sentence-transformers decides.
   */
  maxLength?: number;
  /**
   * Whether texts that are embedded lose the whitespace at their ends. Default: as the version of sentence-transformers that saved the checkpoint
   * does; 5.4 and later keep it, earlier ones and PyLate 1.6 do not.
   */
  stripTexts?: boolean;
  /** Most tokens per GPU pass. Default: 8192, or fewer if the device's limits require it. */
  maxTokensPerPass?: number;
  /** A GPU to use instead of `navigator.gpu` (not in the worker). */
  gpu?: WebGPU;
}

/** WebGPU: `navigator.gpu`, or what `create` of the npm package webgpu returns. TypeScript has a type of its own for it from version 6 on. */
export interface WebGPU {
  requestAdapter(options?: { powerPreference?: 'high-performance' | 'low-power' }): Promise<object | null>;
}

/** Bytes of GPU memory. `peak`: the most allocated at one time, including loading. */
export interface MemoryUse {
  weights: number;
  activations: number;
  peak: number;
}

/** A kernel that was wrong on this device, and that the load replaced by a safer one. */
export interface ReplacedKernel {
  kernel: string;
  /** How it was computed. */
  design: string;
  /** How far off it was, or the compiler's message. */
  reason: string;
}

export interface ModelInfo {
  /** The content of config.json. */
  config: Record<string, unknown>;
  task: Task;
  /** Of a table of tokens, whose numbers are f32 in any case, what was asked for. */
  dtype: Dtype;
  arithmetic: Arithmetic;
  compute: Compute;
  /** Tokens of the longest allowed sequence, special tokens included: see the option maxLength. */
  maxTokens: number;
  maxTokensPerPass: number;
  hiddenSize: number;
  vocabSize: number;
  labels: string[];
  /** How `embed` pools by default; several are concatenated. */
  pooling: Pooling[];
  /** Numbers per embedding (of a multi-vector model: per token embedding; of a sparse one: with its zeros). */
  embeddingSize: number;
  /** Prompts that `embed` can put before a text, by name ({ query: 'search_query: ' }); `defaultPrompt` names the one it uses by default. */
  prompts: Record<string, string>;
  defaultPrompt: string | undefined;
  /** Which of the prompts the option `kind` uses for queries and for documents; undefined: none. */
  promptNames: Record<Kind, string | undefined>;
  /** The metric that the embeddings were trained for. */
  similarity: Metric | 'MaxSim';
  /** Most tokens of a query and a document of a multi-vector (ColBERT) model; undefined for others. */
  multiVector: { queryLength: number; documentLength: number } | undefined;
  /** The mask token as written in a text (`[MASK]`, `<mask>`); undefined if the tokenizer has none. */
  maskToken: string | undefined;
  /** Without names, and with a description that says so, if the checkpoint is a table of tokens, which needs no GPU. */
  adapter: { vendor: string; architecture: string; device: string; description: string };
  profile: ProfileName;
  /** What computes in place of a GPU, if the model was loaded by `modernbert-webgpu/fallback` where there is no WebGPU. */
  fallback?: 'transformers.js';
  /** The names of the option `adapters`, and which of them is in use; undefined: the base alone. */
  loraAdapters: string[];
  loraAdapter: string | undefined;
  /** Usually empty. See docs/guide/loading.md. */
  replaced: ReplacedKernel[];
  /** Optional WebGPU features that the kernels use. */
  features: string[];
  /** The commit of all files, if the server reported it. */
  commit: string | undefined;
  cache: CacheUse;
}

export interface Model extends Calls {
  readonly info: ModelInfo;
  memory(): MemoryUse;
  /**
   * Uses another one of the option `adapters`, or without a name the base alone; nothing is downloaded again. Calls made before run with the adapter
   * that they were made with, later ones wait for the new. Meanwhile there is GPU memory for both. Resolves to the new `info`: an adapter may have its
   * own head, labels and prompts. If it rejects, the model keeps the adapter that it had. Throws a RangeError for an unknown name.
   */
  setAdapter(name?: string): Promise<ModelInfo>;
  /**
   * Lets go of the GPU memory until the next call, as `keepAlive` does; resolves when that is done. Calls under way are answered first. `memory()` then
   * says 0 for weights and activations; `info` and the tokenizer stay. Does nothing for a table of tokens and without WebGPU: they have none there.
   */
  release(): Promise<void>;
  /**
   * Makes the next calls fast: loads a released model again, and runs a short text through what the checkpoint's own calls need with their usual
   * options, which the browser compiles at its first use. Then it does what `autotune` has left for later: on a card that the model is new to, that
   * takes some seconds, in which calls are answered. Rejects as a call does.
   */
  warm(): Promise<void>;
  /** Frees all GPU memory. Waiting calls reject. Never rejects itself; a second time it does nothing. */
  dispose(): Promise<void>;
}
