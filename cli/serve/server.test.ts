/** Who is let in, how much at a time, and what happens to requests that end otherwise than with an answer. */
import { connect } from 'node:net';
import { setTimeout } from 'node:timers/promises';

import { describe, expect, it, vi } from 'vitest';
import { NumericError, UnsupportedModelError } from '../../src/api/errors';
import { raw, serving, stubModel } from './fixtures';

const EMBED = '/v1/embeddings';
const INPUT = { input: 'a' };

const embedder = () => stubModel('m', ['embed']).served;

/** A model whose calls wait until they are released or aborted; `reasons`: why they were aborted. */
function waitingModel() {
  const waiting: (() => void)[] = [];
  const reasons: unknown[] = [];
  const { served } = stubModel('m', ['embed'], ({ signal }) => {
    return new Promise((resolve, reject) => {
      waiting.push(resolve);
      signal!.addEventListener('abort', () => {
        reasons.push(signal!.reason);
        reject(signal!.reason);
      });
    });
  });
  return { served, waiting, reasons, begun: (count: number) => vi.waitUntil(() => waiting.length === count) };
}

const failing = (error: Error) =>
  stubModel('m', ['embed'], async () => {
    throw error;
  }).served;

describe('errors', () => {
  it.each([
    [new RangeError('Text 0 has 9 tokens'), 400, 'invalid_request_error', null, 413, 'Validation'],
    [new NumericError('Text 0 has no answer'), 422, 'invalid_request_error', 'numeric_overflow', 424, 'Backend'],
    [new UnsupportedModelError('Pass raw'), 400, 'invalid_request_error', 'model_not_supported', 424, 'Backend'],
    [Object.assign(new Error('lost'), { name: 'DeviceLostError' }), 503, 'server_error', null, 503, 'Unhealthy'],
  ])('of the library have each API’s shape: %s', async (error, status, type, code, teiStatus, error_type) => {
    const { post, log } = await serving([failing(error)]);
    const openai = await post(EMBED, INPUT);
    expect(openai.status).toBe(status);
    expect(openai.headers.get('retry-after')).toBe(status === 503 ? '1' : null);
    expect(await openai.json()).toEqual({ error: { message: error.message, type, param: null, code } });
    const tei = await post('/embed', { inputs: 'a' });
    expect(tei.status).toBe(teiStatus);
    expect(await tei.json()).toEqual({ error: error.message, error_type });
    expect(log).toEqual([]);
  });

  it('that nobody expected are for the log, not for the client', async () => {
    const { ask, log } = await serving([failing(new TypeError('/home/me/model is undefined'))]);
    const message = "Internal error; the server's log says more.";
    const error = { message, type: 'server_error', param: null, code: null };
    expect(await ask(EMBED, INPUT)).toEqual({ status: 500, json: { error } });
    expect(log).toEqual([expect.stringMatching(/^POST \/v1\/embeddings: TypeError: \/home\/me\/model is undefined\n/)]);
  });

  it('name the routes and methods that there are', async () => {
    const { get, post } = await serving([embedder()]);
    const unknown = await get('/v1/chat/completions');
    expect([unknown.status, (await unknown.json()).error.code]).toEqual([404, 'unknown_url']);
    const lost = await get('//?a=b');
    expect(await lost.json()).toEqual({
      error: expect.stringMatching(/^There is no \/\/; there are \/v1\/embeddings, .*, \/metrics\.$/),
      error_type: 'Validation',
    });
    const wrong = await get('/embed');
    expect([wrong.status, wrong.headers.get('allow')]).toEqual([405, 'POST']);
    expect((await post('/health', {})).status).toBe(405);
    expect((await get('/health')).status).toBe(200);
  });
});

describe('bodies', () => {
  it('are JSON in UTF-8, which pages elsewhere cannot send unasked', async () => {
    const { post } = await serving([embedder()]);
    const as = (type: string, body: string | Uint8Array<ArrayBuffer> = JSON.stringify(INPUT), more = {}) =>
      post(EMBED, '', { body, headers: { 'content-type': type, ...more } });
    expect((await as('application/json; charset=utf-8')).status).toBe(200);
    for (const type of ['text/plain', 'application/x-www-form-urlencoded', 'application/jsonp', '']) {
      const refused = await as(type);
      expect([type, refused.status]).toEqual([type, 415]);
    }
    expect((await as('application/json', '{}', { 'content-encoding': 'gzip' })).status).toBe(415);
    expect((await as('application/json', Uint8Array.of(0x22, 0xff, 0x22))).status).toBe(400);
  });

  it('have a limit, whether they say their length or not', async () => {
    const { post, get } = await serving([embedder()], { limits: { payload: 500_000 } });
    const body = JSON.stringify({ input: 'a'.repeat(600_000) });
    const refused = await post(EMBED, body);
    expect(refused.status).toBe(413);
    expect((await refused.json()).error.message).toBe(
      'The body has more than 500000 bytes, the limit here (--payload-limit).',
    );
    const stream = new Blob([body]).stream();
    const streamed = await post(EMBED, '', { body: stream, duplex: 'half' } as RequestInit);
    expect(streamed.status).toBe(413);
    expect((await get('/health')).status).toBe(200);
  });
});

