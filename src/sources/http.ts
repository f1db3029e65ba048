import { SHA256 } from '@stablelib/sha256';
import { abortReason, ModelFileError } from '../api/errors';
import type { ModelFile } from '../formats/model-files';
import { messageOf } from '../formats/read';

export interface HttpOptions {
  headers?: Record<string, string>;
  signal?: AbortSignal;
  /** What is known of the file beforehand. */
  expected?: Expected;
  /** Milliseconds before the first retry; each next one waits three times as long. */
  retryDelay?: number;
  /** A faster one than JavaScript's, where there is one; a page has none that takes a file in parts. */
  sha256?: () => Hash;
}

interface Hash {
  update(bytes: Uint8Array): unknown;
  digest(): Uint8Array;
}

export interface Expected {
  size?: number;
  /** Hexadecimal. */
  sha256?: string;
}

/** A file, or why there is none. `headers`: those that the server shows. */
export type HttpAnswer = { file: ModelFile; headers: Headers } | { missing: string };

const RETRIES = 3;
const RETRY_DELAY = 500;
/** A server that asks for a longer wait than this is not waited for. */
const MOST_WAIT = 60_000;
/** A download that went on for so many bytes since it last broke has its retries again. */
const PROGRESS = 1 << 20;

/**
 * Opens the file at `url`; its stream goes on where a connection broke, if the server tells that it is still the same file, and fails with a
 * ModelFileError where the bytes are not those that were announced. A page of HTML is no file.
 * Throws a ModelFileError for other answers and where the network does not answer, after a few retries of what may pass.
 */
export async function openHttp(name: string, url: string, asked: HttpOptions): Promise<HttpAnswer> {
  const left = new AbortController();
  const options = { ...asked, signal: asked.signal ? AbortSignal.any([asked.signal, left.signal]) : left.signal };
  const response = await request(url, options);
  if (isGone(response)) return { missing: `HTTP ${response.status} for ${url}` };
  if (!response.ok) throw new ModelFileError(httpError(response, url));
  const expected = { ...linked(response.headers), ...options.expected };
  const size = expected.size ?? exactSize(response);
  const chunks = download(name, url, response, { ...options, expected: { ...expected, size } });
  const first = await chunks.next();
  if (isHtml(response) || (!first.done && /^\s*<(!doctype|html|head|\?xml)\b/i.test(startOf(first.value)))) {
    left.abort();
    await chunks.return(undefined);
    return { missing: `the server answered ${url} with a page of HTML or XML` };
  }
  return { file: { name, size, stream: streamOf(first, chunks, left) }, headers: response.headers };
}

const isGone = ({ status }: Response) => status === 404 || status === 410;
const isHtml = ({ headers }: Response) =>
  /^(text\/html|application\/xhtml\+xml)\b/i.test(headers.get('content-type') ?? '');
const startOf = (bytes: Uint8Array) => new TextDecoder().decode(bytes.subarray(0, 64));

/** The stream of a generator that has begun. Who leaves it ends the connection at once. */
function streamOf(
  first: IteratorResult<Uint8Array>,
  chunks: AsyncGenerator<Uint8Array>,
  left: AbortController,
): ReadableStream<Uint8Array> {
  let next: IteratorResult<Uint8Array> | undefined = first;
  return new ReadableStream(
    {
      async pull(controller) {
        const { done, value } = next ?? (await chunks.next());
        next = undefined;
        if (done) controller.close();
        else controller.enqueue(value);
      },
      cancel(reason) {
        left.abort(reason);
        chunks.return(undefined).catch(() => {});
      },
    },
    { highWaterMark: 0 },
  );
}

/** The bytes of a file, over as many connections as it takes, checked at the end. */
async function* download(name: string, url: string, first: Response, options: HttpOptions): AsyncGenerator<Uint8Array> {
  const { signal, expected: { size, sha256: wanted } = {}, sha256 = () => new SHA256() } = options;
  const hash = wanted ? sha256() : undefined;
  let response = first;
  let loaded = 0;
  let retries = 0;
  let atRetry = 0;
  for (;;) {
    let skip = startAt(response) === 0 ? loaded : 0;
    const reader = response.body?.getReader();
    // A read that waits would wait for the next bytes from the network.
    const onAbort = () => void reader?.cancel(signal?.reason).catch(() => {});
    signal?.addEventListener('abort', onAbort, { once: true });
    let broke: unknown;
    try {
      for (;;) {
        const { done, value } = (await reader?.read().catch((error: unknown) => {
          broke = error ?? new Error('the connection was closed');
        })) ?? { done: true, value: undefined };
        if (signal?.aborted) throw abortReason(signal);
        if (done || !value) break;
        const bytes = value.subarray(skip);
        skip -= value.length - bytes.length;
        if (bytes.length === 0) continue;
        loaded += bytes.length;
        hash?.update(bytes);
        yield bytes;
      }
    } finally {
      signal?.removeEventListener('abort', onAbort);
      reader?.cancel().catch(() => {});
    }
    const stopped = `${name} stopped after ${loaded}${size === undefined ? '' : ` of ${size}`} bytes`;
    if (size === undefined ? broke === undefined : loaded >= size) break;
    if (loaded - atRetry >= PROGRESS) retries = 0;
    if (size === undefined || ++retries > RETRIES) {
      throw new ModelFileError(`Reading ${stopped}${broke ? `: ${messageOf(broke)}` : ''}. Load it again.`, {
        cause: broke,
      });
    }
    atRetry = loaded;
    await pause(delayOf(retries, options), signal);
    response = await request(url, { ...options, headers: { ...options.headers, Range: `bytes=${loaded}-` } });
    const problem = whyNot(first, response, loaded, wanted !== undefined);
    if (problem) {
      response.body?.cancel().catch(() => {});
      throw new ModelFileError(`Reading ${stopped}, and it cannot go on: ${problem}. Load it again.`, { cause: broke });
    }
  }
  const got = hash && hex(hash.digest());
  if (got !== undefined && got !== wanted) {
    throw new ModelFileError(`${name} is not what ${url} should be: its sha256 is ${got}, announced was ${wanted}.`);
  }
}

