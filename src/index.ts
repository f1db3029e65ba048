/** Entry for the browser: `modernbert-webgpu`. */
import type { Support } from './api/support';
import type { CachedModel, ModelSource } from './api/types';
import type { BrowserLoadOptions } from './session/client';
import { absoluteSource, connectTo, taken } from './session/to-worker';
import { workerParts } from './worker-parts';

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
export type * from './api/support';
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

/**
 * Whether `source`, or without one any model, would run here, and what it takes: asked before anything is downloaded. `options`: those that
 * `loadModel` will get. Without a source it uses no network but for the library's own worker; with one it reads the checkpoint's config files and
 * the header of its weights. See docs/guide/support.md.
 *
 * Resolves also if there is no support, and then says why. Rejects for what is no source or option (TypeError, RangeError), with a WorkerError if the
 * worker does not start, or with the reason of `signal`.
 */
export const isSupported = async (source?: ModelSource, options: BrowserLoadOptions = {}): Promise<Support> =>
  (await import('./session/ask-support')).ask(
    absoluteSource(source),
    taken('isSupported', options),
    connectTo,
    workerParts,
  );
