import { PGlite } from '@electric-sql/pglite';
import { vector } from '@electric-sql/pglite-pgvector';
import type { Chunk, Model } from 'modernbert-webgpu/node';
import { expect, it } from 'vitest';
import { indexSize } from './documents';
import { embedWaiting, indexModelOf, nextSize, storeDocument } from './fill';
import { openIndex } from './schema';

/** Passages are sentences, embeddings hold their length. */
function fakeModel(onEmbed: (texts: string[]) => void): Model {
  const model = {
    info: { dtype: 'f32', embeddingSize: 2, maxTokens: 64, prompts: { document: 'd: ', query: 'q: ' } },
    async chunk(text: string, { maxTokens }: { maxTokens: number }): Promise<Chunk[]> {
      expect(maxTokens).toBe(64); // the model's limit, below the usual 128
      return [...text.matchAll(/[^.]+\.?/g)].map(([part], i, all) => {
        const start = all.slice(0, i).join('').length;
        return { text: part, start, end: start + part.length, tokens: 5 };
      });
    },
    async embed(texts: string[], { signal, kind }: { signal?: AbortSignal; kind?: string }) {
      signal?.throwIfAborted();
      expect(kind).toBe('document');
      onEmbed(texts);
      const row = (i: number) => Float32Array.from([texts[i].length, 1]);
      return { row };
    },
  };
  return model as unknown as Model;
}

it('stores everything first and embeds until stopped; the next run does the rest and nothing twice', async () => {
  const db = await PGlite.create({ extensions: { vector } });
  const controller = new AbortController();
  const embedded: string[] = [];
  const model = fakeModel((texts) => {
    embedded.push(...texts);
    if (embedded.length === 2) controller.abort();
  });
  await db.transaction((sql) => openIndex(sql, indexModelOf('fake', model)));
  const document = { name: 'a', text: 'One. Two\0. Three. Four. Five.' };
  await storeDocument(db, model, document);
  expect(await indexSize(db)).toEqual({ documents: 1, chunks: 5, waiting: 5 });
  const { signal } = controller;
  await expect(embedWaiting(db, model, { signal })).rejects.toThrow(expect.objectContaining({ name: 'AbortError' }));
  expect(await indexSize(db)).toEqual({ documents: 1, chunks: 5, waiting: 3 });
  await storeDocument(db, model, document);
  const progress: [number, number][] = [];
  await embedWaiting(db, model, { onProgress: (...at) => progress.push(at) });
  expect([progress[0], progress.at(-1)]).toEqual([
    [2, 5],
    [5, 5],
  ]);
  expect(embedded).toEqual(['One.', ' Two\uFFFD.', ' Three.', ' Four.', ' Five.']);
  const { rows } = await db.query('SELECT embedding::text FROM passages.chunks ORDER BY position');
  expect(rows.map((row) => (row as { embedding: string }).embedding)).toEqual(embedded.map((t) => `[${t.length},1]`));
  await db.close();
}, 60_000);

it('aims at batches of about a second', () => {
  expect([nextSize(2, 10), nextSize(256, 10), nextSize(8, 900), nextSize(8, 5000), nextSize(1, 60_000)]).toEqual([
    4, 256, 8, 4, 1,
  ]);
});
