/**
 * Embedding on many machines: a pg-boss queue in the index's database. A job is a share of chunks. Storing their vectors and completing
 * the job are one transaction, so a share is either done or not, whatever happens to its worker.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import type { Model } from 'modernbert-webgpu/node';
import type { Db } from 'pg-boss';
import { type Share, storeEmbeddings, waitingShare, waitingShares } from './passages/documents';
import { embedPassages } from './passages/fill';
import type { Sql } from './passages/schema';
import { optional, type Server } from './postgres';

const QUEUE = 'modernbert-webgpu-passages';
/** Milliseconds between polls of an empty queue. */
const POLL = 1000;
/** A share that failed this many more times is left to a human. */
const RETRIES = 5;

const through = (sql: Sql): Db => ({ executeSql: (text, values) => sql.query(text, values) });

async function openQueue(server: Server) {
  const { default: PgBoss } = await optional(() => import('pg-boss'), 'pg-boss@10');
  const boss = new PgBoss({ db: through(server), supervise: false, schedule: false });
  await boss.start();
  await boss.createQueue(QUEUE, { name: QUEUE, policy: 'short' }); // one queued job per key
  return boss;
}

/** Queues all chunks without an embedding and returns the number of shares. After `seconds`, an unfinished share goes to another worker. */
export async function enqueueWaiting(server: Server, seconds: number): Promise<number> {
  const boss = await openQueue(server);
  try {
    return await server.transaction(async (sql) => {
      const shares = await waitingShares(sql);
      const jobs = shares.map((share) => ({
        name: QUEUE,
        data: share,
        expireInSeconds: seconds,
        retryLimit: RETRIES,
        // Do not queue a share twice.
        singletonKey: `${share.document} ${share.from}`,
      }));
      if (jobs.length > 0) await boss.insert(jobs, { db: through(sql) });
      return jobs.length;
    });
  } finally {
    await boss.stop({ graceful: false, close: false });
  }
}

/** Works until no share is left. Waits for the shares of other workers too, as they may fail. */
export async function workQueue(
  server: Server,
  model: Pick<Model, 'embed' | 'info'>,
  { signal, onShare }: { signal: AbortSignal; onShare(chunks: number): void },
): Promise<void> {
  const boss = await openQueue(server);
  try {
    for (;;) {
      signal.throwIfAborted();
      const [job] = await boss.fetch<Share>(QUEUE);
      if (!job) {
        await boss.expire(); // releases the shares of dead workers
        if ((await boss.getQueueSize(QUEUE, { before: 'completed' })) === 0) return;
        await sleep(POLL, undefined, { signal });
        continue;
      }
      try {
        const chunks = await waitingShare(server, job.data);
        const texts = chunks.map(({ text }) => text);
        // Empty if another worker has done the share in the meantime.
        const embeddings = texts.length > 0 ? await embedPassages(model, texts, signal) : undefined;
        await server.transaction(async (sql) => {
          if (embeddings) await storeEmbeddings(sql, chunks, embeddings.row);
          await boss.complete(QUEUE, job.id, {}, { db: through(sql) });
        });
        onShare(chunks.length);
      } catch (error) {
        await boss.fail(QUEUE, job.id, { message: String(error) }); // frees it for another worker at once
        throw error;
      }
    }
  } finally {
    await boss.stop({ graceful: false, close: false });
  }
}