describe('who may ask', () => {
  it('with a key, all but /health need it', async () => {
    const { get, post } = await serving([embedder()], { guards: { apiKey: 'sesame' } });
    const withKey = (authorization: string) => ({ headers: { authorization } });
    expect((await post(EMBED, INPUT, withKey('Bearer sesame'))).status).toBe(200);
    expect((await get('/metrics', { authorization: 'bearer sesame' })).status).toBe(200);
    for (const wrong of ['Bearer sesam', 'Bearer sesame2', 'Basic sesame', 'sesame', 'Bearer ']) {
      const refused = await post(EMBED, INPUT, withKey(wrong));
      expect([wrong, refused.status, refused.headers.get('www-authenticate')]).toEqual([wrong, 401, 'Bearer']);
      expect((await refused.json()).error.code).toBe('invalid_api_key');
    }
    for (const path of ['/info', '/metrics', '/v1/models'])
      expect([path, (await get(path)).status]).toEqual([path, 401]);
    expect((await get('/health')).status).toBe(200);
  });

  it('on a loopback address, only by its names: a page whose name resolves to it is refused', async () => {
    const { url } = await serving([embedder()]);
    const { port } = new URL(url);
    for (const host of [`localhost:${port}`, 'localhost', '127.0.0.1', `[::1]:${port}`, '127.0.0.2', 'LOCALHOST']) {
      expect([host, (await raw(`${url}/info`, { host })).status]).toEqual([host, 200]);
    }
    for (const host of [
      'attacker.example',
      `localhost.attacker.example:${port}`,
      '10.0.0.1',
      'localhost@a',
      '[::2]',
      ' ',
    ]) {
      const refused = await raw(`${url}/info`, { host });
      expect([host, refused.status]).toEqual([host, 403]);
      expect(refused.json).toMatchObject({ error: expect.stringMatching(/^This server is for its own machine: /) });
    }
  });

  it('on other addresses by any name', async () => {
    const { url } = await serving([embedder()], { guards: { host: '0.0.0.0' } });
    expect((await raw(`${url.replace('0.0.0.0', '127.0.0.1')}/info`, { host: 'embedder.internal' })).status).toBe(200);
  });

  it('pages of no other site, or of those that are named', async () => {
    const asking = { origin: 'https://a.example', 'access-control-request-headers': 'content-type,x-stainless-os' };
    const alone = await serving([embedder()]);
    const closed = await raw(`${alone.url}${EMBED}`, asking, 'OPTIONS');
    expect([closed.status, closed.headers['access-control-allow-origin']]).toEqual([405, undefined]);

    const { url, post } = await serving([embedder()], { guards: { origins: ['https://a.example'], apiKey: 'k' } });
    const open = await raw(`${url}${EMBED}`, asking, 'OPTIONS');
    expect(open).toMatchObject({
      status: 204,
      headers: {
        'access-control-allow-origin': 'https://a.example',
        'access-control-allow-headers': 'content-type,x-stainless-os',
        'access-control-allow-methods': 'GET, POST',
        vary: 'Origin',
      },
    });
    const origin = async (origin: string) =>
      (await post(EMBED, INPUT, { headers: { origin } })).headers.get('access-control-allow-origin');
    expect(await origin('https://a.example')).toBe('https://a.example'); // also with an error
    expect(await origin('https://a.example.org')).toBe(null);

    const all = await serving([embedder()], { guards: { origins: ['*'] } });
    expect((await all.get('/info', { origin: 'null' })).headers.get('access-control-allow-origin')).toBe('*');
  });
});

