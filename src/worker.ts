/** The worker's script: one model, driven by the page through client.ts. */
import { expose } from 'comlink';
import { loadEncoder } from './encoder';
import { browserStore } from './files/store-browser';
import { browserPlans } from './plan-store';
import { createSession } from './worker-session';

expose(
  createSession((source, options) =>
    loadEncoder(source, { ...options, gpu: navigator.gpu, plans: browserPlans, store: browserStore }),
  ),
);
