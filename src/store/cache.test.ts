import { mkdtemp, readdir, rm, truncate, utimes } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ModelFileError } from '../api/errors';
import type { CacheMode, Dtype } from '../api/types';
import { fileOf, numberedBytes } from '../formats/fixtures';
import type { ModelFiles } from '../formats/model-files';
import { readBytes } from '../formats/read';
import { type CachedFiles, cachedFiles } from './cache';
import { deleteEntries, listEntries, type OpenStore, type Store } from './entries';
import { folderStore } from './folder';

let root: string;
let folders = 0;
beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), 'store-'));
});
afterAll(() => rm(root, { recursive: true }));
const newFolder = () => join(root, `${++folders}`);

const WEIGHTS = numberedBytes(300_000);

/** A model of the Hub, and the names of the opened files. */
function remote(source = 'org/name', contents: Record<string, Uint8Array<ArrayBuffer>> = {}) {
  const asked: string[] = [];
  const all: typeof contents = { 'config.json': numberedBytes(10), 'model.safetensors': WEIGHTS, ...contents };
  const files: ModelFiles = {
    where: source,
    identity: { source, revision: 'main', commit: 'c1' },
    async open(name) {
      asked.push(name);
      return all[name] && fileOf(all[name], { name, step: 65_536 });
    },
  };
  return { files, asked };
}

const NAMES = ['config.json', '1_Pooling/config.json', 'model.safetensors'];

async function loadFrom(files: CachedFiles, dtype: Dtype) {
  const read: (number | undefined)[] = [];
  for (const name of NAMES) read.push((await readBytes(files, name))?.length);
  return { read, use: await files.finish(files.dtype ?? dtype) };
}
const load = async (files: ModelFiles, store: OpenStore, cache?: CacheMode, dtype: 'auto' | Dtype = 'auto') =>
  loadFrom(await cachedFiles(files, { store, cache, dtype }), dtype === 'auto' ? 'q8' : dtype);

/** A store with the methods of `change`. */
const changed =
  (open: OpenStore, change: (store: Store) => Partial<Store>): OpenStore =>
  async () => {
    const store = await open();
    return store && { ...store, ...change(store) };
  };

