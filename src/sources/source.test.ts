import { createServer, type IncomingMessage, type RequestListener, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { gzipSync } from 'node:zlib';
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest';
import { ModelFileError } from '../api/errors';
import type { ModelSource } from '../api/types';
import { listCheckpointFiles } from '../formats/checkpoint';
import { fileOf, numberedBytes, safetensorsBytes } from '../formats/fixtures';
import type { ModelFiles } from '../formats/model-files';
import { readBytes, readJson } from '../formats/read';
import { readSafetensors } from '../formats/safetensors';
import { openFiles } from './source';

const WEIGHTS = safetensorsBytes({ t: { dtype: 'F16', shape: [500], data_offsets: [0, 1000] } }, numberedBytes(1000));
const CONFIG = { model_type: 'modernbert' };
const PAGE = '<!doctype html><title>The app</title>';

const routes: Record<string, RequestListener> = {
  '/nano/config.json': (_, response) => response.end(JSON.stringify(CONFIG)),
  '/nano/1_Pooling/config.json': (_, response) => response.end('{}'),
  '/nano/model.safetensors': (_, response) => response.setHeader('content-length', WEIGHTS.length).end(WEIGHTS),
  '/nano/chunked.bin'(_, response) {
    response.write('abc');
    response.end('def');
  },
  '/nano/packed.json'(_, response) {
    const packed = gzipSync(JSON.stringify(CONFIG));
    response.writeHead(200, { 'content-encoding': 'gzip', 'content-length': packed.length }).end(packed);
  },
  '/nano/cut.bin'(request, response) {
    response.setHeader('content-length', 1000).write(numberedBytes(100), () => request.socket.destroy());
  },
  '/nano/slow.bin': (_, response) => void response.setHeader('content-length', 1000).write(numberedBytes(100)),
  '/nano/silent.bin': () => {},
  '/nano/broken.bin': (_, response) => response.writeHead(500).end('oops'),
  '/nano/secret.bin': (_, response) => response.writeHead(403).end('no'),
  '/nano/gone.bin': (_, response) => response.writeHead(410).end(),
  '/nano/empty.bin': (_, response) => response.writeHead(204).end(),
  '/nano/a%20b%231.json': (_, response) => response.end('"a b#1"'),
  '/hub/org/gated/resolve/main/config.json'({ headers }, response) {
    if (headers.authorization === 'Bearer hf_secret') response.end(JSON.stringify(CONFIG));
    else response.writeHead(401).end();
  },
  '/hub/org/na.me/resolve/refs%2Fpr%2F1/1_Pooling/config.json': (_, response) => response.end('{}'),
};

const requests: IncomingMessage[] = [];
let server: Server;
let origin: string;

beforeAll(async () => {
  server = createServer((request, response) => {
    requests.push(request);
    const path = request.url?.replace(/\?.*/, '') ?? '';
    const route = routes[path];
    if (route) route(request, response);
    else if (path.startsWith('/spa/'))
      response.writeHead(200, { 'content-type': 'text/html; charset=utf-8' }).end(PAGE);
    else response.writeHead(404, { 'content-type': 'text/html' }).end(PAGE);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
});

afterAll(() => {
  server.closeAllConnections();
  server.close();
});

afterEach(() => {
  requests.length = 0;
  vi.unstubAllGlobals();
});

describe('files of a URL', () => {
  it('reads a checkpoint from the folder, with or without its last slash, as a string or a URL', async () => {
    for (const source of [`${origin}/nano`, `${origin}/nano/`, new URL(`${origin}/nano`)]) {
      const files = openFiles(source);
      expect(files.where).toBe(`${origin}/nano/`);
      expect(await readJson(files, 'config.json', { required: true })).toEqual(CONFIG);
      const { names, open } = await listCheckpointFiles(files);
      const file = await open(names[0]);
      expect(file.size).toBe(WEIGHTS.length);
      const got: number[] = [];
      await readSafetensors(file, {
        header: () => new Set(['t']),
        chunk: (_, __, bytes) => void got.push(...bytes),
      });
      expect(got).toEqual([...numberedBytes(1000)]);
    }
    expect(requests.map(({ url }) => url)).toEqual(
      Array(3).fill(['/nano/config.json', '/nano/model.safetensors']).flat(),
    );
  });

  it('encodes file names, and keeps the query that may grant access', async () => {
    const signed = openFiles(`${origin}/nano?key=1&sig=a%2Fb#part`);
    expect(await readJson(signed, 'a b#1.json')).toBe('a b#1');
    expect([signed.where, signed.identity?.source]).toEqual([`${origin}/nano/`, `${origin}/nano/`]);
    expect(requests[0].url).toBe('/nano/a%20b%231.json?key=1&sig=a%2Fb');
    expect(await readJson(openFiles(`${origin}/nano`), '1_Pooling/config.json')).toEqual({});
  });

  it('resolves a path against the page, or the worker if there is none', async () => {
    expect(() => openFiles('./nano')).toThrow(TypeError);
    expect(() => openFiles('./nano')).toThrow('"./nano" is not an absolute URL, and there is no page');
    vi.stubGlobal('location', new URL(`${origin}/assets/worker.js`));
    for (const source of ['/nano', '../nano', '../nano/']) {
      expect(await readJson(openFiles(source), 'config.json')).toEqual(CONFIG);
    }
    vi.stubGlobal('document', { baseURI: `${origin}/index.html` });
    for (const source of ['./nano', '/nano', 'nano/']) {
      expect(await readJson(openFiles(source), 'config.json')).toEqual(CONFIG);
    }
  });

  it('returns undefined for a missing file, and says why', async () => {
    const files = openFiles(`${origin}/nano`);
    expect(await files.open('nothing.json')).toBeUndefined();
    expect(await files.open('gone.bin')).toBeUndefined();
    const reading = readBytes(files, 'nothing.json', { required: true });
    const message = `There is no nothing.json in ${origin}/nano/: HTTP 404 for ${origin}/nano/nothing.json.`;
    await expect(reading).rejects.toThrow(message);
    await expect(reading).rejects.toBeInstanceOf(ModelFileError);
  });

  it('treats a page that the server sends for any name as a missing file', async () => {
    const files = openFiles(`${origin}/spa`);
    expect(await readJson(files, 'config.json')).toBeUndefined();
    const reading = readBytes(files, 'config.json', { required: true });
    await expect(reading).rejects.toThrow(`the server answered ${origin}/spa/config.json with a page of HTML`);
    await expect(listCheckpointFiles(files)).rejects.toThrow('with a page of HTML');
  });

  it('names status and URL of other HTTP errors', async () => {
    const files = openFiles(`${origin}/nano`, { retryDelay: 1 });
    await expect(files.open('broken.bin')).rejects.toBeInstanceOf(ModelFileError);
    await expect(files.open('broken.bin')).rejects.toThrow(`HTTP 500 for ${origin}/nano/broken.bin.`);
    await expect(files.open('broken.bin')).rejects.not.toThrow('token');
    await expect(files.open('secret.bin')).rejects.toThrow(`HTTP 403 for ${origin}/nano/secret.bin. The model may be`);
  });

  it('names the URL when there is no server, and keeps the cause', async () => {
    const gone = createServer();
    await new Promise<void>((resolve) => gone.listen(0, '127.0.0.1', resolve));
    const { port } = gone.address() as AddressInfo;
    await new Promise((resolve) => gone.close(resolve));
    const opening = openFiles(`http://127.0.0.1:${port}/nano`, { retryDelay: 1 }).open('config.json');
    await expect(opening).rejects.toBeInstanceOf(ModelFileError);
    await expect(opening).rejects.toThrow(`http://127.0.0.1:${port}/nano/config.json`);
    await expect(opening).rejects.toThrow('ECONNREFUSED');
    await expect(opening).rejects.toMatchObject({ cause: { name: 'TypeError' } });
  });

  it('knows a size only if content-length is the size', async () => {
    const files = openFiles(`${origin}/nano`);
    expect((await files.open('chunked.bin'))?.size).toBeUndefined();
    expect(await readBytes(files, 'chunked.bin')).toEqual(new TextEncoder().encode('abcdef'));
    expect((await files.open('packed.json'))?.size).toBeUndefined();
    expect(await readJson(files, 'packed.json')).toEqual(CONFIG);
    expect(await readBytes(files, 'empty.bin')).toEqual(new Uint8Array());
    // Browsers hide content-encoding across origins, so the length proves nothing.
    const response = new Response('packed', { headers: { 'content-length': '6' } });
    Object.defineProperty(response, 'type', { value: 'cors' });
    vi.stubGlobal('fetch', async () => response);
    expect((await files.open('config.json'))?.size).toBeUndefined();
  });

  it('names the file whose connection breaks', async () => {
    const reading = readBytes(openFiles(`${origin}/nano`, { retryDelay: 1 }), 'cut.bin');
    await expect(reading).rejects.toBeInstanceOf(ModelFileError);
    await expect(reading).rejects.toThrow(/cut\.bin stopped after \d+ of 1000 bytes/);
  });

  it('aborts before the answer and in the middle of the body', async () => {
    const files = openFiles(`${origin}/nano`);
    for (const name of ['silent.bin', 'slow.bin']) {
      const controller = new AbortController();
      const reading = readBytes(files, name, { signal: controller.signal });
      setTimeout(() => controller.abort(), 30);
      await expect(reading).rejects.toMatchObject({ name: 'AbortError' });
    }
    const reason = new Error('enough');
    await expect(files.open('config.json', AbortSignal.abort(reason))).rejects.toBe(reason);
  });
});

describe('files of the Hub', () => {
  it('requests id, revision and file, each part encoded', async () => {
    const files = openFiles('org/na.me', { hubUrl: `${origin}/hub/`, revision: 'refs/pr/1' });
    expect(await readJson(files, '1_Pooling/config.json')).toEqual({});
    expect(requests[0].headers.authorization).toBeUndefined();
    expect(files.where).toBe(`${origin}/hub/org/na.me (refs/pr/1)`);
    vi.stubGlobal('fetch', async (url: string) => new Response(JSON.stringify(url)));
    expect(await readJson(openFiles('answerdotai/ModernBERT-base'), 'config.json')).toBe(
      'https://huggingface.co/answerdotai/ModernBERT-base/resolve/main/config.json',
    );
  });

  it('sends a token only if there is one, and only to the Hub', async () => {
    const hubUrl = `${origin}/hub`;
    const token = 'hf_secret';
    expect(await readJson(openFiles('org/gated', { hubUrl, token }), 'config.json')).toEqual(CONFIG);
    const refused = openFiles('org/gated', { hubUrl }).open('config.json');
    await expect(refused).rejects.toThrow(/^HTTP 401 .*pass `token`/);
    await readJson(openFiles(`${origin}/nano`, { hubUrl, token }), 'config.json');
    expect(requests.map(({ headers }) => headers.authorization)).toEqual([
      `Bearer ${token}`,
      `Bearer ${token}`,
      undefined,
      undefined,
      undefined,
    ]);
  });

  it('refuses a token with a line end without repeating it', () => {
    expect(() => openFiles('org/gated', { token: 'hf_secret\n' })).toThrow(TypeError);
    expect(() => openFiles('org/gated', { token: 'hf_secret\n' })).not.toThrow('hf_secret');
  });
});

describe('given files', () => {
  const text = async (files: ModelFiles, name: string) => {
    const bytes = await readBytes(files, name);
    return bytes && new TextDecoder().decode(bytes);
  };

  it('come from a Map or an object', async () => {
    const blob = new Blob(['{}']);
    for (const source of [new Map([['config.json', blob]]), { 'config.json': blob }]) {
      const files = openFiles(source);
      expect((await files.open('config.json'))?.size).toBe(2);
      expect(await text(files, 'config.json')).toBe('{}');
      expect(await files.open('toString')).toBeUndefined();
      const reading = readBytes(files, 'model.safetensors', { required: true });
      await expect(reading).rejects.toThrow('There is no model.safetensors in the given files: there are config.json.');
    }
  });

  it('lose the folder that a folder picker puts in front, but no other', async () => {
    const picked = (...names: string[]) => openFiles(new Map(names.map((name) => [name, new Blob([name])])));
    const folder = picked('nano/config.json', 'nano/1_Pooling/config.json');
    expect(await text(folder, 'config.json')).toBe('nano/config.json');
    expect(await text(folder, '1_Pooling/config.json')).toBe('nano/1_Pooling/config.json');
    expect(await text(folder, 'nano/config.json')).toBeUndefined();
    const deep = picked('a/b/1_Pooling/config.json', 'a/b/config.json');
    expect(await text(deep, 'config.json')).toBe('a/b/config.json');
    const plain = picked('1_Pooling/config.json', 'config.json');
    expect(await text(plain, '1_Pooling/config.json')).toBe('1_Pooling/config.json');
    const alike = picked('nano/config.json', 'nano-embed/config.json');
    expect(await text(alike, 'nano/config.json')).toBe('nano/config.json');
  });
});

describe('local folders', () => {
  const local: ModelFiles = { where: 'here', open: async (name) => fileOf(numberedBytes(3), { name }) };

  it('are tried first, for anything but http', () => {
    const asked: string[] = [];
    const folder = (path: string) => {
      asked.push(path);
      return local;
    };
    for (const source of ['org/name', './nano', 'nano', 'C:\\nano', 'file:///nano', new URL('file:///nano')]) {
      expect(openFiles(source, { folder }).where).toBe('here');
    }
    expect(openFiles(`${origin}/nano`, { folder }).where).not.toBe('here');
    expect(asked).toEqual(['org/name', './nano', 'nano', 'C:\\nano', 'file:///nano', 'file:///nano']);
  });

  it('are reported if they do not exist, unless the name is a Hub id', () => {
    const folder = () => undefined;
    for (const source of ['./nano', '/nano', 'a/b/', 'file:///nano']) {
      expect(() => openFiles(source, { folder })).toThrow(ModelFileError);
      expect(() => openFiles(source, { folder })).toThrow(`There is no folder ${source}`);
    }
    expect(openFiles('org/name', { folder }).where).toBe('https://huggingface.co/org/name (main)');
  });
});

describe('anything but a source', () => {
  it.each<[unknown, string]>([
    ['bert', "Write './bert' for a folder of that name, or 'org/bert' for a model on the Hugging Face Hub."],
    ['', '"". Accepted: '],
    ['a/b/c', '"a/b/c". Accepted: '],
    ['hf://org/name', '"hf://org/name". Accepted: '],
    ['org/..', '"org/..". Accepted: '],
    ['org/na me', '"org/na me". Accepted: '],
    [undefined, 'undefined. Accepted: '],
    [null, 'null. Accepted: '],
    [7, '7. Accepted: '],
    [[new Blob()], 'a list. For picked files: new Map('],
    [{}, 'no files were given'],
    [new Map(), 'no files were given'],
    [{ 'config.json': '{}' }, '"config.json" is not a file name with a Blob'],
    [new Map([[1, new Blob()]]), '1 is not a file name with a Blob'],
  ])('refuses %j with a TypeError that says so', (source, message) => {
    expect(() => openFiles(source as ModelSource)).toThrow(TypeError);
    expect(() => openFiles(source as ModelSource)).toThrow(message);
  });
});
