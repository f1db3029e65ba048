import { describe, expect, it } from 'vitest';
import { fileOf, safetensorsBytes } from '../formats/fixtures';
import { readTensors } from '../formats/safetensors';
import { ModelFileError } from '../index';
import { createIndex, importIndex } from '../search';
import { memoryStore, wordModel } from './fixtures';

const DOCUMENTS = [
  {
    id: 'seine',
    text: 'the seine crosses paris\nand \ud800 lone 👩‍👩‍👧',
    metadata: { topic: 'rivers', list: [1, null, 'ü'] },
  },
  { id: 'bread', text: 'bread is made of flour water and salt', metadata: {} },
];

async function exported(options = {}, stand = wordModel()) {
  const index = await createIndex(stand.model, { chunk: { maxTokens: 4 }, ...options });
  await index.add(DOCUMENTS);
  return { index, file: await index.export() };
}
const bytesOf = async (file: Blob) => new Uint8Array(await file.arrayBuffer());

it.each(['float32', 'int8', 'binary'] as const)(
  'an index in %s is the same after export and import, and is stored',
  async (precision) => {
    const { index, file } = await exported({ precision });
    const stand = wordModel();
    const store = memoryStore();
    const old = await createIndex(stand.model, { store });
    await old.add({ id: 'old', text: 'old' });
    stand.embedded.length = 0;
    const imported = await importIndex(stand.model, file, { store });
    expect(stand.embedded).toEqual(['a', 'a']);
    for (const mode of ['vectors', 'words', 'hybrid'] as const) {
      const search = (of: typeof index) => of.search('paris flour', { mode });
      expect(await search(imported)).toEqual(await search(index));
    }
    const restored = await createIndex(wordModel().model, { store, precision, chunk: { maxTokens: 4 } });
    expect(restored.size).toBe(2);
    expect(await bytesOf(await restored.export())).toEqual(await bytesOf(file));
  },
);

it('the file is a safetensors file, which bytes open too', async () => {
  const { file } = await exported({ dimensions: 10 });
  const [vectors, documents] = await readTensors(fileOf(await bytesOf(file)));
  expect(vectors).toMatchObject({ name: 'vectors', dtype: 'F32', shape: [4, 10] });
  expect(documents).toMatchObject({ name: 'documents', dtype: 'U8' });
  for (const bytes of [await file.arrayBuffer(), await bytesOf(file)]) {
    expect((await importIndex(wordModel().model, bytes)).size).toBe(2);
  }
});

it('a file opens before its model is there, and replaces nothing for one that does not suit it', async () => {
  const { index, file } = await exported();
  const imported = await importIndex(new Promise((resolve) => setTimeout(resolve, 50, wordModel().model)), file);
  const found = await imported.search('flour', { mode: 'words' });
  expect(found).toEqual(await index.search('flour', { mode: 'words' }));
  expect(await imported.search('flour')).toEqual(await index.search('flour'));

  const other = () => Promise.resolve(wordModel({ embeddingSpace: 'other' }).model);
  const early = await importIndex(other(), file);
  await expect(early.search('flour')).rejects.toThrow('The index in the file was made with');
  const store = memoryStore();
  await (await createIndex(wordModel().model, { store })).add({ id: 'old', text: 'old' });
  await expect(importIndex(other(), file, { store })).rejects.toThrow('The index in the file was made with');
  expect((await createIndex(wordModel().model, { store })).size).toBe(1);
});

it('an empty index too', async () => {
  const index = await createIndex(wordModel().model);
  const imported = await importIndex(wordModel().model, await index.export());
  expect(imported.size).toBe(0);
  await imported.add(DOCUMENTS);
  expect((await imported.search('flour'))[0].id).toBe('bread');
});

