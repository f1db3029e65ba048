/** Entry with the worker inside, `modernbert-webgpu/inline`: for bundlers that copy no workers, and for scripts of another origin. */
import type { Model, ModelSource } from './api/types';
import { type BrowserLoadOptions, loadModel as load } from './index';
import { inlineWorker } from './inline-worker';

export * from './index';

/**
 * As `loadModel` of modernbert-webgpu, but the worker starts from a Blob. A content security policy must allow that: `worker-src blob:`.
 */
export const loadModel = (source: ModelSource, options: BrowserLoadOptions = {}): Promise<Model> => {
  const { worker = true } = options;
  return load(source, { ...options, worker: worker === true ? inlineWorker : worker });
};
