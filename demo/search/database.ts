import { PGliteWorker } from '@electric-sql/pglite/worker';

/** In IndexedDB: OPFS has too few handles in Safari, and neither needs headers of the server. */
const DATA_DIR = 'idb://modernbert-search';

/** Opens the database in its worker; the first time it is made, which takes seconds. Throws an Error where the browser does not let it. */
export async function openDatabase(): Promise<PGliteWorker> {
  const worker = new Worker(new URL('./database-worker.ts', import.meta.url), { type: 'module', name: 'database' });
  const failed = new Promise<never>((_, reject) => {
    worker.addEventListener('message', ({ data }) => {
      if (data.type === 'failed') reject(new Error(data.message));
    });
    worker.addEventListener('error', ({ message }) => reject(new Error(message || 'its file could not be loaded.')));
  });
  // A name of its own: by default it comes from the worker's address, and two versions of the page would not know of each other.
  const opening = PGliteWorker.create(worker, { dataDir: DATA_DIR, id: DATA_DIR }).then(async (db) => {
    await db.waitReady;
    return db;
  });
  try {
    return await Promise.race([opening, failed]);
  } catch (error) {
    worker.terminate();
    throw new Error(
      `The database could not be opened: ${(error as Error).message} It needs storage for this site, which not every private window has.`,
      { cause: error },
    );
  }
}