describe('refuses', () => {
  it('a file that is cut off at any byte, or goes on', async () => {
    const { model } = wordModel({ dim: 2 });
    const index = await createIndex(model);
    await index.add({ id: 'a', text: 'a' });
    const bytes = await bytesOf(await index.export());
    for (let end = 0; end < bytes.length; end++) {
      await expect(importIndex(model, bytes.slice(0, end)), `${end}`).rejects.toThrow(ModelFileError);
    }
    await expect(importIndex(model, bytes.slice(0, -3))).rejects.toThrow(/^The index file .*is it cut off\?/);
    await expect(importIndex(model, new Blob([bytes, 'x']))).rejects.toThrow(ModelFileError);
  });

  const LINE = '{"id":"a","text":"abc","metadata":{},"passages":[0,3]}\n';
  const SPEC = {
    version: 1,
    embeddingSpace: 'words@/f32//mean/2',
    precision: 'float32',
    metric: 'cosine',
    dim: 2,
    chunk: false,
    document: {},
  };
  const made = (lines: string, { spec = {}, rows = 1, dtype = 'F32', format = 'modernbert-webgpu/search' } = {}) => {
    const documents = new TextEncoder().encode(lines);
    const header = {
      __metadata__: { format, index: JSON.stringify({ ...SPEC, ...spec }) },
      vectors: { dtype, shape: [rows, 2], data_offsets: [0, rows * 8] },
      documents: { dtype: 'U8', shape: [documents.length], data_offsets: [rows * 8, rows * 8 + documents.length] },
    };
    const data = new Uint8Array(rows * 8 + documents.length);
    data.set(documents, rows * 8);
    return safetensorsBytes(header, data);
  };
  const broken: [string, Uint8Array<ArrayBuffer>, RegExp][] = [
    ['another format', made(LINE, { format: 'pt' }), /is not an index that export\(\) made/],
    [
      'weights',
      safetensorsBytes({ a: { dtype: 'U8', shape: [1], data_offsets: [0, 1] } }, new Uint8Array(1)),
      /is not an index/,
    ],
    [
      'a later version',
      made(LINE, { spec: { version: 2 } }),
      /has version 2 of the format, and this library reads version 1/,
    ],
    ['no version', made(LINE, { spec: { version: undefined } }), /does not say what the index was made with/],
    ['no dim', made(LINE, { spec: { dim: 0 } }), /does not say/],
    ['another dim', made(LINE, { spec: { dim: 3 } }), /has no vectors of 3 numbers in F32/],
    ['another precision', made(LINE, { spec: { precision: 'int8' } }), /has no vectors of 2 numbers in I8/],
    ['an unknown precision', made(LINE, { spec: { precision: 'int4' } }), /does not say/],
    ['too few vectors', made(LINE + LINE.replace('"a"', '"b"')), /has 1 vectors for 2 passages/],
    ['too many', made(LINE, { rows: 2 }), /has 2 vectors for 1 passages/],
    ['an id twice', made(LINE + LINE, { rows: 2 }), /has document "a" twice/],
    ['no end of a line', made(LINE.slice(0, -1)), /has a document without an end/],
    ['no JSON', made('{\n'), /Document 0 of the index file is not JSON/],
    ['no object', made('[]\n'), /Document 0 of the index file is not an object/],
    ['no text', made(LINE.replace('"text"', '"tekst"')), /^The index file: The document "a" has a field "tekst"/],
    ['no id', made(LINE.replace('"a"', '7')), /^The index file: The id of document 0 must be a string, it is 7/],
    [
      'no metadata',
      made(LINE.replace('{}', '[]')),
      /^The index file: The metadata of document "a" must be a plain object/,
    ],
    ['deep metadata', made(LINE.replace('{}', `{"a":${'['.repeat(1000)}${']'.repeat(1000)}}`)), /more than 100 levels/],
    ['no passages', made(LINE.replace('[0,3]', '[]')), /has no passages/],
    ['half a passage', made(LINE.replace('[0,3]', '[0]')), /has no passages/],
    [
      'a passage outside',
      made(LINE.replace('[0,3]', '[0,4]')),
      /has a passage from 0 to 4, and its text has 3 characters/,
    ],
    ['an empty passage', made(LINE.replace('[0,3]', '[2,2]')), /has a passage from 2 to 2/],
  ];
  it.each(broken)('%s', async (_, bytes, message) => {
    const importing = importIndex(wordModel({ dim: 2 }).model, bytes);
    await expect(importing).rejects.toThrow(message);
    await expect(importing).rejects.toThrow(ModelFileError);
  });

  it('but nothing else', async () => {
    const { model } = wordModel({ dim: 2 });
    expect((await importIndex(model, made(LINE))).size).toBe(1);
  });

  it('an index of another model', async () => {
    const { file } = await exported();
    const other = wordModel({ embeddingSpace: 'org/other' });
    await expect(importIndex(other.model, file)).rejects.toThrow(
      "The index in the file was made with the model's embedding space 'words@/f32//mean/24', not 'org/other'.",
    );
    const short = wordModel({ maxTokens: 3 });
    await expect(importIndex(short.model, file)).rejects.toThrow(
      /^The index in the file was made with 'words@.*', and this model does not suit it: chunk.maxTokens must be/,
    );
    await expect(importIndex(wordModel({ dim: 8 }).model, file)).rejects.toThrow(
      /was made with the model's embedding space/,
    );
    await expect(importIndex(wordModel().model, file, { precision: 'int8' } as object)).rejects.toThrow(
      /importIndex has no option 'precision'/,
    );
  });
});
