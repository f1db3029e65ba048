/** The worker's script: one model, driven by the page (session/client.ts). */
import { expose } from 'comlink';
import { openModel } from './session/open';
import { createSession } from './session/worker-session';
import { browserStore } from './store/browser';
import { browserPlans } from './store/plans-browser';

const here = { gpu: navigator.gpu, plans: browserPlans, store: browserStore };

expose(
  createSession(
    (source, options) => openModel(source, { ...options, ...here }),
    async (source, options) => (await import('./session/support')).supportOf(source, { ...options, ...here }),
  ),
);
