/** The worker's script: one model, driven by the page (session/client.ts). */
import { expose } from 'comlink';
import type { LoadOptions, Model, ModelSource } from './api/types';
import { openModel } from './session/open';
import { createSession } from './session/worker-session';
import { browserStore } from './store/browser';
import { browserPlans } from './store/plans-browser';

const here = { gpu: navigator.gpu, plans: browserPlans, store: browserStore };

/** @internal For shared-worker.ts, which runs this script and then more. */
export const load = (source: ModelSource, options: LoadOptions): Promise<Model> =>
  openModel(source, { ...options, ...here });

expose(
  createSession(load, async (source, options) =>
    (await import('./session/support')).supportOf(source, { ...options, ...here }),
  ),
);
