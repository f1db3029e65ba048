/** The tab's worker: see worker.ts. */
export const startCalculator = (): Worker =>
  new Worker(new URL('./worker.ts', import.meta.url), { type: 'module', name: 'embeddings' });
