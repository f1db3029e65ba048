/**
 * The database's worker: Postgres as WebAssembly with pgvector, kept in IndexedDB. With several tabs, one of their workers runs it for all.
 * A worker has the CSP of its own response: only this file needs 'wasm-unsafe-eval'.
 */
import { PGlite } from '@electric-sql/pglite';
import { worker } from '@electric-sql/pglite/worker';
import { vector } from '@electric-sql/pglite-pgvector';

const fail = (reason: unknown) =>
  postMessage({ type: 'failed', message: reason instanceof Error ? reason.message : String(reason) });

// Where the policy refuses WebAssembly, PGlite says so to nobody and waits.
addEventListener('unhandledrejection', ({ reason }) => fail(reason));

void worker({
  async init({ dataDir }) {
    try {
      return await PGlite.create({ dataDir, extensions: { vector }, relaxedDurability: true });
    } catch (error) {
      fail(error);
      throw error;
    }
  },
});