describe('a model that was loaded', () => {
  it('is read from the store alone, missing files included', async () => {
    const store = folderStore(newFolder());
    const first = remote();
    const stored = await load(first.files, store);
    expect(stored.read).toEqual([10, undefined, 300_000]);
    expect(stored.use).toEqual({ state: 'stored', store: 'folder', bytes: 300_010 });
    expect(first.asked).toEqual(NAMES);

    const second = remote();
    const files = await cachedFiles(second.files, { store });
    expect(files.dtype).toBe('q8');
    expect(Buffer.compare((await readBytes(files, 'model.safetensors')) ?? Buffer.of(), WEIGHTS)).toBe(0);
    expect((await loadFrom(files, 'q8')).use).toEqual({ state: 'hit', store: 'folder', bytes: 300_010 });
    expect(second.asked).toEqual([]);
  });

  it('is not taken for another commit that is asked for', async () => {
    const store = folderStore(newFolder());
    await load(remote().files, store);
    const { files, asked } = remote();
    const other = { ...files, identity: { ...files.identity!, commit: 'c2' } };
    expect((await load(other, store)).use).toMatchObject({ state: 'stored' });
    expect(asked).toEqual(NAMES);
    const unknown = { ...files, identity: { ...files.identity!, commit: undefined } };
    expect((await load(unknown, store)).use).toMatchObject({ state: 'hit' });
  });

  it('asks again for a file for which no answer came, and works without one', async () => {
    const store = folderStore(newFolder());
    const unsure = () => {
      const { files, asked } = remote();
      return { files: { ...files, isUnsure: () => true }, asked };
    };
    expect((await load(unsure().files, store)).use).toMatchObject({ state: 'stored' });
    const again = unsure();
    expect((await load(again.files, store)).use).toEqual({ state: 'hit', store: 'folder', bytes: 300_010 });
    expect(again.asked).toEqual(['1_Pooling/config.json']);
    // Now there is an answer, which is stored.
    expect((await load(remote().files, store)).use).toMatchObject({ state: 'stored' });
    const known = remote();
    await load(known.files, store);
    expect(known.asked).toEqual([]);
  });

  it('stays when the network fails for a file that it lacks', async () => {
    const store = folderStore(newFolder());
    await load({ ...remote().files, isUnsure: () => true }, store);
    const failing = { ...remote().files, open: () => Promise.reject(new ModelFileError('HTTP 500')) };
    const files = await cachedFiles(failing, { store });
    const error = await readBytes(files, '1_Pooling/config.json').catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(ModelFileError);
    await files.discard(error);
    expect(await listEntries(store)).toHaveLength(1);
  });

  it('is listed, and deleted by entry or by source', async () => {
    const store = folderStore(newFolder());
    expect(await listEntries(store)).toEqual([]);
    const before = Date.now();
    for (const dtype of ['auto', 'q4'] as const) await load(remote().files, store, 'auto', dtype);
    await load(remote('org/other').files, store);
    const listed = await listEntries(store);
    expect(listed.map(({ source, dtype }) => [source, dtype])).toEqual([
      ['org/other', 'q8'],
      ['org/name', 'q4'],
      ['org/name', 'q8'],
    ]);
    expect(listed[1]).toMatchObject({ revision: 'main', commit: 'c1', bytes: 300_010 });
    expect(listed[1].storedAt.getTime()).toBeGreaterThanOrEqual(before);
    expect(await deleteEntries(store, listed[1])).toBe(300_010);
    expect(await deleteEntries(store, listed[1])).toBe(0);
    expect(await deleteEntries(store, 'org/name')).toBe(300_010);
    expect((await listEntries(store)).map(({ source }) => source)).toEqual(['org/other']);
  });

  it('is used only for its dtype, revision or commit, and for auto if auto chose it', async () => {
    const store = folderStore(newFolder());
    await load(remote().files, store, 'auto', 'q8');
    const dtypeFor = async (change: object, dtype: 'auto' | Dtype) => {
      const { files } = remote();
      const session = await cachedFiles({ ...files, identity: { ...files.identity!, ...change } }, { store, dtype });
      await session.finish('q8');
      return session.dtype;
    };
    expect(await dtypeFor({}, 'q8')).toBe('q8');
    expect(await dtypeFor({ revision: 'c1' }, 'q8')).toBe('q8');
    expect(await dtypeFor({ revision: 'other' }, 'q8')).toBeUndefined();
    expect(await dtypeFor({ hubUrl: 'https://mirror.example' }, 'q8')).toBeUndefined();
    expect(await dtypeFor({}, 'q4')).toBeUndefined();
    expect(await dtypeFor({}, 'auto')).toBeUndefined();
  });

  it('is replaced by refresh, and untouched by none', async () => {
    const store = folderStore(newFolder());
    await load(remote().files, store);
    const again = remote('org/name', { 'config.json': numberedBytes(20) });
    expect((await load(again.files, store, 'none')).use).toMatchObject({ state: 'off' });
    expect((await load(again.files, store, 'refresh')).use).toMatchObject({ state: 'stored', bytes: 300_020 });
    expect((await listEntries(store)).map(({ bytes }) => bytes)).toEqual([300_020]);
    await expect(load(again.files, store, 'all' as 'auto')).rejects.toThrow(/cache must be one of .*'all'/);
  });

  it('is loaded again if a stored file is cut off', async () => {
    const folder = newFolder();
    await load(remote().files, folderStore(folder));
    const [id] = await readdir(folder);
    await truncate(join(folder, id, 'model.safetensors'), 1000);
    const again = remote();
    expect((await load(again.files, folderStore(folder))).use.state).toBe('stored');
    expect(again.asked).toEqual(NAMES);
    expect(await readdir(folder)).not.toContain(id);
  });
});

describe('a load that fails', () => {
  const leave = async (files: CachedFiles, error: unknown) => {
    const file = files.keep((await files.open('model.safetensors'))!);
    const reader = file.stream.getReader();
    await reader.read();
    await reader.cancel(error);
    await files.discard(error);
  };

  it('leaves nothing, wherever it stops', async () => {
    const folder = newFolder();
    const open = () => cachedFiles(remote().files, { store: folderStore(folder) });
    await leave(await open(), new DOMException('stop', 'AbortError'));
    expect(await readdir(folder)).toEqual([]);
    const whole = await open();
    for (const name of NAMES) await readBytes(whole, name);
    await whole.discard(new ModelFileError('a NaN'));
    expect(await readdir(folder)).toEqual([]);
    expect((await load(remote().files, folderStore(folder))).use.state).toBe('stored');
  });

  it('removes broken stored files, but keeps them after an abort', async () => {
    const store = folderStore(newFolder());
    await load(remote().files, store);
    await (await cachedFiles(remote().files, { store })).discard(new DOMException('stop', 'AbortError'));
    expect(await listEntries(store)).toHaveLength(1);
    await (await cachedFiles(remote().files, { store })).discard(new ModelFileError('a NaN'));
    expect(await listEntries(store)).toEqual([]);
  });

  it('does not store a file with fewer bytes than it should have', async () => {
    const folder = newFolder();
    const { files } = remote();
    const session = await cachedFiles(files, { store: folderStore(folder) });
    const short = session.keep(fileOf(numberedBytes(100), { name: 'a', size: 200 }));
    expect((await new Response(short.stream).arrayBuffer()).byteLength).toBe(100);
    expect(await session.finish('q8')).toMatchObject({ state: 'stored', bytes: 0 });
    expect(await readdir(folder).then(([id]) => readdir(join(folder, id)))).not.toContain('a');
  });

  it('of a dead process is removed an hour later', async () => {
    const folder = newFolder();
    const store = folderStore(folder);
    const writer = (await (await store())!.write('dead', 'model.safetensors')).getWriter();
    await writer.write(numberedBytes(10));
    await load(remote().files, store);
    expect(await readdir(folder)).toContain('dead');
    const old = new Date(Date.now() - 2 * 3600_000);
    for (const path of ['dead/model.safetensors.part', 'dead']) await utimes(join(folder, path), old, old);
    await load(remote().files, store, 'refresh');
    expect(await readdir(folder)).not.toContain('dead');
    await writer.abort();
  });
});

