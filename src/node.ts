import { createHash } from 'node:crypto';
import { WebGPUUnavailableError } from './api/errors';
import { checkOptions, FILE_OPTIONS, LOAD_OPTIONS, type OptionNames } from './api/options';
import type { Support } from './api/support';
import type { CachedModel, Dtype, DtypeName, FileOptions, LoadOptions, Model, ModelSource } from './api/types';
import { convertToFolder } from './formats/convert-folder';
import { dtypeNamed } from './model/choose-dtype';
import { quantizedTensors } from './model/quantized-tensors';
import { filesWithAdapter } from './session/adapters';
import { openModel } from './session/open';
import { supportOf } from './session/support';
import { folderFiles } from './sources/folder';
import type { SourceOptions } from './sources/source';
import { deleteEntries, listEntries } from './store/entries';
import { folderStore } from './store/folder';
import { filePlans } from './store/plans-folder';

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
export { maxSim, type SearchMaxSimOptions, searchMaxSim, similarity } from './similarity';
export { type SparseHit, type SparseIndex, sparseDot, sparseIndex, sparseSimilarity } from './sparse';

/** `cacheFolder`: where models are kept, by default `modernbert-webgpu/models` in the user's cache folder. */
export interface NodeCacheOptions {
  cacheFolder?: string;
}

export interface NodeLoadOptions extends LoadOptions, NodeCacheOptions {
  /** Dawn's options, such as 'backend=vulkan' or 'enable-dawn-features=allow_unsafe_apis'. With them, Deno uses Dawn too. */
  dawn?: string[];
}

const LOAD_NAMES: OptionNames<NodeLoadOptions> = { ...LOAD_OPTIONS, dawn: true, cacheFolder: true };
const CONVERT_NAMES: OptionNames<ConvertOptions> = { ...FILE_OPTIONS, dtype: true, adapter: true };

/**
 * Loads a checkpoint in Node, on Dawn (npm `webgpu`), or in Deno, on its own WebGPU; without a worker, otherwise as in the browser. `source` may also
 * be a local folder. Throws a WebGPUUnavailableError if there is no WebGPU and the package `webgpu` is not installed.
 */
export async function loadModel(source: ModelSource, options: NodeLoadOptions = {}): Promise<Model> {
  checkOptions('loadModel', options, LOAD_NAMES);
  return openModel(source, { ...places(options), plans: filePlans() });
}

/**
 * Whether `source`, or without one any model, would run here, and what it takes. `options`: those that `loadModel` will get. Reads the checkpoint's
 * config files and the header of its weights. Resolves also if there is no support, and then says why. Rejects for what is no source or option
 * (TypeError, RangeError), or with the reason of `signal`.
 */
export async function isSupported(source?: ModelSource, options: NodeLoadOptions = {}): Promise<Support> {
  checkOptions('isSupported', options, LOAD_NAMES);
  return supportOf(source, places(options));
}

/** The options with a GPU and with where models are, and are kept. */
function places({ dawn, cacheFolder, ...rest }: NodeLoadOptions) {
  const gpu = rest.gpu ?? (dawn ? undefined : globalThis.navigator?.gpu) ?? (() => dawnGpu(dawn ?? []));
  return { ...rest, gpu, ...local, store: folderStore(cacheFolder) };
}

/** What Node provides in place of the browser. */
const local: Pick<SourceOptions, 'folder' | 'sha256'> = { folder: folderFiles, sha256: () => createHash('sha256') };

/** By their options. GPU objects are never collected, so there is one for all models. */
const gpus = new Map<string, GPU>();

/** The package has a native part, so it is imported only when a GPU is needed. */
async function dawnGpu(options: string[]): Promise<GPU> {
  try {
    const { create } = await import('webgpu');
    const key = JSON.stringify(options);
    const gpu = gpus.get(key) ?? create(options);
    gpus.set(key, gpu);
    return gpu;
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code !== 'ERR_MODULE_NOT_FOUND') throw cause;
    throw new WebGPUUnavailableError('WebGPU in Node comes from the npm package webgpu: npm install webgpu', { cause });
  }
}

export interface ConvertOptions extends FileOptions {
  /** The dtype of the converted weights: see docs/guide/dtypes.md. */
  dtype: Dtype | DtypeName;
  /** A LoRA adapter to merge into the weights first: as for `loadModel`. */
  adapter?: ModelSource;
}

/**
 * Writes a checkpoint with converted weights and all its other files into a new folder, in a few MB of memory and without a GPU. The folder of a
 * LoRA adapter is merged into the base that it names. The result appears when it is complete. Resolves to the size of its weights in bytes. Throws a RangeError if `folder` is not empty, a ModelFileError for a
 * broken or already converted checkpoint, an UnsupportedModelError for one that cannot be quantised, or the reason of `signal`.
 */
export async function convertModel(
  source: ModelSource,
  folder: string,
  options: ConvertOptions,
): Promise<{ bytes: number }> {
  checkOptions('convertModel', options, CONVERT_NAMES);
  const { dtype: name, adapter, ...rest } = options;
  const dtype = dtypeNamed(name);
  if (dtype === 'auto') throw new RangeError("dtype 'auto' is for loading; name f32, f16, q8 or q4.");
  const files = await filesWithAdapter(source, adapter, { ...rest, ...local });
  return convertToFolder(files, dtype, folder, quantizedTensors, rest);
}

/** The models kept in the folder, most recently used first. */
export const listCached = ({ cacheFolder }: NodeCacheOptions = {}): Promise<CachedModel[]> =>
  listEntries(folderStore(cacheFolder));

/** Deletes one entry, or all entries of a source. Resolves to the bytes freed; 0 if there was none. */
export const deleteCached = (which: CachedModel | string, { cacheFolder }: NodeCacheOptions = {}): Promise<number> =>
  deleteEntries(folderStore(cacheFolder), which);
