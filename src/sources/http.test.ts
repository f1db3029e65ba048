import { describe, expect, it, vi } from 'vitest';
import { ModelFileError } from '../api/errors';
import type { Progress } from '../api/types';
import { numberedBytes } from '../formats/fixtures';
import { readBytes } from '../formats/read';
import { pageFetch } from './fixtures';
import { openHttp } from './http';
import { BYTES, cutting, filesAt, OVERLAP, ranges, read, sha256, site, useServer } from './test-server';

useServer();

describe('a download that breaks', () => {
  it('resumes where it was, with the progress', async () => {
    site.behave = cutting([130_000, 100_000]);
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
    site.behave = cutting([130_000], () => ({ 'last-modified': 'Tue, 24 Nov 2026 20:00:00 GMT' }), false);
    expect(Buffer.compare(await read(), BYTES)).toBe(0);
    expect(site.requests).toHaveLength(2);
  });

  it('never joins two versions', async () => {
    site.behave = cutting([130_000], (answer) => ({ etag: `"${answer}"` }));
    await expect(read()).rejects.toThrow(
      'a.bin stopped after 130000 of 300000 bytes, and it cannot resume: the file has changed',
    );
    expect(site.requests).toHaveLength(2);
  });

  it('compares every byte of the overlap, whichever way the answers come in pieces', async () => {
    for (const [broken, isWhole] of [
      [129_999, false],
      [130_000 - OVERLAP, true],
    ] as const) {
      const changed = BYTES.slice();
      changed[broken] ^= 1;
      const cut = cutting([130_000], () => ({}));
      site.behave = (request, response) => {
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
    site.behave = ({ headers: { range }, socket }, response) => {
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
    site.behave = cutting([250_000]);
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
      site.behave = cutting([130_000], () => headers);
      expect(Buffer.compare(await read(), BYTES)).toBe(0);
      expect(site.requests.splice(0).map((request) => request.headers['if-range'])).toEqual([undefined, version]);
    }
    const asPage = pageFetch(fetch);
    const fetches = vi.spyOn(globalThis, 'fetch').mockImplementation(asPage);
    site.behave = cutting([130_000], () => ({ 'access-control-allow-origin': '*', 'last-modified': 'x' }));
    expect(Buffer.compare(await read(), BYTES)).toBe(0);
    expect(fetches).toHaveBeenCalledTimes(2);
    expect(site.requests.map((request) => request.headers['if-range'])).toEqual([undefined, undefined]);
  });

  it('fails after three retries', async () => {
    site.behave = cutting([10, 10, 10, 10, 10]);
    await expect(read()).rejects.toThrow(/a\.bin stopped after 10 of 300000 bytes: .*Load it again/);
    expect(site.requests).toHaveLength(4);
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
    site.behave = (request, response) =>
      request.headers.range ? void response.writeHead(status, headers).end('x') : cut(request, response);
    await expect(read()).rejects.toThrow(message);
  });
});

describe('a file that is not as expected', () => {
  it('has another sha256', async () => {
    site.behave = (_, response) => response.end(numberedBytes(99));
    const reading = read({ sha256: sha256(BYTES) });
    await expect(reading).rejects.toThrow(ModelFileError);
    await expect(reading).rejects.toThrow(`its sha256 is ${sha256(numberedBytes(99))}, expected ${sha256(BYTES)}`);
  });

  it('is checked against the headers of the Hub', async () => {
    site.behave = (_, response) => response.setHeader('x-linked-etag', `"${sha256(BYTES)}"`).end(numberedBytes(99));
    await expect(read()).rejects.toThrow('its sha256 is');
    site.behave = (_, response) => response.setHeader('x-linked-size', 100).end(numberedBytes(99));
    await expect(read()).rejects.toThrow('a.bin stopped after 99 of 100 bytes');
  });

  it.each([
    [98, /goes on after the 98 bytes/],
    [100, /stopped after 99 of 100 bytes/],
  ])('has 99 bytes instead of %i', async (size, message) => {
    site.behave = (_, response) => response.setHeader('etag', '"1"').end(numberedBytes(99));
    await expect(read({ size })).rejects.toThrow(message);
  });

  it.each([
    ['text/html; charset=utf-8', 'x'],
    ['application/octet-stream', '\n <!DOCTYPE html><title>Sign in</title>'],
    ['application/json', '<?xml version="1.0"?><Error/>'],
  ])('is a page (%s)', async (type, body) => {
    site.behave = (_, response) => response.setHeader('content-type', type).end(body);
    expect(await openHttp('a.bin', `${site.origin}/a.bin`, {})).toEqual({
      missing: `the server answered ${site.origin}/a.bin with a page of HTML or XML`,
    });
  });

  it('is not a file of weights whose header is 60 bytes long', async () => {
    const bytes = Uint8Array.of(60, 0, 0, 0, 0, 0, 0, 0, 123);
    site.behave = (_, response) => response.end(bytes);
    expect(Buffer.compare(await read(), bytes)).toBe(0);
  });
});

describe('an optional file', () => {
  const ask = (isOptional?: boolean) => openHttp('a.bin', `${site.origin}/a.bin?secret`, { isOptional, retryDelay: 1 });
  const FAILED = /^No answer from the network for .*\/a\.bin \(/;

  it.each([401, 403, 404, 410])('counts as missing if the server answers %i', async (status) => {
    site.behave = (_, response) => response.writeHead(status).end();
    expect(await ask(true)).toEqual({ isUnsure: status < 404, missing: `HTTP ${status} for ${site.origin}/a.bin` });
    if (status < 404) await expect(ask()).rejects.toThrow(`HTTP ${status} for ${site.origin}/a.bin.`);
  });

  it('counts as missing after one retry if no answer comes, and nobody may rely on that', async () => {
    site.behave = ({ socket }) => void socket.destroy();
    expect(await ask(true)).toEqual({ missing: expect.stringMatching(FAILED), isUnsure: true });
    expect(site.requests.splice(0)).toHaveLength(2);
    await expect(ask()).rejects.toThrow(FAILED);
    expect(site.requests.splice(0)).toHaveLength(4);
  });

  it('is an error if it is there and breaks', async () => {
    site.behave = cutting(Array(9).fill(10));
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
    site.behave = (_, response) => {
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
