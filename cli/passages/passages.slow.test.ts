import { PGlite } from '@electric-sql/pglite';
import { vector } from '@electric-sql/pglite-pgvector';
import type { Chunk } from 'modernbert-webgpu/node';
import { afterAll, beforeAll, beforeEach, expect, it } from 'vitest';
import { addDocument, documentId, indexSize, storable, storeEmbeddings, vectorText, waitingChunks } from './documents';
import { clearIndex, openIndex } from './schema';
import { type SearchMode, search, wordsQuery } from './search';

const MODEL = { name: 'test/tiny', dtype: 'f32', dim: 3 };
const TEXTS = {
  'a.txt': ['The whale rose from the sea.', 'Ships were sinking; "whales" swam by.'],
  "b's\\.txt": [
    'A recipe for bread:\n\tflour, water & <b>salt</b>.',
    "It’s 5 o'clock, C:\\new\\dir",
    'Sailors fear whales 鯨 🐋.',
  ],
};
const VECTORS = [
  [1, 0, 0],
  [0.9, 0.1, 0.30000001192092896],
  [0, 1, 0],
  [0, 0.1, 1],
];

let db: PGlite;

const chunksOf = (texts: string[]): Chunk[] => {
  const starts = texts.map((_, i) => texts.slice(0, i).join('\n').length + (i ? 1 : 0));
  return texts.map((text, i) => ({ text, start: starts[i], end: starts[i] + text.length, tokens: 9 }));
};
const add = async (name: string, texts: string[]) => {
  const document = { name, text: texts.join('\n') };
  const id = await documentId(document);
  await db.transaction((sql) => addDocument(sql, id, document, chunksOf(texts)));
  return id;
};

beforeAll(async () => {
  db = await PGlite.create({ extensions: { vector } });
}, 60_000);
beforeEach(async () => {
  await clearIndex(db);
  await db.transaction((sql) => openIndex(sql, MODEL));
  const ids: string[] = [];
  for (const [name, texts] of Object.entries(TEXTS)) ids.push(await add(name, texts));
  const keys = ids.flatMap((document) => [0, 1].map((position) => ({ document, position })));
  await storeEmbeddings(db, keys, (i) => Float32Array.from(VECTORS[i]));
});
afterAll(() => db.close());

const find = async (text: string, mode: SearchMode, embedding?: number[]) =>
  search(db, { text, mode, limit: 10, embedding: embedding && Float32Array.from(embedding) });
const texts = (found: Awaited<ReturnType<typeof search>>) =>
  found.map(({ pieces }) => pieces.map((p) => p.text).join(''));

it('stores each chunk with its offsets in the document; chunks without an embedding wait', async () => {
  expect(await indexSize(db)).toEqual({ documents: 2, chunks: 5, waiting: 1 });
  const [waiting] = await waitingChunks(db, 10);
  expect(waiting).toMatchObject({ position: 2, text: TEXTS["b's\\.txt"][2] });
  const { rows } = await db.query<{ text: string; whole: string; start_offset: number; end_offset: number }>(
    'SELECT c.text, d.text AS whole, start_offset, end_offset FROM passages.chunks c JOIN passages.documents d ON d.id = document',
  );
  for (const row of rows) expect(row.whole.slice(row.start_offset, row.end_offset)).toBe(row.text);
});

it('adds a document once, and replaces it when its text changes', async () => {
  await add('a.txt', TEXTS['a.txt']);
  expect(await indexSize(db)).toEqual({ documents: 2, chunks: 5, waiting: 1 });
  await add('a.txt', ['old', 'older']);
  await add('a.txt', ['new']);
  expect(await indexSize(db)).toEqual({ documents: 2, chunks: 4, waiting: 2 });
  expect((await waitingChunks(db, 10)).map(({ text }) => text)).toContain('new');
});

it('rejects another model, dtype or dim, and vectors that pgvector cannot index', async () => {
  for (const other of [{ name: 'test/other' }, { dtype: 'q8' }, { dim: 4 }]) {
    await expect(openIndex(db, { ...MODEL, ...other })).rejects.toThrow(/made with test\/tiny \(f32, 3 dimensions\)/);
  }
  await expect(openIndex(db, { ...MODEL, dim: 2048 })).rejects.toThrow(/at most 2000 dimensions; test\/tiny has 2048/);
});

it('searches by meaning, by words (stemmed, last one a prefix), and by both', async () => {
  const [whale, ships, bread] = [TEXTS['a.txt'][0], TEXTS['a.txt'][1], TEXTS["b's\\.txt"][0]];
  const semantic = await find('whaling', 'semantic', [0, 1, 0]);
  expect(texts(semantic)[0]).toBe(bread);
  expect(semantic[0].cosine).toBeCloseTo(1, 6);
  expect(semantic.map(({ words }) => words)).toEqual([undefined, undefined, undefined, undefined]);
  const words = await find('sink sh', 'words');
  expect(texts(words)).toEqual([ships]);
  expect(words[0].pieces.filter((p) => p.match).map((p) => p.text)).toEqual(['Ships', 'sinking']);
  expect(words[0]).toMatchObject({ name: 'a.txt', start: 29, end: 29 + ships.length, cosine: undefined });
  const hybrid = await find('sinking', 'hybrid', [1, 0, 0]);
  // Second by meaning and first by words ranks above first by meaning alone.
  expect(texts(hybrid).slice(0, 2)).toEqual([ships, whale]);
  expect(hybrid[0].fused).toBeCloseTo(1 / 61 + 1 / 62, 6);
  expect(hybrid[1].fused).toBeCloseTo(1 / 61, 6);
  // A chunk without an embedding is found by its words.
  expect(texts(await find('sailor', 'hybrid', [1, 0, 0]))).toContain(TEXTS["b's\\.txt"][2]);
});

it('accepts any text as a word query', async () => {
  for (const query of ['', '   ', '& | !', "it's <-> (a", 'the', "'; DROP TABLE x; --", '鯨 🐋', '\\'])
    await find(query, 'words');
  expect(wordsQuery("it's bread")).toBe("'it' | 's' | 'bread':*");
});

it('writes vectors and texts that Postgres reads back', async () => {
  const numbers = Float32Array.from([1 / 3, -1e-30, 123456.789]);
  expect(Float32Array.from(JSON.parse(vectorText(numbers)))).toEqual(numbers);
  expect(storable('a\0b\uD83Dc\uDC0Bd\uD83D\uDC0B')).toBe('a\uFFFDb\uFFFDc\uFFFDd🐋');
});
