/** Entry for the browser: `modernbert-webgpu`. */
export type {
  Arithmetic,
  CallOptions,
  Candidate,
  Dtype,
  Embeddings,
  FileOptions,
  ForwardOptions,
  LabelScore,
  LoadOptions,
  MaskResult,
  MemoryUse,
  Model,
  ModelInfo,
  ModelSource,
  OutputName,
  Pooling,
  Progress,
  Task,
  Tensor,
  TokenBatch,
  TokenLabel,
  Tokens,
} from './api';
export { type BrowserLoadOptions, loadModel } from './client';
export { DeviceLostError, ModelFileError, UnsupportedModelError, WebGPUUnavailableError } from './errors';
