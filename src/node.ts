import { create } from 'webgpu';
import type { CachedModel, LoadOptions, Model, ModelSource } from './api';
import { loadEncoder } from './encoder';
import { folderFiles } from './files/folder';
import { deleteEntries, listEntries } from './files/store';
import { folderStore } from './files/store-folder';
import { filePlans } from './plan-file';

export type * from './api';
export { DeviceLostError, ModelFileError, UnsupportedModelError, WebGPUUnavailableError } from './errors';
export { maxSim, similarity } from './similarity';

/** `cacheFolder`: where models are kept, by default `modernbert-webgpu/models` in the user's cache folder. */
export interface NodeCacheOptions {
  cacheFolder?: string;
}

export interface NodeLoadOptions extends LoadOptions, NodeCacheOptions {
  /** Dawn's options, such as 'backend=vulkan' or 'enable-dawn-features=allow_unsafe_apis'. */
  dawn?: string[];
}

/**
 * Loads a checkpoint in Node, on Dawn (npm `webgpu`), without a worker; otherwise as in the browser (see api.ts). `source` may also be
 * a local folder.
 */
export function loadModel(source: ModelSource, options: NodeLoadOptions = {}): Promise<Model> {
  const { dawn = [], cacheFolder, ...rest } = options;
  const places = { folder: folderFiles, plans: filePlans(), store: folderStore(cacheFolder) };
  return loadEncoder(source, { ...rest, gpu: rest.gpu ?? create(dawn), ...places });
}

/** The models that are kept in the folder, the one used last first. */
export const listCached = ({ cacheFolder }: NodeCacheOptions = {}): Promise<CachedModel[]> =>
  listEntries(folderStore(cacheFolder));

/** Deletes one entry, or all of a source. Gives the bytes that this frees; 0 where there was none. */
export const deleteCached = (which: CachedModel | string, { cacheFolder }: NodeCacheOptions = {}): Promise<number> =>
  deleteEntries(folderStore(cacheFolder), which);
