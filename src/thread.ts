/**
 * Entry without a worker, `modernbert-webgpu/thread`: one file that loads no other, for service workers, which can neither start workers nor
 * import later, and for scripts that are in a worker already.
 */
import { checkOptions, LOAD_OPTIONS } from './api/options';
import type { Support } from './api/support';
import type { LoadOptions, Model, ModelSource } from './api/types';
import { openModel } from './session/open';
import { supportOf } from './session/support';
import { browserStore } from './store/browser';
import { browserPlans } from './store/plans-browser';

export * from './index';

/** As `loadModel` of modernbert-webgpu with `worker: false`: the model runs in this thread. */
export async function loadModel(source: ModelSource, options: LoadOptions = {}): Promise<Model> {
  checkOptions('loadModel', options, LOAD_OPTIONS);
  const { gpu = navigator.gpu, ...rest } = options;
  return openModel(source, { ...rest, gpu, plans: browserPlans, store: browserStore });
}

/** As `isSupported` of modernbert-webgpu with `worker: false`. */
export async function isSupported(source?: ModelSource, options: LoadOptions = {}): Promise<Support> {
  checkOptions('isSupported', options, LOAD_OPTIONS);
  const { gpu = navigator.gpu, ...rest } = options;
  return supportOf(source, { ...rest, gpu, store: browserStore });
}
