/** Fills an index: first documents, then embeddings. A run can stop at any time; the next, here or elsewhere, does the rest. */
import type { Model } from 'modernbert-webgpu/node';
import {
  addDocument,
  type Document,
  documentId,
  hasDocument,
  indexSize,
  storable,
  storeEmbeddings,
  waitingChunks,
} from './documents';
import type { IndexModel, Sql } from './schema';

/** PGlite is one; connect in ../postgres.ts makes one of `pg`. */
export interface Database extends Sql {
  transaction<T>(work: (sql: Sql) => Promise<T>): Promise<T>;
}

/** Sizes of passages, in tokens: short enough to read at a glance. */
const PASSAGE = { maxTokens: 128, overlap: 16 };

/** Target time per batch in milliseconds: progress moves, Cancel is prompt, and a query waits little. */
const BATCH_TIME = 1000;
/** Most passages per batch. */
const MAX_BATCH = 256;

/** What the index records of its model. */
export const indexModelOf = (name: string, { info }: Model): IndexModel => ({
  name,
  dtype: info.dtype,
  dim: info.embeddingSize,
});

export const embedPassages = (model: Pick<Model, 'embed' | 'info'>, texts: string[], signal?: AbortSignal) =>
  model.embed(texts, { signal, kind: 'document', truncate: true });

/** Cuts a document into passages and stores them without embeddings; skips a document that is already stored. */
export async function storeDocument(
  db: Database,
  model: Pick<Model, 'chunk' | 'info'>,
  { name, text }: Document,
  signal?: AbortSignal,
): Promise<void> {
  const document = { name: storable(name), text: storable(text) };
  const id = await documentId(document);
  if (await hasDocument(db, id)) return;
  const maxTokens = Math.min(PASSAGE.maxTokens, model.info.maxTokens);
  const chunks = await model.chunk(document.text, { ...PASSAGE, maxTokens, signal });
  await db.transaction((sql) => addDocument(sql, id, document, chunks));
}

/** Embeds all chunks without an embedding. `onProgress` gets the embedded and the total chunks of the index, first and after each batch. */
export async function embedWaiting(
  db: Database,
  model: Pick<Model, 'embed' | 'info'>,
  { signal, onProgress }: { signal?: AbortSignal; onProgress?: (done: number, total: number) => void } = {},
): Promise<void> {
  const { chunks, waiting } = await indexSize(db);
  let done = chunks - waiting;
  onProgress?.(done, chunks);
  for (let size = 2; ; ) {
    const batch = await waitingChunks(db, size);
    if (batch.length === 0) return;
    const before = performance.now();
    const texts = batch.map(({ text }) => text);
    const { row } = await embedPassages(model, texts, signal);
    await storeEmbeddings(db, batch, row);
    done += batch.length;
    onProgress?.(done, Math.max(done, chunks));
    size = nextSize(size, performance.now() - before);
  }
}

/** Size of the next batch: twice this one if it was fast, half if it was slow. */
export function nextSize(size: number, ms: number): number {
  if (ms < BATCH_TIME / 2) return Math.min(2 * size, MAX_BATCH);
  if (ms > 2 * BATCH_TIME) return Math.max(Math.floor(size / 2), 1);
  return size;
}
