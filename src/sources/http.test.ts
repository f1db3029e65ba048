import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type IncomingMessage, type RequestListener, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest';
import { ModelFileError } from '../api/errors';
import type { Progress } from '../api/types';
import { numberedBytes } from '../formats/fixtures';
import type { ModelFiles } from '../formats/model-files';
import { readBytes } from '../formats/read';
import { noise, pageFetch } from './fixtures';
import { type Expected, openHttp } from './http';
import { hubFiles } from './hub';

/** A server that behaves as the test says, and its requests. */
let server: Server;
let origin: string;
let behave: RequestListener = (_, response) => void response.end();
const requests: IncomingMessage[] = [];

beforeAll(async () => {
  server = createServer((request, response) => {
    requests.push(request);
    behave(request, response);
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
});
afterEach(() => {
  requests.splice(0);
  vi.restoreAllMocks();
  vi.unstubAllGlobals();
  vi.useRealTimers();
});
afterAll(() => {
  server.closeAllConnections();
  server.close();
});

const BYTES = noise(300_000);
/** How many bytes a resumed download asks for again. */
const OVERLAP = 65_536;
const sha256 = (bytes: Uint8Array) => createHash('sha256').update(bytes).digest('hex');

/** Sends BYTES from the requested start, and breaks the connection after `parts[i]` of them in the i-th answer. */
function cutting(
  parts: number[],
  headers: (answer: number) => Record<string, string> = () => ({ etag: '"1"' }),
  takesRange = true,
) {
  let answers = 0;
  return ({ headers: { range }, socket }: IncomingMessage, response: ServerResponse) => {
    const answer = answers++;
    const start = takesRange ? Number(/^bytes=(\d+)-$/.exec(range ?? '')?.[1] ?? 0) : 0;
    const rest = BYTES.subarray(start);
    const isPart = start > 0;
    response.writeHead(isPart ? 206 : 200, {
      'content-length': rest.length,
      ...(isPart && { 'content-range': `bytes ${start}-${BYTES.length - 1}/${BYTES.length}` }),
      ...headers(answer),
    });
    const part = parts[answer];
    if (part === undefined) response.end(rest);
    else response.write(rest.subarray(0, part), () => setTimeout(() => socket.destroy(), 20));
  };
}

const filesAt = (expected?: Expected): ModelFiles => ({
  where: origin,
  async open(name, signal) {
    const answer = await openHttp(name, `${origin}/${name}`, { signal, expected, retryDelay: 1 });
    return 'file' in answer ? answer.file : undefined;
  },
});
const read = async (expected?: Expected) => (await readBytes(filesAt(expected), 'a.bin', { required: true }))!;
const ranges = () => requests.map(({ headers }) => headers.range);

describe('a download that breaks', () => {
  it('resumes where it was, with the progress', async () => {
    behave = cutting([130_000, 100_000]);
    const progress: Progress[] = [];
    const bytes = await readBytes(filesAt({ sha256: sha256(BYTES) }), 'a.bin', {
      onProgress: (message) => progress.push(message),
    });
    expect(Buffer.compare(bytes ?? Buffer.of(), BYTES)).toBe(0);
    const next = 130_000 - OVERLAP + 100_000;
    expect(ranges()).toEqual([undefined, `bytes=${130_000 - OVERLAP}-`, `bytes=${next - OVERLAP}-`]);
    expect(progress.at(-1)).toEqual({ file: 'a.bin', loaded: 300_000, total: 300_000 });
  });

  it('continues if the server sends the whole file again', async () => {
    behave = cutting([130_000], () => ({ 'last-modified': 'Tue, 24 Nov 2026 20:00:00 GMT' }), false);
    expect(Buffer.compare(await read(), BYTES)).toBe(0);
    expect(requests).toHaveLength(2);
  });

  it('never joins two versions', async () => {
    behave = cutting([130_000], (answer) => ({ etag: `"${answer}"` }));
    await expect(read()).rejects.toThrow(
      'a.bin stopped after 130000 of 300000 bytes, and it cannot resume: the file has changed',
    );
    expect(requests).toHaveLength(2);
  });

  it('compares every byte of the overlap, whichever way the answers come in pieces', async () => {
    for (const [broken, isWhole] of [
      [129_999, false],
      [130_000 - OVERLAP, true],
    ] as const) {
      const changed = BYTES.slice();
      changed[broken] ^= 1;
      const cut = cutting([130_000], () => ({}));
      behave = (request, response) => {
        if (!request.headers.range) return cut(request, response);
        const start = isWhole ? 0 : 130_000 - OVERLAP;
        if (!isWhole) response.writeHead(206);
        for (let at = start; at < BYTES.length; at += 7777) response.write(changed.subarray(at, at + 7777));
        response.end();
      };
      await expect(read()).rejects.toThrow('the file has changed');
    }
  });

  it('learns the size from the answer that goes on, and goes on until then', async () => {
    let answers = 0;
    behave = ({ headers: { range }, socket }, response) => {
      const start = Number(/^bytes=(\d+)-$/.exec(range ?? '')?.[1] ?? 0);
      if (start > 0) response.writeHead(206, { 'content-range': `bytes ${start}-299999/300000` });
      const isLast = ++answers === 3;
      const sent = BYTES.subarray(start, isLast ? undefined : start + 130_000);
      if (answers > 1) response.end(sent);
      else response.write(sent, () => setTimeout(() => socket.destroy(), 20));
    };
    expect(Buffer.compare(await read(), BYTES)).toBe(0);
    expect(answers).toBe(3);
  });

  it('holds no more of the past than it asks for again, but for one chunk', async () => {
    const held: number[] = [];
    vi.stubGlobal(
      'Blob',
      class extends Blob {
        constructor(parts: Uint8Array<ArrayBuffer>[]) {
          super(parts);
          held.push(parts.reduce((sum, { length }) => sum + length, 0));
        }
      },
    );
    behave = cutting([250_000]);
    const bytes = await read();
    expect(Buffer.compare(bytes, BYTES)).toBe(0);
    expect(held).toHaveLength(1);
    expect(held[0]).toBeGreaterThanOrEqual(OVERLAP);
    expect(held[0]).toBeLessThan(2 * OVERLAP + 1);
  });

  it('asks the server for the same version, unless that would need a preflight', async () => {
    const cases: [headers: Record<string, string>, version: string | undefined][] = [
      [{ etag: '"1"', 'last-modified': 'Tue, 24 Nov 2026 20:00:00 GMT' }, '"1"'],
      [{ etag: 'W/"1"', 'last-modified': 'Tue, 24 Nov 2026 20:00:00 GMT' }, 'Tue, 24 Nov 2026 20:00:00 GMT'],
      [{ etag: 'W/"1"' }, undefined],
    ];
    for (const [headers, version] of cases) {
      behave = cutting([130_000], () => headers);
      expect(Buffer.compare(await read(), BYTES)).toBe(0);
      expect(requests.splice(0).map((request) => request.headers['if-range'])).toEqual([undefined, version]);
    }
    const asPage = pageFetch(fetch);
    const fetches = vi.spyOn(globalThis, 'fetch').mockImplementation(asPage);
    behave = cutting([130_000], () => ({ 'access-control-allow-origin': '*', 'last-modified': 'x' }));
    expect(Buffer.compare(await read(), BYTES)).toBe(0);
    expect(fetches).toHaveBeenCalledTimes(2);
    expect(requests.map((request) => request.headers['if-range'])).toEqual([undefined, undefined]);
  });

  it('fails after three retries', async () => {
    behave = cutting([10, 10, 10, 10, 10]);
    await expect(read()).rejects.toThrow(/a\.bin stopped after 10 of 300000 bytes: .*Load it again/);
    expect(requests).toHaveLength(4);
  });

  it.each([
    ['a page', 200, { 'content-type': 'text/html' }, 'a page of HTML'],
    [
      'another part',
      206,
      { 'content-range': 'bytes 5-299999/300000', etag: '"1"' },
      'byte 64464 was requested, and the answer begins at 5',
    ],
    ['an error', 403, {}, 'HTTP 403'],
  ])('does not resume with %s', async (_, status, headers, message) => {
    const cut = cutting([130_000]);
    behave = (request, response) =>
      request.headers.range ? void response.writeHead(status, headers).end('x') : cut(request, response);
    await expect(read()).rejects.toThrow(message);
  });
});

describe('a file that is not as expected', () => {
  it('has another sha256', async () => {
    behave = (_, response) => response.end(numberedBytes(99));
    const reading = read({ sha256: sha256(BYTES) });
    await expect(reading).rejects.toThrow(ModelFileError);
    await expect(reading).rejects.toThrow(`its sha256 is ${sha256(numberedBytes(99))}, expected ${sha256(BYTES)}`);
  });

  it('is checked against the headers of the Hub', async () => {
    behave = (_, response) => response.setHeader('x-linked-etag', `"${sha256(BYTES)}"`).end(numberedBytes(99));
    await expect(read()).rejects.toThrow('its sha256 is');
    behave = (_, response) => response.setHeader('x-linked-size', 100).end(numberedBytes(99));
    await expect(read()).rejects.toThrow('a.bin stopped after 99 of 100 bytes');
  });

  it.each([
    [98, /goes on after the 98 bytes/],
    [100, /stopped after 99 of 100 bytes/],
  ])('has 99 bytes instead of %i', async (size, message) => {
    behave = (_, response) => response.setHeader('etag', '"1"').end(numberedBytes(99));
    await expect(read({ size })).rejects.toThrow(message);
  });

  it.each([
    ['text/html; charset=utf-8', 'x'],
    ['application/octet-stream', '\n <!DOCTYPE html><title>Sign in</title>'],
    ['application/json', '<?xml version="1.0"?><Error/>'],
  ])('is a page (%s)', async (type, body) => {
    behave = (_, response) => response.setHeader('content-type', type).end(body);
    expect(await openHttp('a.bin', `${origin}/a.bin`, {})).toEqual({
      missing: `the server answered ${origin}/a.bin with a page of HTML or XML`,
    });
  });

  it('is not a file of weights whose header is 60 bytes long', async () => {
    const bytes = Uint8Array.of(60, 0, 0, 0, 0, 0, 0, 0, 123);
    behave = (_, response) => response.end(bytes);
    expect(Buffer.compare(await read(), bytes)).toBe(0);
  });
});

describe('temporary failures', () => {
  const failing = (answers: [status: number, headers?: Record<string, string>][]) => {
    let next = 0;
    behave = (_, response) => {
      const [status, headers] = answers[next++] ?? [200];
      response.writeHead(status, headers).end(status === 200 ? BYTES : 'no');
    };
  };

  it('are retried: 5xx, 429 and a broken connection', async () => {
    failing([[503], [500], [429]]);
    expect(await read()).toHaveLength(300_000);
    let isFirst = true;
    behave = ({ socket }, response) => {
      if (!isFirst) return void response.end(BYTES);
      isFirst = false;
      socket.destroy();
    };
    expect(await read()).toHaveLength(300_000);
  });

  it('are retried after Retry-After, unless that is too long', async () => {
    vi.useFakeTimers();
    const busy = (seconds: string) => new Response('no', { status: 429, headers: { 'retry-after': seconds } });
    const fetches = vi.spyOn(globalThis, 'fetch');
    fetches.mockResolvedValueOnce(busy('1')).mockResolvedValueOnce(new Response(BYTES));
    const reading = read();
    await vi.advanceTimersByTimeAsync(999);
    expect(fetches).toHaveBeenCalledTimes(1);
    await vi.advanceTimersByTimeAsync(1);
    expect(await reading).toHaveLength(300_000);

    fetches.mockResolvedValueOnce(busy('3600'));
    await expect(read()).rejects.toThrow(/^HTTP 429 .* The server asks to wait 3600 s\./);
    expect(fetches).toHaveBeenCalledTimes(3);
  });

  it('fail after three retries, and other answers at once', async () => {
    failing([[500], [500], [500], [500], [500]]);
    await expect(read()).rejects.toThrow('HTTP 500');
    expect(requests.splice(0)).toHaveLength(4);
    for (const status of [400, 403, 404, 416]) {
      failing([[status]]);
      await expect(read()).rejects.toThrow(ModelFileError);
      expect(requests.splice(0)).toHaveLength(1);
    }
  });

  it('are not retried after an abort', async () => {
    failing([[429, { 'retry-after': '30' }]]);
    const controller = new AbortController();
    const opening = filesAt().open('a.bin', controller.signal);
    setTimeout(() => controller.abort(), 50);
    await expect(opening).rejects.toMatchObject({ name: 'AbortError' });
  });
});

describe('a stall', () => {
  it('ends the connection, and leaves no timer behind', async () => {
    const LONG = 7_654_321;
    const closed: Promise<unknown>[] = [];
    const cut = cutting([130_000]);
    behave = (request, response) => {
      if (request.headers.range) return cut(request, response);
      closed.push(once(response, 'close'));
      if (closed.length === 1) return; // not even an answer
      response.writeHead(200, { 'content-length': BYTES.length, etag: '"1"' }).write(BYTES.subarray(0, 130_000));
    };
    const answer = await openHttp('a.bin', `${origin}/a.bin`, { stallTimeout: 300, retryDelay: 1 });
    if (!('file' in answer)) expect.fail('no file');
    let length = 0;
    for await (const bytes of answer.file.stream) length += bytes.length;
    expect(length).toBe(300_000);
    await Promise.all(closed);

    const started = vi.spyOn(globalThis, 'setTimeout');
    const ended = vi.spyOn(globalThis, 'clearTimeout');
    const ours = () =>
      started.mock.results.filter((_, i) => started.mock.calls[i][1] === LONG).map(({ value }) => value);
    const open = () => openHttp('a.bin', `${origin}/a.bin`, { stallTimeout: LONG });
    behave = (_, response) => response.end(BYTES);
    const whole = await open();
    if (!('file' in whole)) expect.fail('no file');
    for await (const _ of whole.file.stream);
    const left = await open();
    if (!('file' in left)) expect.fail('no file');
    await left.file.stream.cancel();
    behave = () => {};
    const controller = new AbortController();
    const waiting = openHttp('a.bin', `${origin}/a.bin`, { stallTimeout: LONG, signal: controller.signal });
    controller.abort();
    await expect(waiting).rejects.toMatchObject({ name: 'AbortError' });
    behave = ({ socket }) => void socket.destroy();
    await expect(openHttp('a.bin', `${origin}/a.bin`, { stallTimeout: LONG, retryDelay: 1 })).rejects.toThrow();
    expect(ours().length).toBeGreaterThan(8);
    const cleared = ended.mock.calls.map(([timer]) => timer);
    expect(ours().filter((timer) => !cleared.includes(timer))).toEqual([]);
  });

  it('is never one with Infinity, or longer than timers can be', async () => {
    behave = (_, response) => response.end(BYTES);
    const started = vi.spyOn(globalThis, 'setTimeout');
    for (const stallTimeout of [Infinity, 2 ** 31]) {
      const answer = await openHttp('a.bin', `${origin}/a.bin`, { stallTimeout });
      if (!('file' in answer)) expect.fail('no file');
      for await (const _ of answer.file.stream);
      expect(started.mock.calls.filter(([, delay]) => delay === stallTimeout)).toEqual([]);
    }
  });
});

describe('an optional file', () => {
  const ask = (isOptional?: boolean) => openHttp('a.bin', `${origin}/a.bin?secret`, { isOptional, retryDelay: 1 });
  const FAILED = /^No answer from the network for .*\/a\.bin \(/;

  it.each([401, 403, 404, 410])('counts as missing if the server answers %i', async (status) => {
    behave = (_, response) => response.writeHead(status).end();
    expect(await ask(true)).toEqual({ isUnsure: status < 404, missing: `HTTP ${status} for ${origin}/a.bin` });
    if (status < 404) await expect(ask()).rejects.toThrow(`HTTP ${status} for ${origin}/a.bin.`);
  });

  it('counts as missing after one retry if no answer comes, and nobody may rely on that', async () => {
    behave = ({ socket }) => void socket.destroy();
    expect(await ask(true)).toEqual({ missing: expect.stringMatching(FAILED), isUnsure: true });
    expect(requests.splice(0)).toHaveLength(2);
    await expect(ask()).rejects.toThrow(FAILED);
    expect(requests.splice(0)).toHaveLength(4);
  });

  it('is an error if it is there and breaks', async () => {
    behave = cutting(Array(9).fill(10));
    const answer = await ask(true);
    if (!('file' in answer)) expect.fail('no file');
    const reading = (async () => {
      for await (const _ of answer.file.stream);
    })();
    await expect(reading).rejects.toThrow('stopped after 10 of 300000 bytes');
  });
});

it('cancelling a stream ends the connection at once', async () => {
  const closed = new Promise<void>((resolve) => {
    behave = (_, response) => {
      response.writeHead(200, { 'content-length': 1000 }).write(numberedBytes(100));
      response.on('close', resolve);
    };
  });
  const file = await filesAt().open('a.bin');
  const reader = file!.stream.getReader();
  await reader.read();
  void reader.read().catch(() => {}); // waits for the network
  await reader.cancel();
  await closed;
});

describe('the Hub', () => {
  const SIBLINGS = [
    { rfilename: 'config.json', size: 2 },
    { rfilename: 'a.bin', size: 300_000, lfs: { sha256: sha256(BYTES) } },
  ];
  const open = (token?: string) => hubFiles('org/name', { hubUrl: origin, token, retryDelay: 1 });
  const paths = () => requests.map(({ url }) => url);

  it('resolves the commit once, and reads every file from it', async () => {
    behave = ({ url }, response) => {
      if (url?.startsWith('/api/')) response.end(JSON.stringify({ sha: 'c1', siblings: SIBLINGS }));
      else response.end(url?.endsWith('a.bin') ? BYTES : '{}');
    };
    const files = open();
    await Promise.all(['config.json', 'a.bin', 'none.json'].map((name) => readBytes(files, name)));
    expect(files.identity).toEqual({ source: 'org/name', hubUrl: origin, revision: 'main', commit: 'c1' });
    expect(files.whyMissing?.('none.json')).toBe('commit c1 has no such file');
    expect(paths().sort()).toEqual([
      '/api/models/org/name/revision/main?blobs=true',
      '/org/name/resolve/c1/a.bin',
      '/org/name/resolve/c1/config.json',
    ]);
  });

  it('has sizes and sha256, which are checked', async () => {
    behave = ({ url }, response) => {
      if (url?.startsWith('/api/')) response.end(JSON.stringify({ sha: 'c1', siblings: SIBLINGS }));
      else response.setHeader('etag', '"1"').end(url?.endsWith('a.bin') ? BYTES.toReversed() : '{"a":1}');
    };
    await expect(readBytes(open(), 'a.bin')).rejects.toThrow('its sha256 is');
    await expect(readBytes(open(), 'config.json')).rejects.toThrow('goes on after the 2 bytes');
  });

  it('may be a mirror without the list of files', async () => {
    let commit = 'c1';
    behave = ({ url }, response) => {
      if (url?.startsWith('/api/')) response.writeHead(404).end();
      else response.setHeader('x-repo-commit', commit).end('{}');
    };
    const files = open();
    for (const name of ['config.json', 'tokenizer.json']) await readBytes(files, name);
    expect(files.identity?.commit).toBe('c1');
    expect(paths().slice(1)).toEqual(['/org/name/resolve/main/config.json', '/org/name/resolve/c1/tokenizer.json']);
    commit = 'c2';
    await expect(files.open('model.safetensors')).rejects.toThrow('came from commit c2, not from c1');
  });

  it('names a file that its list has and that it does not give', async () => {
    for (const [status, message] of [
      [404, /^Commit c1 has a a\.bin, but HTTP 404 for .*a\.bin\.$/],
      [403, /^HTTP 403 for .*a\.bin\. The model may be/],
    ] as const) {
      behave = ({ url }, response) => {
        if (url?.startsWith('/api/')) response.end(JSON.stringify({ sha: 'c1', siblings: SIBLINGS }));
        else response.writeHead(status).end();
      };
      await expect(open().open('a.bin', undefined, true)).rejects.toThrow(message);
    }
  });

  it.each([
    ['null', null],
    ['a list', []],
    ['no names', { sha: 'c1', siblings: [null, 7] }],
    ['a number for a name', { sha: 'c1', siblings: [{ rfilename: 7 }] }],
    ['a number for the commit', { sha: 1, siblings: [] }],
  ])('may send anything as its list (%s): the files are read without it', async (_, list) => {
    behave = ({ url }, response) => response.end(url?.startsWith('/api/') ? JSON.stringify(list) : BYTES);
    expect(await readBytes(open(), 'a.bin')).toHaveLength(300_000);
  });

  it('may send no sizes or odd ones, which are not believed', async () => {
    const odd = [-1, 0.5, '300000', null].map((size, i) => ({ rfilename: `${i}`, size, lfs: { sha256: 'x' } }));
    behave = ({ url }, response) =>
      response.end(url?.startsWith('/api/') ? JSON.stringify({ sha: 'c1', siblings: odd }) : BYTES);
    const files = open();
    for (const { rfilename } of odd) expect(await readBytes(files, rfilename)).toHaveLength(300_000);
  });

  // This proves it for the fetch of the Node that runs the test; browsers do the same by specification (HTTP-redirect fetch, step 13).
  it('gets the token, but the storage that it redirects to does not, also when a download resumes', async () => {
    const seen: (string | undefined)[] = [];
    const cut = cutting([130_000]);
    const storage = createServer((request, response) => {
      seen.push(request.headers.authorization, request.headers.cookie);
      cut(request, response);
    }).listen(0, '127.0.0.1');
    await once(storage, 'listening');
    const { port } = storage.address() as AddressInfo;
    behave = ({ url }, response) => {
      if (url?.startsWith('/api/')) response.end(JSON.stringify({ sha: 'c1', siblings: SIBLINGS }));
      else response.writeHead(302, { location: `http://127.0.0.1:${port}/blob` }).end();
    };
    expect(await readBytes(open('hf_secret'), 'a.bin')).toHaveLength(300_000);
    expect(requests.map(({ headers }) => headers.authorization)).toEqual(Array(3).fill('Bearer hf_secret'));
    expect(seen).toEqual(Array(4).fill(undefined));
    storage.close();
  });
});
