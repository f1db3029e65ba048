/** Entry for the browser: `modernbert-webgpu`. */
import type { CachedModel } from './api/types';

export type * from './api/calls';
export { DeviceLostError, ModelFileError, UnsupportedModelError, WebGPUUnavailableError } from './api/errors';
export type * from './api/types';
export { type BrowserLoadOptions, loadModel } from './session/client';
export { maxSim, similarity } from './similarity';

/** The models that this origin keeps on the device, the one used last first. */
export const listCached = async (): Promise<CachedModel[]> => (await import('./session/cached')).list();

/** Deletes one entry, or all of a source, as soon as no load reads it. Gives the bytes that this frees; 0 where there was none. */
export const deleteCached = async (which: CachedModel | string): Promise<number> =>
  (await import('./session/cached')).remove(which);