describe('limits', () => {
  it('turns away requests above the number, and takes others when one is done', async () => {
    const { served, waiting, begun } = waitingModel();
    const { post, get } = await serving([served], { limits: { requests: 2 } });
    const both = [post(EMBED, INPUT), post(EMBED, INPUT)];
    await begun(2);
    const third = await post('/embed', { inputs: 'a' });
    expect([third.status, third.headers.get('retry-after')]).toEqual([429, '1']);
    expect(await third.json()).toMatchObject({ error_type: 'Overloaded' });
    expect(await (await get('/metrics')).text()).toContain('\nte_queue_size 2\n');
    for (const release of waiting) release();
    expect((await Promise.all(both)).map(({ status }) => status)).toEqual([200, 200]);
    const fourth = post(EMBED, INPUT);
    await begun(3);
    waiting[2]();
    expect((await fourth).status).toBe(200);
  });

  it('ends a request that takes too long, with its call', async () => {
    const { served, reasons } = waitingModel();
    const { ask } = await serving([served], { limits: { timeout: 50 } });
    expect(await ask(EMBED, INPUT)).toMatchObject({
      status: 504,
      json: { error: { message: 'No answer within 0.05 seconds (--timeout).' } },
    });
    expect(reasons).toHaveLength(1);
  });

  it('ends the call of a client that has gone, and counts it', async () => {
    const { served, begun, reasons } = waitingModel();
    const { post, get, log } = await serving([served]);
    const controller = new AbortController();
    const gone = post(EMBED, INPUT, { signal: controller.signal }).catch((error: Error) => error.name);
    await begun(1);
    controller.abort();
    expect(await gone).toBe('AbortError');
    await vi.waitUntil(() => reasons.length === 1);
    expect(await (await get('/metrics')).text()).toContain(
      'te_request_failure{route="/v1/embeddings",err="cancelled"} 1',
    );
    expect(log).toEqual([]);
  });

  it('does not wait for ever for a client that reads nothing', async () => {
    const big = stubModel('m', ['embed']);
    Object.assign(big.served.model, {
      embed: async () => ({ rows: 1000, row: () => new Float32Array(1000).fill(1 / 3) }), // 12 MB as JSON, more than sockets hold
    });
    const { url, get } = await serving([big.served], { limits: { timeout: 500 } });
    const { port, hostname } = new URL(url);
    const socket = connect(Number(port), hostname).pause();
    socket.on('error', () => {});
    const body = '{"inputs":"a"}';
    socket.write(
      `POST /embed HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\ncontent-length: ${body.length}\r\n\r\n${body}`,
    );
    const metrics = async () => (await get('/metrics')).text();
    await vi.waitUntil(async () => (await metrics()).includes('\nte_queue_size 1\n'));
    await vi.waitUntil(async () => (await metrics()).includes('err="timeout"} 1'), 5000);
    expect(await metrics()).toContain('\nte_queue_size 0\n');
    socket.destroy();
  });
});

describe('stopping', () => {
  it('answers what is under way, and takes no more', async () => {
    const { served, waiting, begun } = waitingModel();
    const { post, stop, url } = await serving([served]);
    const first = post(EMBED, INPUT);
    await begun(1);
    const stopped = stop(10_000);
    await expect(fetch(`${url}/info`)).rejects.toThrow();
    waiting[0]();
    const answer = await first;
    expect([answer.status, answer.headers.get('connection')]).toEqual([200, 'close']);
    expect((await answer.json()).data).toHaveLength(1);
    await stopped;
  });

  it('aborts what takes longer than the grace, with an answer', async () => {
    const { served, begun, reasons } = waitingModel();
    const { post, stop } = await serving([served]);
    const first = post(EMBED, INPUT);
    await begun(1);
    await stop(20);
    const answer = await first;
    expect([answer.status, (await answer.json()).error.message]).toEqual([503, 'The server is stopping.']);
    expect(reasons).toHaveLength(1);
  });

  it('does not wait for idle or half-sent connections', async () => {
    const { url, stop, get } = await serving([embedder()]);
    expect((await get('/health')).status).toBe(200); // fetch keeps its connection
    const { port, hostname } = new URL(url);
    const socket = connect(Number(port), hostname);
    socket.on('error', () => {});
    socket.write('POST /embed HTTP/1.1\r\nhost: localhost\r\n');
    await setTimeout(50);
    await stop(20);
    socket.destroy();
  });
});

it('a port that is taken is named', async () => {
  const { url } = await serving([embedder()]);
  const port = Number(new URL(url).port);
  await expect(serving([embedder()], { port })).rejects.toThrow(
    `Cannot listen on port ${port} of 127.0.0.1 (listen EADDRINUSE: address already in use 127.0.0.1:${port}).`,
  );
});

it('/metrics has histograms whose buckets add up, and counts by route', async () => {
  const { get, ask } = await serving([embedder()]);
  await ask(EMBED, { input: ['abc', 'de'] });
  await ask('/embed', { inputs: 'abcde' });
  await ask('/embed', { inputs: '' });
  const response = await get('/metrics');
  expect(response.headers.get('content-type')).toBe('text/plain; version=0.0.4; charset=utf-8');
  const lines = (await response.text()).trimEnd().split('\n');
  for (const line of lines) expect(line).toMatch(/^(# (HELP|TYPE) te_\w+ .+|te_\w+(\{[\w"=,./+-]+\})? [\d.e-]+)$/);
  expect(lines).toEqual(
    expect.arrayContaining([
      '# TYPE te_request_count counter',
      'te_request_count{route="/v1/embeddings",method="batch"} 1',
      'te_request_success{route="/embed",method="single"} 1',
      'te_request_failure{route="/embed",err="empty"} 1',
      'te_queue_size 0',
      '# TYPE te_request_batch_size histogram',
      'te_request_batch_size_bucket{route="/v1/embeddings",le="1"} 0',
      'te_request_batch_size_bucket{route="/v1/embeddings",le="2"} 1',
      'te_request_batch_size_bucket{route="/v1/embeddings",le="+Inf"} 1',
      'te_request_batch_size_sum{route="/v1/embeddings"} 2',
      'te_request_tokens_bucket{route="/embed",le="4"} 0',
      'te_request_tokens_bucket{route="/embed",le="8"} 1',
      'te_request_tokens_count{route="/embed"} 1',
      'te_request_duration_bucket{route="/embed",le="+Inf"} 1',
      'te_request_inference_duration_count{route="/embed"} 1',
    ]),
  );
});
