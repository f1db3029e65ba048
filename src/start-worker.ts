/** Starts the library's worker. Bundlers look for this expression; in the built library worker.js is beside index.js, as here. */
export const startWorker = (): Worker =>
  new Worker(new URL('./worker.js', import.meta.url), { type: 'module', name: 'modernbert-webgpu' });
