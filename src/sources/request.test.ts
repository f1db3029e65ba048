import { once } from 'node:events';
import { describe, expect, it, vi } from 'vitest';
import { ModelFileError } from '../api/errors';
import { openHttp } from './http';
import { BYTES, cutting, filesAt, read, site, useServer } from './test-server';

useServer();

describe('temporary failures', () => {
  const failing = (answers: [status: number, headers?: Record<string, string>][]) => {
    let next = 0;
    site.behave = (_, response) => {
      const [status, headers] = answers[next++] ?? [200];
      response.writeHead(status, headers).end(status === 200 ? BYTES : 'no');
    };
  };

  it('are retried: 5xx, 429 and a broken connection', async () => {
    failing([[503], [500], [429]]);
    expect(await read()).toHaveLength(300_000);
    let isFirst = true;
    site.behave = ({ socket }, response) => {
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
    expect(site.requests.splice(0)).toHaveLength(4);
    for (const status of [400, 403, 404, 416]) {
      failing([[status]]);
      await expect(read()).rejects.toThrow(ModelFileError);
      expect(site.requests.splice(0)).toHaveLength(1);
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
    site.behave = (request, response) => {
      if (request.headers.range) return cut(request, response);
      closed.push(once(response, 'close'));
      if (closed.length === 1) return; // not even an answer
      response.writeHead(200, { 'content-length': BYTES.length, etag: '"1"' }).write(BYTES.subarray(0, 130_000));
    };
    const answer = await openHttp('a.bin', `${site.origin}/a.bin`, { stallTimeout: 300, retryDelay: 1 });
    if (!('file' in answer)) expect.fail('no file');
    let length = 0;
    for await (const bytes of answer.file.stream) length += bytes.length;
    expect(length).toBe(300_000);
    await Promise.all(closed);

    const started = vi.spyOn(globalThis, 'setTimeout');
    const ended = vi.spyOn(globalThis, 'clearTimeout');
    const ours = () =>
      started.mock.results.filter((_, i) => started.mock.calls[i][1] === LONG).map(({ value }) => value);
    const open = () => openHttp('a.bin', `${site.origin}/a.bin`, { stallTimeout: LONG });
    site.behave = (_, response) => response.end(BYTES);
    const whole = await open();
    if (!('file' in whole)) expect.fail('no file');
    for await (const _ of whole.file.stream);
    const left = await open();
    if (!('file' in left)) expect.fail('no file');
    await left.file.stream.cancel();
    site.behave = () => {};
    const controller = new AbortController();
    const waiting = openHttp('a.bin', `${site.origin}/a.bin`, { stallTimeout: LONG, signal: controller.signal });
    controller.abort();
    await expect(waiting).rejects.toMatchObject({ name: 'AbortError' });
    site.behave = ({ socket }) => void socket.destroy();
    await expect(openHttp('a.bin', `${site.origin}/a.bin`, { stallTimeout: LONG, retryDelay: 1 })).rejects.toThrow();
    expect(ours().length).toBeGreaterThan(8);
    const cleared = ended.mock.calls.map(([timer]) => timer);
    expect(ours().filter((timer) => !cleared.includes(timer))).toEqual([]);
  });

  it('is never one with Infinity, or longer than timers can be', async () => {
    site.behave = (_, response) => response.end(BYTES);
    const started = vi.spyOn(globalThis, 'setTimeout');
    for (const stallTimeout of [Infinity, 2 ** 31]) {
      const answer = await openHttp('a.bin', `${site.origin}/a.bin`, { stallTimeout });
      if (!('file' in answer)) expect.fail('no file');
      for await (const _ of answer.file.stream);
      expect(started.mock.calls.filter(([, delay]) => delay === stallTimeout)).toEqual([]);
    }
  });
});
