import { expect, it } from 'vitest';
import { createIndex } from '../search';
import { wordModel } from './fixtures';
import type { IndexDocument, IndexOptions, SearchIndex } from './types';

const DOCUMENTS = [
  { id: 'seine', text: 'the seine crosses paris', metadata: { topic: 'rivers' } },
  { id: 'danube', text: 'the danube crosses vienna and budapest', metadata: { topic: 'rivers' } },
  { id: 'bread', text: 'bread is made of flour water and salt', metadata: { topic: 'food' } },
];

const open = async (options: IndexOptions = {}, stand = wordModel()) => ({
  stand,
  index: (await createIndex(stand.model, options)) as SearchIndex,
});

const wrongOptions: [unknown, RegExp][] = [
  [{ precison: 'int8' }, /createIndex has no option 'precison'. Did you mean 'precision'\?/],
  [{ precision: 'int4' }, /precision must be one of float32, int8, binary; it is 'int4'/],
  [{ metric: 'euclidean' }, /metric must be one of cosine, dot/],
  [{ metric: 'dot', precision: 'int8' }, /metric 'dot' needs precision 'float32'/],
  [{ chunk: { maxtokens: 3 } }, /createIndex's chunk has no option 'maxtokens'. Did you mean 'maxTokens'/],
  [{ chunk: { maxTokens: 0 } }, /chunk.maxTokens must be an integer up to 512, the model's limit; it is 0/],
  [{ document: { prompts: '' } }, /createIndex's document has no option 'prompts'/],
  [{ query: 'Q: ' }, /The options of createIndex's query must be an object/],
  [{ words: { lang: 'en' } }, /createIndex's words has no option 'lang'/],
];
it.each(wrongOptions)('createIndex: %j', async (options, message) => {
  await expect(open(options as IndexOptions)).rejects.toThrow(message);
});

it('createIndex: what is no model, a store that is only a name', async () => {
  const { model } = wordModel();
  for (const other of ['nano', {}, Promise.resolve('nano')]) {
    await expect(createIndex(other as never)).rejects.toThrow('needs a loaded model: await loadModel');
  }
  await expect(createIndex(model, { store: 'notes' as never })).rejects.toThrow("such as indexedDbStore('notes')");
});

const rowsOf = (rows: number, data: Float32Array | Int8Array) => ({ rows, data, dim: data.length / rows });

it('search', async () => {
  const { index } = await open({}, wordModel({ embeddingSpace: 'org/a' }));
  await index.add(DOCUMENTS);
  const wrong: [unknown, unknown, RegExp][] = [
    [3, {}, /The query must be a string, it is a number/],
    ['a', { topK: 0 }, /topK must be a positive integer, it is 0/],
    ['a', { topK: 1.5 }, /topK must be/],
    ['a', { topk: 3 }, /search has no option 'topk'. Did you mean 'topK'/],
    ['a', { mode: 'semantic' }, /mode must be one of hybrid, vectors, words; it is 'semantic'/],
    ['a', { filter: {} }, /filter must be a function/],
    [
      'a',
      { embedding: [0, 1] },
      /must be what embed resolves to for one text, with data in a Float32Array, .* its data is Undefined/,
    ],
    ['a', { embedding: rowsOf(1, new Int8Array(24)) }, /with data in a Float32Array, .* its data is Int8Array/],
    ['a', { embedding: rowsOf(2, new Float32Array(48)) }, /must be one row of 24 numbers, .* it is 2 of 24/],
    ['a', { embedding: rowsOf(1, new Float32Array(23)) }, /must be one row of 24 numbers, .* it is 1 of 23/],
    ['a', { embedding: rowsOf(1, new Float32Array(24)) }, /must be finite numbers and not all 0; its length is 0/],
    ['a', { embedding: rowsOf(1, new Float32Array(24).fill(Number.NaN)) }, /its length is NaN/],
    [
      'a',
      { embedding: { ...rowsOf(1, new Float32Array(24).fill(1)), embeddingSpace: 'org/b' } },
      /different embedding spaces, org\/b and org\/a/,
    ],
  ];
  for (const [query, options, message] of wrong) {
    await expect(index.search(query as string, options as object)).rejects.toThrow(message);
  }
  await expect(index.search('a '.repeat(600))).rejects.toThrow("The query has 600 tokens, the model's limit is 512.");
  const { index: without } = await open({ words: false });
  await without.add(DOCUMENTS);
  expect((await without.search('the seine crosses paris'))[0].score).toBeCloseTo(1, 6);
  await expect(without.search('a', { mode: 'hybrid' })).rejects.toThrow(/opened with words: false/);
});

const cyclic: Record<string, unknown> = {};
cyclic.self = cyclic;
const wrongDocuments: [unknown, RegExp][] = [
  [7, /Document 0 must be an object \{ id, text, metadata \}, it is 7/],
  [[null], /Document 0 must be an object/],
  [[DOCUMENTS[0], { text: 'a' }], /The id of document 1 must be a string, it is missing/],
  [{ id: '', text: 'a' }, /The id of document 0 is empty/],
  [{ id: 'a' }, /The text of document "a" must be a string/],
  [{ id: 'a', text: ' \n' }, /The text of document "a" is empty/],
  [{ id: 'a', text: 'a', meta: {} }, /The document "a" has a field "meta"; its fields are id, text, metadata/],
  [{ id: 'a', text: 'a', metadata: [] }, /The metadata of document "a" must be a plain object, it is of class Array/],
  [
    { id: 'a', text: 'a', metadata: { when: [new Date(0)] } },
    /The metadata of document "a".when\[0\] is of class Date, which JSON does not have/,
  ],
  [{ id: 'a', text: 'a', metadata: { n: Number.NaN } }, /.n is NaN/],
  [{ id: 'a', text: 'a', metadata: { n: 1n } }, /.n is a bigint/],
  [{ id: 'a', text: 'a', metadata: { f() {} } }, /.f is a function/],
  [{ id: 'a', text: 'a', metadata: cyclic }, /has more than 100 levels/],
];
it.each(wrongDocuments)('add %#', async (documents, message) => {
  const { index } = await open();
  await expect(index.add(documents as IndexDocument)).rejects.toThrow(message);
  expect(index.size).toBe(0);
});

it('add and remove', async () => {
  const { index } = await open();
  await expect(index.add(DOCUMENTS, { onprogress() {} } as object)).rejects.toThrow(/Did you mean 'onProgress'/);
  await expect(index.remove([1] as never)).rejects.toThrow(/An id must be a string, it is a number/);
});

it('metadata is a copy, and may have any names', async () => {
  const { index } = await open();
  const metadata = JSON.parse('{ "list": [1], "none": null, "__proto__": { "a": 1 } }');
  await index.add({ id: 'a', text: 'a', metadata: { ...metadata, gone: undefined } });
  metadata.list.push(2);
  const [hit] = await index.search('a');
  expect(JSON.stringify(hit.metadata)).toBe('{"list":[1],"none":null,"__proto__":{"a":1}}');
  expect(Object.getPrototypeOf(hit.metadata)).toBe(Object.prototype);
});

it('a closed index', async () => {
  const { index } = await open();
  await index.add(DOCUMENTS);
  await index.close();
  await index.close();
  expect(index.size).toBe(0);
  for (const call of [
    () => index.add(DOCUMENTS),
    () => index.remove('a'),
    () => index.search('a'),
    () => index.export(),
  ]) {
    await expect(call()).rejects.toThrow('The index is closed. Create it again.');
  }
});

it('a model that changes under the index', async () => {
  const { index, stand } = await open({}, wordModel({ embeddingSpace: 'org/a' }));
  await index.add(DOCUMENTS);
  stand.embeddingSpace = 'org/b';
  await expect(index.search('a')).rejects.toThrow(/its query vectors were 'org\/a' and are now 'org\/b'/);
  await expect(index.add({ id: 'new', text: 'new' })).rejects.toThrow(/its document vectors were/);
  expect(index.size).toBe(3);
});
