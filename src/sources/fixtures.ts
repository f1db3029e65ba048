/** For tests: a server of files that goes wrong in many ways, each by a name; and a page's view of it. */
import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { gzipSync } from 'node:zlib';
import { safetensorsBytes } from '../formats/fixtures';

/** One request for a file. `bytes`: of the file, if there is one of that `name`. `attempt`: how many came before for the same file. */
interface Asked {
  name: string;
  bytes: Uint8Array | undefined;
  attempt: number;
  request: IncomingMessage;
  response: ServerResponse;
  /** The same files on another origin, where they need SIGNATURE. */
  storage: string;
}

type Serve = (asked: Asked) => void;

/** Must not be in any message: it stands in the location of redirects to the storage. */
export const SIGNATURE = 'X-Amz-Signature=54bd6e0c0ffee';
const PAGE = '<!doctype html><title>Sign in</title>';
const ANY_ORIGIN = { 'access-control-allow-origin': '*' };
const CUT_AT = 130_000;

/** Headers that CORS hides otherwise. */
const EXPOSED = {
  'access-control-expose-headers': 'etag, content-range, retry-after, x-linked-etag, x-linked-size',
};

interface How {
  bytes?: Uint8Array;
  /** The first byte that is sent; by default the one that the request's Range asks for. */
  start?: number;
  status?: number;
  headers?: Record<string, string | number>;
  /** Without content-length: the client does not know the size. */
  isChunked?: boolean;
  /** Sends this many bytes of the body, and then ends the connection. */
  part?: number;
  /** Leaves the connection open instead, and says nothing more. */
  isStalled?: boolean;
}

const rangeOf = ({ headers }: IncomingMessage): number => Number(/^bytes=(\d+)-$/.exec(headers.range ?? '')?.[1] ?? 0);

/** Answers as a good server does, but for `how`. */
function send({ bytes: content, request, response }: Asked, how: How = {}): void {
  const bytes = how.bytes ?? content;
  if (!bytes) return void response.writeHead(404, ANY_ORIGIN).end('no such file');
  const start = how.start ?? rangeOf(request);
  const body = bytes.subarray(start);
  response.writeHead(how.status ?? (start > 0 ? 206 : 200), {
    ...ANY_ORIGIN,
    etag: '"1"',
    ...(!how.isChunked && { 'content-length': body.length }),
    ...(start > 0 && { 'content-range': `bytes ${start}-${bytes.length - 1}/${bytes.length}` }),
    ...how.headers,
  });
  if (how.part === undefined) return void response.end(body);
  response.write(body.subarray(0, how.part));
  // A browser drops the bytes that it has not delivered when a connection ends.
  if (!how.isStalled) setTimeout(() => request.socket.end(), 20);
}

const answer = ({ response }: Asked, status: number, text = '', headers = {}): void =>
  void response.writeHead(status, { ...ANY_ORIGIN, ...headers }).end(text);
const hangUp = ({ request }: Asked): void => void request.socket.destroy();
const isWeights = ({ name }: Asked) => name.endsWith('.safetensors');
const isConfig = ({ name }: Asked) => name === 'config.json';

/** Goes wrong for the files of that kind only. */
const only = (isMeant: (asked: Asked) => boolean, wrong: Serve): Serve => {
  return (asked) => (isMeant(asked) ? wrong(asked) : send(asked));
};
const weights = (wrong: Serve) => only(isWeights, wrong);
const config = (wrong: Serve) => only(isConfig, wrong);
/** Files that a checkpoint may have or not, and this one has not. */
const missing = (wrong: Serve) => only(({ bytes }) => bytes === undefined, wrong);
/** Goes wrong at the first request for a file only. */
const first = (wrong: Serve, later: Serve = send): Serve => {
  return (asked) => (asked.attempt === 0 ? wrong(asked) : later(asked));
};
/** The first answer breaks off in the middle of the weights; then comes `later`. */
const cutThen = (later: Serve, how: How = {}) =>
  weights(first((asked) => send(asked, { part: CUT_AT, ...how }), later));

const NO_VERSION = { etag: '' };
/** If no byte of the first version was delivered, the second comes as a whole, and is broken. */
const CHANGED = /the file has changed|is not a safetensors/;
const changed = (bytes: Uint8Array) => bytes.map((byte) => byte ^ 1);
const deep = (levels: number) => new TextEncoder().encode('['.repeat(levels) + ']'.repeat(levels));

/** What loading a checkpoint comes to: `right`, the files' bytes; or a ModelFileError with this text. */
type Outcome = 'right' | RegExp;

