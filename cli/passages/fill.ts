/** Fills an index: documents in, embeddings after them. What is stored is done; the rest waits for the next run, here or elsewhere. */
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

/** PGlite as it is; `pg` needs a few lines. */
export interface Database extends Sql {
  transaction<T>(work: (sql: Sql) => Promise<T>): Promise<T>;
}

/** Passages that are short enough to be read at a glance, in tokens. */
export const PASSAGE = { maxTokens: 128, overlap: 16 };

/** A batch should take about this long: then progress moves, Cancel is prompt, and a query does not wait. Milliseconds. */
const BATCH_TIME = 1000;
const MOST = 256;

/** What the index must remember of a model. */
export const indexModelOf = (name: string, { info }: Model): IndexModel => ({
  name,
  dtype: info.dtype,
  dim: info.embeddingSize,
});

/** What stands before passages, or before queries, by the names that sentence-transformers' files give it; undefined: the default. */
export const promptName = ({ info }: Pick<Model, 'info'>, role: 'document' | 'query'): string | undefined =>
  (role === 'query' ? ['query', 'search_query'] : ['document', 'passage', 'search_document']).find((name) =>
    Object.hasOwn(info.prompts, name),
  );

/** Embeddings of passages. */
export const embedPassages = (model: Pick<Model, 'embed' | 'info'>, texts: string[], signal?: AbortSignal) =>
  model.embed(texts, { signal, promptName: promptName(model, 'document'), truncate: true });

/** Cuts a document into passages and stores them without embeddings; a document that is there already is left alone. */
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

/** Embeds what waits. `onProgress` hears after every batch: chunks that are done, of all in the index. */
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

/** Twice as many chunks while a batch is quick, fewer when it was slow. */
export function nextSize(size: number, ms: number): number {
  if (ms < BATCH_TIME / 2) return Math.min(2 * size, MOST);
  if (ms > 2 * BATCH_TIME) return Math.max(Math.floor(size / 2), 1);
  return size;
}
