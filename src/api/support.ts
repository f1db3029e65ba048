/** What `isSupported` answers. */
import type { Dtype, Task } from './types';

/**
 * Why a model would not run. `no-webgpu`: the browser has none, or it is turned off. `insecure-context`: the page came over http, where browsers hide
 * WebGPU. `no-adapter`: WebGPU finds no graphics adapter. `no-device`: the adapter gives no device, or one that lacks what the options ask for.
 * `worker-without-webgpu`: the page has WebGPU, its workers do not. `too-little-memory`: a buffer would exceed the device's limits, or the weights a
 * quarter of the machine's memory. `model-not-supported`: what `loadModel` would throw an UnsupportedModelError or a ModelFileError for.
 */
export type UnsupportedReason =
  | 'no-webgpu'
  | 'insecure-context'
  | 'no-adapter'
  | 'no-device'
  | 'worker-without-webgpu'
  | 'too-little-memory'
  | 'model-not-supported';

export interface Support {
  supported: boolean;
  /** If it is not. */
  reason?: UnsupportedReason;
  /** What is wrong and what to do, in a sentence or two; also if all that is wrong is a software adapter, on which models are slow. */
  message?: string;
  /** Missing if there is none, or none was asked for: a table of tokens needs no GPU. */
  adapter?: SupportedAdapter;
  /** Of the checkpoint that was asked about. Missing if it cannot be loaded, or there is nothing to load it on. */
  model?: SupportedModel;
}

/** The adapter that a model would run on. Firefox leaves its names empty. */
export interface SupportedAdapter {
  vendor: string;
  architecture: string;
  device: string;
  description: string;
  /** Whether it is the CPU that computes. */
  isSoftware: boolean;
  /** Of the features that the kernels can use, those that it has. */
  features: string[];
  /** The device's limits, in bytes. */
  maxBufferSize: number;
  maxStorageBufferBindingSize: number;
}

/** A checkpoint as `loadModel` would load it here, with the same options. */
export interface SupportedModel {
  task: Task;
  /** config.json's model_type; of a table of tokens the class of its module. */
  architecture: string;
  dtype: Dtype;
  /** See `ModelInfo`; undefined if only tokenizer.json says it, as for some tables of tokens. */
  maxTokens: number | undefined;
  /** Whether it is on this device, so that it loads without a network. */
  cached: boolean;
  /** Bytes that a load would fetch, as far as the server tells their number: all files, weights included. 0 if they are on this device already. */
  downloadBytes: number;
  /** Bytes of GPU memory for weights: `Model.memory().weights` after the load. */
  weightBytes: number;
  /** Bytes of GPU memory for weights, and for the activations of a pass as long as it may be (`maxTokensPerPass`). WebGPU does not tell how much there is. */
  gpuBytes: number;
}