describe('storage that fails', () => {
  const full = () => new DOMException('The quota is used up.', 'QuotaExceededError');
  const space = async () => ({ quota: 1000, usage: 995 });

  it.each<[string, (store: Store) => Partial<Store>]>([
    [
      'when a file is begun',
      () => ({
        write: async () => {
          throw full();
        },
      }),
    ],
    [
      'in the middle',
      () => {
        let written = 0;
        return {
          write: async () =>
            new WritableStream({
              write(chunk) {
                written += chunk.length;
                if (written > 100_000) throw full();
              },
            }),
        };
      },
    ],
    [
      'at its end',
      () => ({
        write: async () =>
          new WritableStream({
            close() {
              throw full();
            },
          }),
      }),
    ],
  ])('%s does not stop the load, and is reported with numbers', async (_, change) => {
    const folder = newFolder();
    const store = changed(folderStore(folder), (store) => ({ ...change(store), space }));
    const { read, use } = await load(remote().files, store);
    expect(read).toEqual([10, undefined, 300_000]);
    expect(use).toMatchObject({
      state: 'failed',
      store: 'folder',
      reason: 'The quota is used up.',
      quota: 1000,
      usage: 995,
    });
    expect(use.needed).toBeGreaterThan(0);
    expect(await readdir(folder).catch(() => [])).toEqual([]);
  });

  it('does not report a quota that would have sufficed', async () => {
    const store = changed(folderStore(newFolder()), () => ({
      space: async () => ({ quota: 10 << 20, usage: 900 }),
      write: () => Promise.reject(full()),
    }));
    const { use } = await load(remote().files, store);
    expect(use).toEqual({ state: 'failed', store: 'folder', reason: 'The quota is used up.', needed: 10, usage: 900 });
  });

  it('is not written to if the space is known to be too small', async () => {
    const written: string[] = [];
    const store = changed(folderStore(newFolder()), (store) => ({
      space: async () => ({ quota: 2_000_000, usage: 500_000 }),
      write(entry, file) {
        written.push(file);
        return store.write(entry, file);
      },
    }));
    const { files } = remote('org/name', { 'model.safetensors': numberedBytes(1_600_000) });
    expect((await load(files, store)).use).toEqual({
      state: 'failed',
      store: 'folder',
      reason: 'model.safetensors needs 1600000 bytes, and 500000 bytes of the quota of 2000000 are in use',
      needed: 1_600_010,
      quota: 2_000_000,
      usage: 500_000,
    });
    expect(written).toEqual(['config.json']);
  });

  it('or does not exist, does not stop the load', async () => {
    expect((await load(remote().files, async () => undefined)).use.state).toBe('failed');
    const refused = async () => {
      throw new DOMException('no', 'SecurityError');
    };
    expect((await load(remote().files, refused)).use).toEqual({ state: 'failed', reason: 'no' });
  });
});

it('two loads at one time store one entry', async () => {
  const folder = newFolder();
  const sessions = await Promise.all([1, 2].map(() => cachedFiles(remote().files, { store: folderStore(folder) })));
  const both = await Promise.all(sessions.map((files) => Promise.all(NAMES.map((name) => readBytes(files, name)))));
  expect(both.flat().map((bytes) => bytes?.length)).toEqual([10, undefined, 300_000, 10, undefined, 300_000]);
  for (const files of sessions) expect((await files.finish('q8')).state).toBe('stored');
  expect(await readdir(folder)).toHaveLength(1);
  expect((await load(remote().files, folderStore(folder))).use.state).toBe('hit');
});

it('files on this device are not stored', async () => {
  const { files } = remote();
  const { use } = await load({ ...files, identity: undefined }, folderStore(newFolder()), 'always');
  expect(use).toEqual({ state: 'off', reason: 'files on this device are not stored' });
});
