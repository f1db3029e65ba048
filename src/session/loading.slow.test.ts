import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { copyFile, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { createServer, type RequestListener, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { create } from 'webgpu';
import { ModelFileError } from '../api/errors';
import { parseHeader, safetensorsHeader } from '../formats/safetensors';
import { checkpointFolder } from '../model/fixtures/golden';
import { twinFolder } from '../model/fixtures/twin';
import { deleteCached, listCached, loadModel } from '../node';
import type { OpenStore, Store } from '../store/entries';
import { folderStore } from '../store/folder';
import type { OpenOptions } from './load-runtime';
import { openModel } from './open';

/** Dawn's null backend allocates and validates like the others but computes nothing: enough to load a model. */
const gpu = create(['backend=null']);
const FOLDER = checkpointFolder('tiny-mlm');

/** The checkpoint that the Hub serves. */
let folder = FOLDER;
let server: Server;
let hubUrl: string;
let cacheFolder: string;
const requests: string[] = [];
/** Answers a request instead of the Hub if it returns true. */
let misbehave: (...args: Parameters<RequestListener>) => boolean = () => false;

const hub: RequestListener = async (request, response) => {
  const path = request.url ?? '';
  requests.push(path);
  if (misbehave(request, response)) return;
  if (path.startsWith('/api/')) {
    const names = (await readdir(folder, { recursive: true })).filter((name) => /\.\w+$/.test(name));
    const siblings = names.map(async (rfilename) => {
      const bytes = await readFile(join(folder, rfilename));
      return { rfilename, size: bytes.length, lfs: { sha256: createHash('sha256').update(bytes).digest('hex') } };
    });
    response.end(JSON.stringify({ sha: 'c1', siblings: await Promise.all(siblings) }));
  } else response.end(await readFile(join(folder, path.replace(/^.*\/resolve\/c1\//, ''))));
};

beforeAll(async () => {
  cacheFolder = await mkdtemp(join(tmpdir(), 'cache-'));
  server = createServer(hub).listen(0, '127.0.0.1');
  await once(server, 'listening');
  hubUrl = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
});
afterEach(async () => {
  misbehave = () => false;
  folder = FOLDER;
  requests.length = 0;
  await rm(cacheFolder, { recursive: true, force: true });
});
afterAll(() => {
  server.closeAllConnections();
  server.close();
});

const load = async (options: object = {}) => {
  const model = await loadModel('org/tiny', { hubUrl, gpu, selfCheck: false, cacheFolder, ...options });
  await model.dispose();
  return model.info;
};
const stored = () => readdir(cacheFolder).catch(() => []);

describe('a model from the Hub', () => {
  it.each(['f32', 'f16', 'q8', 'q4'] as const)('loads without network access the second time (%s)', async (dtype) => {
    const first = await load({ dtype });
    expect(first).toMatchObject({ dtype, commit: 'c1', cache: { state: 'stored', store: 'folder' } });
    expect(requests.length).toBe(3);
    misbehave = ({ socket }) => Boolean(socket.destroy());
    const second = await load({ dtype });
    expect(second).toMatchObject({ dtype, commit: 'c1', cache: { state: 'hit', bytes: first.cache.bytes } });
    expect(requests.length).toBe(3);
  });

  it('also loads its Dense modules without network access', async () => {
    folder = twinFolder('dense');
    const first = await load({ dtype: 'q8' });
    expect(requests.filter((path) => /_Dense\/model\.safetensors$/.test(path))).toHaveLength(2);
    misbehave = ({ socket }) => Boolean(socket.destroy());
    const second = await load({ dtype: 'q8' });
    expect(second).toEqual({ ...first, cache: { ...first.cache, state: 'hit' } });
    expect(second.embeddingSize).toBe(24);
  });

  it('also if its weights are in two files, whose index does not know the scales', async () => {
    folder = await mkdtemp(join(tmpdir(), 'shards-'));
    const bytes = await readFile(join(FOLDER, 'model.safetensors'));
    const start = 8 + Number(bytes.readBigUInt64LE(0));
    const tensors = parseHeader(bytes.subarray(8, start), 'tiny');
    const weight_map: Record<string, string> = {};
    for (const [i, name] of ['one.safetensors', 'two.safetensors'].entries()) {
      const own = tensors.filter((_, t) => t % 2 === i);
      for (const tensor of own) weight_map[tensor.name] = name;
      const { header } = safetensorsHeader(
        own.map((tensor) => ({ ...tensor, bytes: tensor.end - tensor.begin })),
        {},
      );
      const data = own.map(({ begin, end }) => bytes.subarray(start + begin, start + end));
      await writeFile(join(folder, name), Buffer.concat([header, ...data]));
    }
    await writeFile(join(folder, 'model.safetensors.index.json'), JSON.stringify({ weight_map }));
    await copyFile(join(FOLDER, 'config.json'), join(folder, 'config.json'));
    const first = await load({ dtype: 'q8' });
    expect(first).toMatchObject({ dtype: 'q8', cache: { state: 'stored' } });
    misbehave = ({ socket }) => Boolean(socket.destroy());
    expect(await load({ dtype: 'q8' })).toMatchObject({ dtype: 'q8', cache: { state: 'hit' } });
    await rm(folder, { recursive: true });
  });

  it('is listed and deleted', async () => {
    const { dtype, cache } = await load();
    expect(await listCached({ cacheFolder })).toMatchObject([
      { source: 'org/tiny', hubUrl, revision: 'main', commit: 'c1', dtype, bytes: cache.bytes },
    ]);
    expect(await deleteCached('org/tiny', { cacheFolder })).toBe(cache.bytes);
    expect(await stored()).toEqual([]);
  });
});

describe('a server that misbehaves leaves nothing in the cache:', () => {
  const weightsAnswer =
    (answer: RequestListener) =>
    (...[request, response]: Parameters<RequestListener>) => {
      if (!request.url?.endsWith('.safetensors')) return false;
      answer(request, response);
      return true;
    };
  it.each<[string, RequestListener, string]>([
    ['404', (_, response) => response.writeHead(404).end(), 'HTTP 404'],
    ['403', (_, response) => response.writeHead(403).end(), 'HTTP 403'],
    ['HTML', (_, response) => response.end('<!doctype html>'), 'page of HTML'],
    [
      'too short, and changed when asked again',
      (_, response) => response.setHeader('etag', `"${requests.length}"`).end('x'),
      'stopped after 1 of',
    ],
    [
      'other bytes of the right length',
      async (_, response) => {
        const bytes = await readFile(join(FOLDER, 'model.safetensors'));
        bytes[bytes.length - 2] ^= 1;
        response.end(bytes);
      },
      'its sha256 is',
    ],
  ])('%s', async (_, answer, message) => {
    misbehave = weightsAnswer(answer);
    const loading = load();
    await expect(loading).rejects.toThrow(ModelFileError);
    await expect(loading).rejects.toThrow(message);
    expect(await stored()).toEqual([]);
    misbehave = () => false;
    expect((await load()).cache.state).toBe('stored');
    expect((await load()).cache.state).toBe('hit');
  });
});

describe('an abort leaves nothing in the cache:', () => {
  const openStore =
    (change: (store: Store) => Partial<Store>): OpenStore =>
    async () => {
      const store = (await folderStore(cacheFolder)())!;
      return { ...store, ...change(store) };
    };
  /** Options (and a Hub) that abort at one stage of the load. */
  const stages: Record<string, (abort: () => void) => Partial<OpenOptions>> = {
    'before the Hub responds': (abort) => {
      misbehave = () => Boolean(setTimeout(abort, 20));
      return {};
    },
    'before the response for a file': (abort) => {
      misbehave = ({ url }) => url!.endsWith('config.json') && Boolean(setTimeout(abort, 20));
      return {};
    },
    'in the middle of the weights': (abort) => {
      misbehave = ({ url }, response) =>
        url!.endsWith('.safetensors') &&
        readFile(join(FOLDER, 'model.safetensors')).then((bytes) =>
          response.write(bytes.subarray(0, bytes.length / 2), () => setTimeout(abort, 50)),
        ) !== undefined;
      return {};
    },
    'at the last byte, while it is hashed and converted': (abort) => ({
      onProgress: ({ file, loaded, total }) => void (file === 'model.safetensors' && loaded === total && abort()),
    }),
    'while the weights are stored': (abort) => ({
      store: openStore((store) => ({
        write(entry, file) {
          if (file === 'model.safetensors') abort();
          return store.write(entry, file);
        },
      })),
    }),
  };

  it.each(Object.entries(stages))('%s', async (_, stage) => {
    const controller = new AbortController();
    const options = stage(() => controller.abort());
    const loading = openModel('org/tiny', {
      hubUrl,
      gpu,
      selfCheck: false,
      dtype: 'q8',
      signal: controller.signal,
      store: folderStore(cacheFolder),
      ...options,
    });
    await expect(loading).rejects.toMatchObject({ name: 'AbortError' });
    expect(await stored()).toEqual([]);
    misbehave = () => false;
    expect((await load({ dtype: 'q8' })).cache.state).toBe('stored');
    expect((await load({ dtype: 'q8' })).cache.state).toBe('hit');
  });
});
