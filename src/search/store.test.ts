import * as fake from 'fake-indexeddb';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { createIndex, indexedDbStore } from '../search';
import { memoryStore, wordModel } from './fixtures';
import type { IndexModel, IndexOptions, IndexStore } from './types';

const DOCUMENTS = [
  { id: 'seine', text: 'the seine crosses paris', metadata: { topic: 'rivers' } },
  { id: 'bread', text: 'bread is made of flour water and salt', metadata: { topic: 'food' } },
];
const idsOf = (hits: { id: string }[]) => hits.map(({ id }) => id);

beforeEach(() => {
  for (const [name, value] of Object.entries(fake)) if (name.startsWith('IDB')) vi.stubGlobal(name, value);
  vi.stubGlobal('indexedDB', new fake.IDBFactory());
});
afterEach(() => vi.unstubAllGlobals());

/** Stores of the same place, as several pages have them. */
const STORES: [string, () => () => IndexStore][] = [
  ['IndexedDB', () => () => indexedDbStore('test')],
  [
    'memory',
    () => {
      const store = memoryStore();
      return () => store;
    },
  ],
];

describe.each(STORES)('a store: %s', (_, places) => {
  const openAgain = async (store: IndexStore, options: IndexOptions = {}, stand = wordModel()) => {
    const index = await createIndex(stand.model, { store, ...options });
    stand.embedded.length = 0;
    return { index, ...stand };
  };

  it.each(['float32', 'int8', 'binary'] as const)(
    'gives back what was added, in %s, without embedding it',
    async (precision) => {
      const page = places();
      const chunk = { maxTokens: 4, overlap: 1 };
      const { index } = await openAgain(page(), { precision, chunk });
      await index.add(DOCUMENTS);
      const before = await index.search('crosses water', { mode: 'vectors' });
      await index.close();
      const again = await openAgain(page(), { precision, chunk });
      expect(again.index.size).toBe(2);
      expect(await again.index.search('crosses water', { mode: 'vectors' })).toEqual(before);
      expect(idsOf(await again.index.search('flour', { mode: 'words' }))).toEqual(['bread']);
      await again.index.add(DOCUMENTS);
      expect(again.embedded).toEqual(['crosses water']);
    },
  );

  it('opens before its model is there: words find, the rest waits', async () => {
    const page = places();
    const { index } = await openAgain(page(), { precision: 'int8' });
    await index.add(DOCUMENTS);
    const before = await index.search('crosses water');
    await index.close();

    let load: (model: IndexModel) => void = () => {};
    const loading = new Promise<IndexModel>((resolve) => {
      load = resolve;
    });
    const early = await createIndex(loading, { store: page(), precision: 'int8' });
    expect([early.size, early.passages]).toEqual([2, 2]);
    expect(idsOf(await early.search('flour', { mode: 'words' }))).toEqual(['bread']);
    await early.add(DOCUMENTS); // nothing new needs no model
    const controller = new AbortController();
    const stopped = early.search('crosses water', { signal: controller.signal });
    const waiting = early.search('crosses water');
    const adding = early.add({ id: 'salt', text: 'salt comes from the sea' });
    controller.abort();
    await expect(stopped).rejects.toThrow('abort');
    load(wordModel().model);
    expect(await waiting).toEqual(before);
    await adding;
    expect((await openAgain(page(), { precision: 'int8' })).index.size).toBe(3);
  });

  it('opens before a model that does not come, or is another: only words find', async () => {
    const page = places();
    await (await openAgain(page())).index.add(DOCUMENTS);
    const failed = await createIndex(Promise.reject(new Error('no network')), { store: page() });
    const other = await createIndex(Promise.resolve(wordModel({ embeddingSpace: 'other' }).model), { store: page() });
    for (const [index, message] of [
      [failed, 'no network'],
      [other, /made with the model's embedding space '.*', not 'other'.*rebuild: true/],
    ] as const) {
      expect(idsOf(await index.search('flour', { mode: 'words' }))).toEqual(['bread']);
      await expect(index.search('flour')).rejects.toThrow(message);
      await expect(index.add({ id: 'salt', text: 'salt' })).rejects.toThrow(message);
    }
    await expect(createIndex(Promise.reject(new Error('no network')))).rejects.toThrow('no network');
    const loading = Promise.resolve(wordModel({ embeddingSpace: 'other' }).model);
    const rebuilt = await createIndex(loading, { store: page(), rebuild: true });
    expect(idsOf(await rebuilt.search('flour'))[0]).toBe('bread');
  });

  it('keeps removals and changes of metadata', async () => {
    const page = places();
    const { index } = await openAgain(page());
    await index.add(DOCUMENTS);
    await index.remove('bread');
    await index.add({ ...DOCUMENTS[0], metadata: { topic: 'towns' } });
    const again = await openAgain(page());
    expect(await again.index.search('seine')).toEqual([
      expect.objectContaining({ id: 'seine', metadata: { topic: 'towns' } }),
    ]);
    expect(again.index.size).toBe(1);
  });

  it('of two pages that write, nothing is lost', async () => {
    const page = places();
    const [one, two] = [await openAgain(page()), await openAgain(page())];
    await one.index.add(DOCUMENTS[0]);
    await two.index.add(DOCUMENTS[1]);
    // The second found that the first had written, and read that.
    expect(two.index.size).toBe(2);
    expect(one.index.size).toBe(1);
    await Promise.all([
      one.index.add({ id: 'a', text: 'text of the first' }),
      two.index.add({ id: 'b', text: 'text of the second' }),
      one.index.remove('seine'),
    ]);
    const third = await openAgain(page());
    expect(third.index.size).toBe(3);
    // The last writer of an id wins, also over a page that does not know of the change.
    await one.index.add({ id: 'b', text: 'text of the first' });
    await two.index.add({ id: 'b', text: 'text of the second' });
    const fourth = await openAgain(page());
    expect((await fourth.index.search('second'))[0].text).toBe('text of the second');
    await fourth.index.add({ id: 'b', text: 'fourth' });
    await two.index.add({ id: 'b', text: 'text of the second' }); // which it believes to be there
    expect((await (await openAgain(page())).index.search('second'))[0].id).toBe('b');
  });

  it('of another model or other options is an error, or is made again', async () => {
    const page = places();
    const { index } = await openAgain(page(), {}, wordModel({ embeddingSpace: 'org/a' }));
    await index.add(DOCUMENTS);
    const other = wordModel({ embeddingSpace: 'org/b' });
    await expect(createIndex(other.model, { store: page() })).rejects.toThrow(
      "The stored index was made with the model's embedding space 'org/a', not 'org/b'. Open it with the same, or pass rebuild: true, which embeds its 2 texts again.",
    );
    await expect(
      createIndex(wordModel({ embeddingSpace: 'org/a' }).model, { store: page(), precision: 'int8' }),
    ).rejects.toThrow(/made with precision 'float32', not 'int8'/);
    const progress: number[] = [];
    const rebuilt = await createIndex(other.model, {
      store: page(),
      rebuild: true,
      chunk: { maxTokens: 3 },
      onProgress: ({ done }) => progress.push(done),
    });
    expect(progress.at(-1)).toBe(2);
    expect((await rebuilt.search('seine'))[0]).toMatchObject({ ...DOCUMENTS[0], passage: { start: 0, end: 17 } });
    // The page that has the old one open must not mix its vectors with the new ones.
    await expect(index.add({ id: 'new', text: 'new' })).rejects.toThrow(
      /^Another page has replaced the stored index: it was made with chunk \{"maxTokens":3,"overlap":0\}, not/,
    );
    expect((await openAgain(page(), { chunk: { maxTokens: 3 } }, other)).index.size).toBe(2);
  });

  it('an abort of making it again leaves what was stored', async () => {
    const page = places();
    const { index } = await openAgain(page(), {}, wordModel({ embeddingSpace: 'org/a' }));
    await index.add(DOCUMENTS);
    const other = wordModel({ embeddingSpace: 'org/b' });
    const abort = new AbortController();
    other.beforeEmbed = async (texts) => void (texts[0] !== 'a' && abort.abort());
    const { signal } = abort;
    await expect(createIndex(other.model, { store: page(), rebuild: true, signal })).rejects.toThrow(/abort/i);
    expect((await openAgain(page(), {}, wordModel({ embeddingSpace: 'org/a' }))).index.size).toBe(2);
  });

  it('of a later version is refused', async () => {
    const page = places();
    const store = page();
    const { index } = await openAgain(store);
    await index.add(DOCUMENTS);
    const { header } = (await store.read())!;
    await store.write({
      base: header.revision,
      header: { ...header, version: 2 as 1, revision: 9 },
      clear: false,
      remove: [],
      put: [],
    });
    await expect(createIndex(wordModel().model, { store: page() })).rejects.toThrow(/has version 2 of the format/);
  });
});

describe('IndexedDB', () => {
  it('reads more records than a page of them', async () => {
    const { model } = wordModel({ dim: 2 });
    const index = await createIndex(model, { store: indexedDbStore('many'), words: false });
    await index.add(Array.from({ length: 2050 }, (_, i) => ({ id: `${i}`, text: `text ${i}` })));
    await index.close();
    const again = await createIndex(model, { store: indexedDbStore('many'), words: false });
    expect(again.size).toBe(2050);
    expect(new Set(idsOf(await again.search('text', { topK: 3000 }))).size).toBe(2050);
  });

  it('a record that cannot be stored leaves all as it was', async () => {
    const store = indexedDbStore('test');
    const index = await createIndex(wordModel().model, { store });
    await index.add(DOCUMENTS);
    const { header, records } = (await store.read())!;
    const put = [
      { ...records[0], text: 'changed' },
      { ...records[1], metadata: { f() {} } },
    ];
    const next = { ...header, revision: header.revision + 1 };
    await expect(store.write({ base: header.revision, header: next, clear: true, remove: [], put })).rejects.toThrow();
    expect(await store.read()).toEqual({ header, records });
  });

  it('can be deleted while an index is open, which then begins anew', async () => {
    const index = await createIndex(wordModel().model, { store: indexedDbStore('test') });
    await index.add(DOCUMENTS);
    await new Promise((resolve, reject) => {
      const request = indexedDB.deleteDatabase('modernbert-webgpu/search/test');
      Object.assign(request, { onsuccess: resolve, onerror: reject, onblocked: reject });
    });
    await index.add({ id: 'new', text: 'new' });
    expect(index.size).toBe(1);
  });

  it('needs a name, and closes its connection if the index cannot be opened', async () => {
    expect(() => indexedDbStore('')).toThrow('indexedDbStore needs a name');
    vi.stubGlobal('indexedDB', {
      open: () => {
        throw new DOMException('no storage', 'SecurityError');
      },
    });
    await expect(createIndex(wordModel().model, { store: indexedDbStore('test') })).rejects.toThrow('no storage');
  });
});

it('a store whose vectors do not fit its passages is an error', async () => {
  const store = memoryStore();
  const index = await createIndex(wordModel().model, { store });
  await index.add(DOCUMENTS);
  const { records } = (await store.read())!;
  records[1].vectors = records[1].vectors.subarray(1);
  await expect(createIndex(wordModel().model, { store })).rejects.toThrow(
    "The stored index is broken: document 'bread' has 23 numbers in its vectors.",
  );
});
