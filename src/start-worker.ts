/** Starts the library's worker. Bundlers find it by this text; in the built library worker.js lies beside index.js, as here. */
export const startWorker = (): Worker =>
  new Worker(new URL('./worker.js', import.meta.url), { type: 'module', name: 'modernbert-webgpu' });
