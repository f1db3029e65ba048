/** Entry with the worker inside, `modernbert-webgpu/inline`: for bundlers that copy no workers, and for scripts of another origin. */
import type { Support } from './api/support';
import type { Model, ModelSource } from './api/types';
import { isSupported as ask, type BrowserLoadOptions, loadModel as load } from './index';
import { inlineWorker } from './inline-worker';

export * from './index';

const inside = (options: BrowserLoadOptions): BrowserLoadOptions => {
  const { worker = true } = options;
  return { ...options, worker: worker === true ? inlineWorker : worker };
};

/**
 * As `loadModel` of modernbert-webgpu, but the worker starts from a Blob. A content security policy must allow that: `worker-src blob:`.
 */
export const loadModel = (source: ModelSource, options: BrowserLoadOptions = {}): Promise<Model> =>
  load(source, inside(options));

/** As `isSupported` of modernbert-webgpu, but the worker that answers starts from a Blob. */
export const isSupported = (source?: ModelSource, options: BrowserLoadOptions = {}): Promise<Support> =>
  ask(source, inside(options));
