/** The map's worker: see worker.ts. */
export const startMapWorker = (): Worker =>
  new Worker(new URL('./worker.ts', import.meta.url), { type: 'module', name: 'map' });
