/**
 * Starts the worker that all tabs share, or the same script for one tab, which computes for all of them where the shared one has no WebGPU.
 * Bundlers look for these expressions. The build puts a hash of the scripts into the name: a tab of a newer version gets a worker of its own.
 */
export const startSharedWorker = (): SharedWorker =>
  new SharedWorker(new URL('./shared-worker.js', import.meta.url), { type: 'module', name: 'modernbert-webgpu' });

export const startLeader = (): Worker =>
  new Worker(new URL('./shared-worker.js', import.meta.url), { type: 'module', name: 'modernbert-webgpu leader' });
