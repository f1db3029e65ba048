/** Entry for the browser: `modernbert-webgpu`. */
import type { CachedModel } from './api/types';

export type * from './api/calls';
export type * from './api/embeddings';
export {
  DeviceFaultError,
  DeviceLostError,
  ModelFileError,
  NumericError,
  UnsupportedModelError,
  WebGPUUnavailableError,
  WorkerError,
} from './api/errors';
export type * from './api/types';
export { type BatchOptions, inBatches } from './in-batches';
export { type PackedBits, type PackedVectors, packVectors } from './packed-vectors';
export { type BrowserLoadOptions, loadModel } from './session/client';
export { maxSim, type SearchMaxSimOptions, searchMaxSim, similarity } from './similarity';
export { type SparseHit, type SparseIndex, sparseDot, sparseIndex, sparseSimilarity } from './sparse';

/** The models that this origin keeps on the device, most recently used first. */
export const listCached = async (): Promise<CachedModel[]> => (await import('./session/cached')).list();

/** Deletes one entry, or all entries of a source, once no load reads them. Resolves to the bytes freed; 0 if there was none. */
export const deleteCached = async (which: CachedModel | string): Promise<number> =>
  (await import('./session/cached')).remove(which);
