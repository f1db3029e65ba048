import { PGlite } from '@electric-sql/pglite';
import { vector } from '@electric-sql/pglite-pgvector';
import type { Chunk } from 'modernbert-webgpu/node';
import { afterAll, beforeAll, beforeEach, expect, it } from 'vitest';
import { addDocument, documentId, indexSize, storable, storeEmbeddings, vectorText, waitingChunks } from './documents';
import { dumpIndex, literal, loadDump } from './dump';
import { clearIndex, indexModel, openIndex } from './schema';
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

const dumped = async () => {
  let dump = '';
  for await (const part of dumpIndex(db)) dump += part;
  return dump;
};
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

it('exports SQL that restores the same rows and search results', async () => {
  const dump = await dumped();
  const everything = async () => [
    await db.query('SELECT *, embedding::text FROM passages.chunks ORDER BY document, position'),
    await db.query('SELECT * FROM passages.documents ORDER BY id'),
    await find('sailors fear whales', 'hybrid', [0.5, 0.5, 0.1]),
  ];
  const before = await everything();
  await clearIndex(db);
  expect(await indexModel(db)).toBeUndefined();
  expect(await db.transaction((sql) => loadDump(sql, dump))).toEqual(MODEL);
  expect(await everything()).toEqual(before);
  await clearIndex(db);
  await db.exec(dump); // as psql reads it
  expect(await everything()).toEqual(before);
});

it('loads an exported file completely or not at all', async () => {
  const dump = await dumped();
  await clearIndex(db);
  const load = (text: string) => db.transaction((sql) => loadDump(sql, text));
  await expect(load(dump.split('\n').slice(0, -3).join('\n'))).rejects.toThrow('incomplete');
  await expect(load(dump.replace('COMMIT;', 'DROP TABLE other;'))).rejects.toThrow(
    /Line \d+ is not a statement .*DROP TABLE/,
  );
  await expect(load('SELECT 1;')).rejects.toThrow('not an exported search index');
  expect(await indexModel(db)).toBeUndefined();
});

it('runs nothing of a file that came from elsewhere', async () => {
  const dump = await dumped();
  await clearIndex(db);
  await db.exec('CREATE TABLE IF NOT EXISTS public.witness (seen text)');
  const model = /^INSERT INTO passages\.model .*$/m;
  const documents = /^INSERT INTO passages\.documents .*$/m;
  const into = (values: string) => `INSERT INTO passages.documents (id, name, text) VALUES ${values}`;
  const id = "'00000000-0000-0000-0000-000000000000'";
  const hostile: [RegExp, string][] = [
    [documents, into(`(${id}, 'a', (SELECT version()));`)],
    [documents, into(`(${id}, 'a', pg_read_file('/etc/passwd'));`)],
    [documents, into(`(${id}, 'a', 'b'); INSERT INTO public.witness VALUES ('ran');`)],
    [documents, into(`(${id}, 'a', 'b') RETURNING nextval('s');`)],
    [documents, into(`(${id}, 'a', $$b$$);`)],
    [documents, into(`(${id}, 'a', /* b */ 'b');`)],
    [documents, into(`(${id}, 'a', 'b'::text);`)],
    [documents, into(`(${id}, 'a', 'b' || version());`)],
    [documents, into(`(${id}, 'a', E'\\x41');`)],
    [documents, into(`(${id}, 'a', U&'b');`)],
    [documents, into(`(${id}, 'a', NULL);`)],
    [documents, into(`(${id}, 'a', 'b');--`)],
    [documents, into(`(SELECT ${id}, 'a', version());`)],
    [documents, `INSERT INTO passages.documents (id, name, text) SELECT id, name, text FROM passages.documents;`],
    [documents, `INSERT INTO passages.documents (id, text, name) VALUES (${id}, 'a', 'b');`],
    [documents, "INSERT INTO passages.chunks_view VALUES ('a');"],
    [model, "INSERT INTO passages.model (name, dtype, dim) VALUES ('a', 'f32', (SELECT 3));"],
    [model, "INSERT INTO passages.model (name, dtype, dim) VALUES ('a', 'f32', 3), ('b', 'f32', 3);"],
    [/^CREATE TABLE passages\.documents .*$/m, 'CREATE TABLE passages.documents (id uuid DEFAULT gen_random_uuid());'],
    [/^CREATE INDEX chunks_words .*$/m, 'CREATE INDEX chunks_words ON passages.chunks (version());'],
    [/^CREATE SCHEMA .*$/m, "CREATE SCHEMA passages; INSERT INTO public.witness VALUES ('ran');"],
  ];
  for (const [line, replacement] of hostile) {
    const text = dump.replace(line, () => replacement);
    const number = text.split('\n').indexOf(replacement) + 1;
    expect(number).toBeGreaterThan(0);
    await expect(
      db.transaction((sql) => loadDump(sql, text)),
      replacement,
    ).rejects.toThrow(new RegExp(`^Line ${number} `));
    expect(await indexModel(db)).toBeUndefined();
  }
  expect((await db.query('SELECT * FROM public.witness')).rows).toEqual([]);
});

it('names the line of rows that the tables refuse, and keeps an index that is there', async () => {
  const dump = await dumped();
  await expect(db.transaction((sql) => loadDump(sql, dump))).rejects.toThrow('There is an index already');
  await clearIndex(db);
  const load = (text: string) => db.transaction((sql) => loadDump(sql, text));
  await expect(load(dump.replace("'f32', 3)", "'f32', 2)"))).rejects.toThrow(
    /^Line \d+ cannot be loaded: .*dimensions/,
  );
  await expect(load(dump.replace("'f32', 3)", "'f32', 2001)"))).rejects.toThrow(/^Line \d+ cannot be .*at most 2000/);
  await expect(load(dump.replace(/^INSERT INTO passages\.model .*$/m, ''))).rejects.toThrow(
    /^Line \d+ .*must come before/,
  );
  expect(await load(dump.replaceAll('\n', '\r\n'))).toEqual(MODEL); // saved by an editor
});

it('exports more rows than fit in one statement', async () => {
  await add(
    'many.txt',
    Array.from({ length: 130 }, (_, i) => `chunk ${i}`),
  );
  const dump = await dumped();
  await clearIndex(db);
  await db.transaction((sql) => loadDump(sql, dump));
  expect(await indexSize(db)).toEqual({ documents: 3, chunks: 135, waiting: 131 });
});

it('writes literals, vectors and texts that Postgres reads back', async () => {
  expect([literal(null), literal(3), literal("a'b"), literal('a\\b\n')]).toEqual([
    'NULL',
    '3',
    "'a''b'",
    "E'a\\\\b\\n'",
  ]);
  const numbers = Float32Array.from([1 / 3, -1e-30, 123456.789]);
  expect(Float32Array.from(JSON.parse(vectorText(numbers)))).toEqual(numbers);
  expect(storable('a\0b\uD83Dc\uDC0Bd\uD83D\uDC0B')).toBe('a\uFFFDb\uFFFDc\uFFFDd🐋');
});
