import { create } from 'webgpu';
import type { LoadOptions, Model, ModelSource } from './api';
import { loadEncoder } from './encoder';
import { folderFiles } from './files/folder';
import { filePlans } from './plan-file';

export type * from './api';
export { DeviceLostError, ModelFileError, UnsupportedModelError, WebGPUUnavailableError } from './errors';

/**
 * Loads a checkpoint in Node, on Dawn (npm `webgpu`), without a worker; otherwise as in the browser (see api.ts). `source` may also be
 * a local folder. `dawn`: Dawn options such as 'backend=vulkan' or 'enable-dawn-features=allow_unsafe_apis'.
 */
export function loadModel(source: ModelSource, options: LoadOptions & { dawn?: string[] } = {}): Promise<Model> {
  const { dawn = [], ...rest } = options;
  return loadEncoder(source, { ...rest, gpu: rest.gpu ?? create(dawn), folder: folderFiles, plans: filePlans() });
}
