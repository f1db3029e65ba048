import { afterAll, beforeAll, expect, it } from 'vitest';
import { sampleDocuments } from '../../tools/sample.mjs';
import type { Model } from '../api/types';
import { publicModel } from '../model/fixtures/golden';
import { createIndex, importIndex } from '../search';
import { loadTestModel } from '../session/fixtures';
import { similarity } from '../similarity';
import { pack } from '../tasks/embedding-precision';
import { memoryStore } from './fixtures';
import { nearest } from './nearest';
import { VectorTable } from './vector-table';

const chapters = sampleDocuments();
const sentences = chapters
  .flatMap(({ text }) => text.match(/[A-Z][^.?!]{50,130}[.?!]/g) ?? [])
  .filter((_, i) => i % 4 === 0);

let model: Model;
beforeAll(async () => {
  model = await loadTestModel(publicModel('nano-embed'));
});
afterAll(() => model?.dispose());

it('an index of chapters: passages of real vectors, kept in a store, exported and imported', async () => {
  const store = memoryStore();
  const options = { store, chunk: { maxTokens: 64, overlap: 8 }, precision: 'int8' } as const;
  const index = await createIndex<{ chapter: number }>(model, options);
  const documents = chapters
    .slice(3, 7)
    .map(({ id, text }, i) => ({ id, text: text.slice(0, 1500), metadata: { chapter: i } }));
  await index.add(documents);
  expect(index.passages).toBeGreaterThan(documents.length * 4);
  for (const { id, text, metadata } of documents) {
    const start = text.indexOf(' ', 700) + 1;
    const query = text.slice(start, text.indexOf(' ', start + 150));
    for (const mode of ['vectors', 'words', 'hybrid'] as const) {
      const [hit] = await index.search(query, { mode });
      expect(hit, mode).toMatchObject({ id, metadata });
      const { start: from, end } = hit.passage!;
      expect(from).toBeLessThan(start + query.length);
      expect(end).toBeGreaterThan(start);
    }
    const filter = ({ chapter }: { chapter: number }) => chapter !== metadata.chapter;
    expect(await index.search(query, { filter })).not.toContainEqual(expect.objectContaining({ id }));
  }
  const query = 'the streets of the town at night';
  const expected = await index.search(query);
  expect(await (await createIndex(model, options)).search(query)).toEqual(expected);
  expect(await (await importIndex(model, await index.export())).search(query)).toEqual(expected);
  await expect(createIndex(model, { ...options, dimensions: 64 })).rejects.toThrow(
    /was made with dimensions 256, not 64|embedding space/,
  );
});

it('recall of the 10 nearest in int8 and binary, against float32', async () => {
  const [texts, queries] = [sentences.slice(0, 800), sentences.slice(800, 840)];
  expect([texts.length, queries.length]).toEqual([800, 40]);
  const documents = await model.embed(texts, { kind: 'document', normalize: true });
  const asked = await model.embed(queries, { kind: 'query', normalize: true });
  const { dim } = documents;
  const scores = similarity(asked, documents);
  const recallOf = (precision: 'float32' | 'int8' | 'binary') => {
    const packed = (data: Float32Array) => (precision === 'float32' ? data : pack('int8', dim, undefined)(data));
    const table = new VectorTable(precision, dim);
    for (let i = 0; i < texts.length; i++) table.push(packed(documents.row(i)));
    let found = 0;
    for (const [q, own] of scores.entries()) {
      const best = Array.from(own, (score, row) => ({ score, row }))
        .sort((a, b) => b.score - a.score)
        .slice(0, 10);
      const rows = new Set(nearest(packed(asked.row(q)), table, 10).map(({ row }) => row));
      found += best.filter(({ row }) => rows.has(row)).length;
    }
    return found / (10 * queries.length);
  };
  expect(recallOf('float32')).toBe(1);
  expect(recallOf('int8')).toBeGreaterThan(0.97);
  expect(recallOf('binary')).toBeGreaterThan(0.95);
});