/** The server's modes of failure. `config.json`, or `.json` if they are there, and `.safetensors` files of more than 130 kB go wrong. */
export const MODES: Record<string, [Outcome, Serve]> = {
  good: ['right', (asked) => send(asked)],
  'without content-length': ['right', (asked) => send(asked, { isChunked: true })],
  'in many small pieces': [
    'right',
    weights(({ bytes, response }) => {
      response.writeHead(200, ANY_ORIGIN);
      for (let at = 0; at < bytes!.length; at += 999) response.write(bytes!.subarray(at, at + 999));
      response.end();
    }),
  ],
  compressed: [
    'right',
    only(
      ({ bytes }) => bytes !== undefined,
      (asked) => send(asked, { bytes: gzipSync(asked.bytes!), headers: { 'content-encoding': 'gzip' } }),
    ),
  ],
  'compressed, broken once': [
    'right',
    weights(
      first((asked) =>
        send(asked, {
          bytes: gzipSync(asked.bytes!),
          part: CUT_AT,
          headers: { 'content-encoding': 'gzip', etag: 'W/"1"' },
        }),
      ),
    ),
  ],
  'closes once': ['right', cutThen((asked) => send(asked))],
  'closes once, without etag': [
    'right',
    cutThen((asked) => send(asked, { headers: NO_VERSION }), { headers: NO_VERSION }),
  ],
  'closes once, of unknown size': ['right', cutThen((asked) => send(asked, { isChunked: true }), { isChunked: true })],
  'closes at the end, of unknown size': [
    'right',
    weights(first((asked) => send(asked, { isChunked: true, part: asked.bytes!.length }))),
  ],
  'closes at the end, of unknown size, then 416': [
    'right',
    weights(
      first(
        (asked) => send(asked, { isChunked: true, part: asked.bytes!.length, headers: EXPOSED }),
        (asked) =>
          rangeOf(asked.request) > 0
            ? answer(asked, 416, '', { 'content-range': `bytes */${asked.bytes!.length}`, ...EXPOSED })
            : send(asked),
      ),
    ),
  ],
  'closes always': [
    /stopped after 130000( of \d+)? bytes/,
    weights((asked) => send(asked, { part: CUT_AT, start: 0 })),
  ],
  'closes always before the first byte': [
    /stopped after 0( of \d+)? bytes/,
    config((asked) => send(asked, { part: 0 })),
  ],
  'ends too early, of unknown size': [
    /model\.safetensors is cut off/,
    weights((asked) => send(asked, { isChunked: true, bytes: asked.bytes!.subarray(0, CUT_AT) })),
  ],
  'stalls once before the answer': ['right', first(() => {})],
  'stalls once in the middle': ['right', cutThen((asked) => send(asked), { isStalled: true })],
  'stalls always before the answer': [/No answer .*config\.json \(no byte came for/, () => {}],
  'stalls always in the middle': [
    /stopped after 130000( of \d+)? bytes: no byte came for/,
    weights((asked) => send(asked, { part: CUT_AT, start: 0, isStalled: true })),
  ],
  'stalls for missing files': [/No answer .*modules\.json \(no byte came for/, missing(() => {})],
  '206 with another start': [
    /begins at 5|the file has changed|HTTP 206/,
    cutThen((asked) => send(asked, { start: 5 })),
  ],
  '206 for all that was asked for': [/HTTP 206/, weights((asked) => send(asked, { start: 7 }))],
  '206 with another start, hidden': [
    /the file has changed|HTTP 206/,
    cutThen((asked) => send(asked, { start: rangeOf(asked.request) + 7, headers: { 'content-range': '' } })),
  ],
  '206 with nothing': [/stopped after|the file has changed/, cutThen((asked) => send(asked, { part: 0 }))],
  '206 of a larger file': [
    /the file has changed|goes on after/,
    cutThen((asked) => send(asked, { bytes: Uint8Array.from([...asked.bytes!, 1]) })),
  ],
  '200 instead of 206': ['right', cutThen((asked) => send(asked, { start: 0 }))],
  'changes meanwhile': [CHANGED, cutThen((asked) => send(asked, { bytes: changed(asked.bytes!) }))],
  'changes meanwhile, 200 instead of 206': [
    CHANGED,
    cutThen((asked) => send(asked, { bytes: changed(asked.bytes!), start: 0 })),
  ],
  'changes its etag meanwhile': [
    /the file has changed/,
    cutThen((asked) => send(asked, { headers: { etag: '"2"', ...EXPOSED } }), { headers: EXPOSED }),
  ],
  'shrinks meanwhile': [
    /the file has changed|cannot resume: HTTP 416/,
    cutThen((asked) => send(asked, { bytes: asked.bytes!.subarray(0, 100_000) }), { isChunked: true }),
  ],
  'a page instead of the rest': [
    /a page of HTML|the file has changed/,
    cutThen((asked) => answer(asked, 200, PAGE, { 'content-type': 'text/html' })),
  ],
  '403 instead of the rest': [/cannot resume: HTTP 403/, cutThen((asked) => answer(asked, 403))],
  'content-length too large': [
    /stopped after|is cut off|invalid header/,
    weights((asked) => {
      send(asked, { headers: { 'content-length': asked.bytes!.length + 9 - rangeOf(asked.request) } });
      asked.request.socket.end();
    }),
  ],
  'content-length too small': [
    /is cut off|is not a safetensors|reaches|cover|end/i,
    weights((asked) => send(asked, { headers: { 'content-length': CUT_AT } })),
  ],
  'another sha256': [
    /its sha256 is/,
    weights((asked) =>
      send(asked, {
        headers: { 'x-linked-etag': `"${'0'.repeat(64)}"`, 'x-linked-size': asked.bytes!.length, ...EXPOSED },
      }),
    ),
  ],
  'redirects to a storage': [
    'right',
    only(
      ({ bytes }) => bytes !== undefined,
      (asked) => answer(asked, 302, '', { location: `${asked.storage}/${asked.name}?${SIGNATURE}` }),
    ),
  ],
  'redirects to a storage that refuses': [
    /HTTP 403 .*config\.json/,
    (asked) => answer(asked, 302, '', { location: `${asked.storage}/${asked.name}?expired&${SIGNATURE}` }),
  ],
  'redirects for ever': [
    /No answer/,
    (asked) => answer(asked, 302, '', { location: `${asked.request.url}&${SIGNATURE}` }),
  ],
  'redirects to nowhere': [/No answer/, (asked) => answer(asked, 302, '', { location: `http://[${SIGNATURE}` })],
  '404 for all': [/There is no config\.json .*HTTP 404/, (asked) => answer(asked, 404)],
  '410 for missing files': ['right', missing((asked) => answer(asked, 410))],
  '401 for missing files': ['right', missing((asked) => answer(asked, 401))],
  '403 for missing files': ['right', missing((asked) => answer(asked, 403))],
  '403 for all': [/HTTP 403 .*The model may be private/, (asked) => answer(asked, 403)],
  '403 for the weights': [/^HTTP 403 .*model\.safetensors\. The model may be/, weights((asked) => answer(asked, 403))],
  'a page for missing files': ['right', missing((asked) => answer(asked, 200, PAGE, { 'content-type': 'text/html' }))],
  'a page for all': [/There is no config\.json .*a page of HTML/, (asked) => answer(asked, 200, PAGE)],
  'no answer for missing files': ['right', missing(hangUp)],
  'no answer for all': [/No answer .*config\.json/, hangUp],
  'no answer for the weights': [/^No answer .*model\.safetensors/, weights(hangUp)],
  'no answer twice': ['right', (asked) => (asked.attempt < 2 ? hangUp(asked) : send(asked))],
  '500 once': ['right', first((asked) => answer(asked, 500))],
  '500 always': [/HTTP 500 .*config\.json/, (asked) => answer(asked, 500)],
  '500 for missing files': [/HTTP 500 .*modules\.json/, missing((asked) => answer(asked, 500))],
  '429 once': ['right', first((asked) => answer(asked, 429, '', { 'retry-after': '0', ...EXPOSED }))],
  '429 for an hour': [
    /HTTP 429 .*config\.json/,
    (asked) => answer(asked, 429, '', { 'retry-after': '3600', ...EXPOSED }),
  ],
  'repeats the URL in its status': [
    /HTTP 403/,
    ({ request, response }) => void response.writeHead(403, `no ${request.url}`, ANY_ORIGIN).end(request.url),
  ],
  'repeats the URL in place of JSON': [
    /not valid JSON/,
    config((asked) => answer(asked, 200, `at ${asked.request.url}`)),
  ],
  'not HTTP': [/No answer .*config\.json/, ({ request }) => void request.socket.end('SSH-2.0-OpenSSH_9.9\r\n\r\n')],
  'not gzip': [/config\.json/, config((asked) => send(asked, { headers: { 'content-encoding': 'gzip' } }))],
  'nothing (204)': [/not valid JSON/, config(({ response }) => void response.writeHead(204, ANY_ORIGIN).end())],
  'not UTF-8': [/not valid JSON/, config((asked) => send(asked, { bytes: Uint8Array.of(34, 255, 34) }))],
  'cut JSON': [/not valid JSON/, config((asked) => send(asked, { bytes: asked.bytes!.subarray(0, -1) }))],
  'nested too deep': [/nested deeper than 100 levels/, config((asked) => send(asked, { bytes: deep(100_000) }))],
  'announces too much': [
    /config\.json .*16 MiB|stopped after 9 bytes/,
    config((asked) => send(asked, { headers: { 'content-length': 2 ** 40 }, part: 9 })),
  ],
  'never ends': [
    /config\.json .*16 MiB/,
    config(({ response }) => {
      const block = new Uint8Array(1 << 18).fill(32);
      const more = () => {
        while (!response.destroyed && response.write(block));
      };
      response.writeHead(200, ANY_ORIGIN).on('drain', more);
      more();
    }),
  ],
};

/** A checkpoint for `startFaulty`; its weights are 200 kB of `noise`, at the end of the file. */
export const CHECKPOINT = {
  'config.json': new TextEncoder().encode('{"model_type":"modernbert"}'),
  'model.safetensors': safetensorsBytes(
    { t: { dtype: 'U8', shape: [200_000], data_offsets: [0, 200_000] } },
    noise(200_000),
  ),
};

/** What a test can see of a request. */
interface Seen {
  mode: string;
  name: string;
  headers: IncomingMessage['headers'];
}

/** Serves `files` as `{origin}/{mode}/{name}`, by the mode's name of MODES. */
export async function startFaulty(files: Record<string, Uint8Array>) {
  const requests: Seen[] = [];
  const attempts = new Map<string, number>();
  const storage = createServer((request, response) => {
    const name = decodeURIComponent(request.url!.slice(1).replace(/\?.*/, ''));
    requests.push({ mode: 'storage', name, headers: request.headers });
    const asked = { name, bytes: files[name], attempt: 0, request, response, storage: '' };
    if (request.url?.endsWith(`?${SIGNATURE}`)) send(asked);
    else answer(asked, 403, request.url);
  });
  const server = createServer((request, response) => {
    const [mode, ...path] = request.url!.slice(1).replace(/\?.*/, '').split('/').map(decodeURIComponent);
    const name = path.join('/');
    const key = `${mode}/${name}`;
    const attempt = attempts.get(key) ?? 0;
    attempts.set(key, attempt + 1);
    requests.push({ mode, name, headers: request.headers });
    MODES[mode][1]({ name, bytes: files[name], attempt, request, response, storage: origins[1] });
  });
  const servers = [server, storage];
  const origins: string[] = [];
  for (const each of servers) {
    await once(each.listen(0, '127.0.0.1'), 'listening');
    origins.push(`http://127.0.0.1:${(each.address() as AddressInfo).port}`);
  }
  return {
    /** Of all modes, in order. */
    requests,
    /** The folder of the checkpoint that is served in this way. */
    url: (mode: string) => `${origins[0]}/${encodeURIComponent(mode)}/`,
    /** Forgets what was asked: every mode begins again. */
    reset() {
      attempts.clear();
      requests.length = 0;
    },
    async close() {
      for (const each of servers) {
        each.close();
        each.closeAllConnections();
      }
    },
  };
}

const VISIBLE = ['cache-control', 'content-language', 'content-length', 'content-type', 'expires', 'last-modified'];

/**
 * What `fetch` is to a page of another origin than all servers, imitated: a response without Access-Control-Allow-Origin is a TypeError that says
 * nothing, headers that the server does not expose are hidden, and a request that would need a preflight fails.
 */
export function pageFetch(fetch: typeof globalThis.fetch): typeof globalThis.fetch {
  return async (input, init) => {
    const refused = () => new TypeError('Failed to fetch');
    for (const [header, value] of new Headers(init?.headers)) {
      if (header !== 'range' || !/^bytes=\d+-$/.test(value)) throw refused();
    }
    const response = await fetch(input, init).catch((error: Error) => {
      throw error.name === 'AbortError' ? error : refused();
    });
    const { status, headers, body } = response;
    if (headers.get('access-control-allow-origin') !== '*') {
      await body?.cancel();
      throw refused();
    }
    const exposed = headers.get('access-control-expose-headers')?.split(', ') ?? [];
    const seen = [...headers].filter(([header]) => [...VISIBLE, ...exposed].includes(header));
    return Object.defineProperty(new Response(body, { status, headers: seen }), 'type', { value: 'cors' });
  };
}

/** `n` bytes without a period, the same at every call. */
export function noise(n: number): Uint8Array<ArrayBuffer> {
  let state = 1;
  return Uint8Array.from({ length: n }, () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state >>> 24;
  });
}
