/**
 * Embedding shared out among machines: a pg-boss queue in the index's own database. A job names chunks; storing their vectors and
 * completing the job are one transaction, so a share is done or not, whatever happens to its worker.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import type { Model } from 'modernbert-webgpu/node';
import type { Db } from 'pg-boss';
import { type Share, storeEmbeddings, waitingShare, waitingShares } from './passages/documents';
import { embedPassages } from './passages/fill';
import type { Sql } from './passages/schema';
import { optional, type Server } from './postgres';

const QUEUE = 'modernbert-webgpu-passages';
/** Milliseconds between two looks into an empty queue. */
const POLL = 1000;
/** A share that made so many workers fail is left for a human. */
const RETRIES = 5;

const through = (sql: Sql): Db => ({ executeSql: (text, values) => sql.query(text, values) });

async function openQueue(server: Server) {
  const { default: PgBoss } = await optional(() => import('pg-boss'), 'pg-boss@10');
  const boss = new PgBoss({ db: through(server), supervise: false, schedule: false });
  await boss.start();
  await boss.createQueue(QUEUE, { name: QUEUE, policy: 'short' }); // one queued job a key
  return boss;
}

/** Puts every chunk that waits into the queue, in shares; `seconds` until a share whose worker is silent goes to another. Gives their number. */
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
        // A share that is queued already is not queued again.
        singletonKey: `${share.document} ${share.from}`,
      }));
      if (jobs.length > 0) await boss.insert(jobs, { db: through(sql) });
      return jobs.length;
    });
  } finally {
    await boss.stop({ graceful: false, close: false });
  }
}

/** Takes shares until none is left anywhere: what other workers have in hand is waited for, in case they do not finish. */
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
        await boss.expire(); // shares of workers that are gone
        if ((await boss.getQueueSize(QUEUE, { before: 'completed' })) === 0) return;
        await sleep(POLL, undefined, { signal });
        continue;
      }
      try {
        const chunks = await waitingShare(server, job.data);
        const texts = chunks.map(({ text }) => text);
        const embeddings = texts.length > 0 ? await embedPassages(model, texts, signal) : undefined; // none: done by another meanwhile
        await server.transaction(async (sql) => {
          if (embeddings) await storeEmbeddings(sql, chunks, embeddings.row);
          await boss.complete(QUEUE, job.id, {}, { db: through(sql) });
        });
        onShare(chunks.length);
      } catch (error) {
        await boss.fail(QUEUE, job.id, { message: String(error) }); // for another worker, at once
        throw error;
      }
    }
  } finally {
    await boss.stop({ graceful: false, close: false });
  }
}