const hex = (bytes: Uint8Array) => Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('');

/** Why the rest of the first answer's file cannot come from this one; undefined if it can. Range answered in full is good too. */
function whyNot(first: Response, next: Response, loaded: number, isHashed: boolean): string | undefined {
  if (!next.ok) return `HTTP ${next.status}`;
  if (isHtml(next) && !isHtml(first)) return 'the server answered with a page of HTML';
  const start = startAt(next);
  if (start !== 0 && start !== loaded) return `byte ${loaded} was asked for, and the answer begins at ${start}`;
  // CORS shows last-modified always, and etag where the server exposes it.
  const versions = ['etag', 'last-modified'].map((header) => [first.headers.get(header), next.headers.get(header)]);
  if (versions.some(([before, now]) => before !== null && now !== null && before !== now)) {
    return 'the file has changed on the server meanwhile';
  }
  const isKnown = isHashed || versions.some(([before, now]) => before !== null && now !== null);
  return isKnown ? undefined : 'the server does not tell whether the file is still the same (etag, last-modified)';
}

/** Where an answer's bytes begin: content-range may be hidden by CORS, and then 206 is believed. */
function startAt({ status, headers }: Response): number | undefined {
  if (status !== 206) return 0;
  const [, start] = /^bytes (\d+)-/.exec(headers.get('content-range') ?? '') ?? [];
  return start === undefined ? undefined : Number(start);
}

/** One answer, with retries where the network fails and for 408, 429 and 5xx. */
async function request(url: string, options: HttpOptions): Promise<Response> {
  const { headers, signal } = options;
  for (let retry = 1; ; retry++) {
    let response: Response;
    try {
      response = await fetch(url, { headers, signal });
    } catch (cause) {
      if (signal?.aborted) throw abortReason(signal);
      if (retry > RETRIES) throw unreachable(url, cause);
      await pause(delayOf(retry, options), signal);
      continue;
    }
    const { status } = response;
    if (status !== 408 && status !== 429 && status < 500) return response;
    const wait = Math.max(delayOf(retry, options), retryAfter(response) ?? 0);
    if (retry > RETRIES || wait > MOST_WAIT) return response;
    response.body?.cancel().catch(() => {});
    await pause(wait, signal);
  }
}

const delayOf = (retry: number, { retryDelay = RETRY_DELAY }: HttpOptions) => retryDelay * 3 ** (retry - 1);

/** Milliseconds: the header has seconds or a date. */
function retryAfter({ headers }: Response): number | undefined {
  const value = headers.get('retry-after');
  if (value === null) return undefined;
  const wait = /^\d+$/.test(value) ? Number(value) * 1000 : Date.parse(value) - Date.now();
  return Number.isNaN(wait) ? undefined : wait;
}

function pause(milliseconds: number, signal: AbortSignal | undefined): Promise<void> {
  return new Promise((resolve, reject) => {
    if (signal?.aborted) return reject(abortReason(signal));
    const onAbort = () => {
      clearTimeout(timer);
      reject(abortReason(signal!));
    };
    const timer = setTimeout(() => {
      signal?.removeEventListener('abort', onAbort);
      resolve();
    }, milliseconds);
    signal?.addEventListener('abort', onAbort, { once: true });
  });
}

/** What the Hub says of a large file: its own etag is the sha256. Seen where no redirect hides it. */
function linked(headers: Headers): Expected {
  const size = headers.get('x-linked-size');
  const [, hash] = /^(?:W\/)?"?([0-9a-f]{64})"?$/i.exec(headers.get('x-linked-etag') ?? '') ?? [];
  return { ...(size !== null && { size: Number(size) }), ...(hash && { sha256: hash.toLowerCase() }) };
}

/**
 * content-length counts compressed bytes where there is a content-encoding, and across origins a browser does not show
 * the latter, so there the length is not known to be the file's.
 */
function exactSize({ headers, type }: Response): number | undefined {
  const length = headers.get('content-length');
  if (length === null || type === 'cors' || headers.has('content-encoding')) return undefined;
  return Number(length);
}

const unreachable = (url: string, cause: unknown) =>
  new ModelFileError(
    `No answer from the network for ${url} (${causesOf(cause)}). Is the server up, and does it allow this page (CORS)?`,
    { cause },
  );

function httpError(response: Response, url: string): string {
  const { status, statusText } = response;
  const wait = retryAfter(response);
  const message = `HTTP ${status}${statusText && ` ${statusText}`} for ${url}.`;
  if (wait !== undefined) return `${message} The server asks to wait ${Math.ceil(wait / 1000)} s.`;
  if (status !== 401 && status !== 403) return message;
  return (
    `${message} The model may be private or gated (pass \`token\`, and accept its terms on its page), or there may be no ` +
    "such model; some storage servers also answer 403 for a file that is not there. A folder of this site is './name'."
  );
}

/** Node's fetch says only "fetch failed"; what failed is in the chain of causes. */
const causesOf = (error: unknown): string => {
  const cause = error instanceof Error ? error.cause : undefined;
  return cause === undefined ? messageOf(error) : `${messageOf(error)}: ${causesOf(cause)}`;
};
