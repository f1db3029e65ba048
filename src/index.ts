/** Entry for the browser: `modernbert-webgpu`. */
import type { CachedModel } from './api';

export type * from './api';
export type * from './api-calls';
export { type BrowserLoadOptions, loadModel } from './client';
export { DeviceLostError, ModelFileError, UnsupportedModelError, WebGPUUnavailableError } from './errors';
export { maxSim, similarity } from './similarity';

/** The models that this origin keeps on the device, the one used last first. */
export const listCached = async (): Promise<CachedModel[]> => (await import('./cached')).list();

/** Deletes one entry, or all of a source, as soon as no load reads it. Gives the bytes that this frees; 0 where there was none. */
export const deleteCached = async (which: CachedModel | string): Promise<number> =>
  (await import('./cached')).remove(which);
