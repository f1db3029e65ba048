import { SHA256 } from '@stablelib/sha256';
import { abortReason, ModelFileError } from '../api/errors';
import type { ModelFile } from '../formats/model-files';
import { messageOf, streamFrom } from '../formats/read';

export interface HttpOptions {
  headers?: Record<string, string>;
  signal?: AbortSignal;
  /** What is known about the file beforehand. */
  expected?: Expected;
  /** Milliseconds before the first retry; each further one waits three times as long. */
  retryDelay?: number;
  /** A faster hash than the one in JavaScript, if any; browsers have none that takes a file in parts. */
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

type RequestOptions = HttpOptions & { signal: AbortSignal };

/** A file, or why there is none. `headers`: as far as CORS shows them. */
type HttpAnswer = { file: ModelFile; headers: Headers } | { missing: string };

const RETRIES = 3;
const RETRY_DELAY = 500;
/** The longest Retry-After, in milliseconds, that is waited for. */
const MOST_WAIT = 60_000;
/** After this many bytes without a break a download may be retried as often as at first. */
const PROGRESS = 1 << 20;

/**
 * Opens the file at `url`. After a broken connection its stream resumes if the server shows that the file is still the same. The stream fails
 * with a ModelFileError if size or sha256 are not as expected. A page of HTML counts as no file.
 * Throws a ModelFileError for other answers and network errors, after a few retries if they may be temporary.
 */
export async function openHttp(name: string, url: string, asked: HttpOptions): Promise<HttpAnswer> {
  const left = new AbortController();
  const signal = asked.signal ? AbortSignal.any([asked.signal, left.signal]) : left.signal;
  const options: RequestOptions = { ...asked, signal };
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
  const all = async function* () {
    if (!first.done) yield first.value;
    yield* chunks;
  };
  // Cancelling the stream ends the connection at once.
  const stream = streamFrom(all(), (reason) => left.abort(reason));
  return { file: { name, size, stream }, headers: response.headers };
}

const isGone = ({ status }: Response) => status === 404 || status === 410;
const isHtml = ({ headers }: Response) =>
  /^(text\/html|application\/xhtml\+xml)\b/i.test(headers.get('content-type') ?? '');
const startOf = (bytes: Uint8Array) => new TextDecoder().decode(bytes.subarray(0, 64));

/** The bytes of a file, over as many connections as it takes, checked at the end. */
async function* download(name: string, url: string, first: Response, options: RequestOptions) {
  const { signal, expected: { size, sha256: wanted } = {}, sha256 = () => new SHA256() } = options;
  const hash = wanted ? sha256() : undefined;
  let response = first;
  let loaded = 0;
  let retries = 0;
  let atRetry = 0;
  for (;;) {
    let skip = startAt(response) === 0 ? loaded : 0;
    const reader = response.body?.getReader();
    // Ends a pending read, which would otherwise wait for the next bytes from the network.
    const onAbort = () => void reader?.cancel(signal.reason).catch(() => {});
    signal.addEventListener('abort', onAbort, { once: true });
    let broke: unknown;
    try {
      for (;;) {
        const next = await reader?.read().catch((error: unknown) => {
          broke = error;
        });
        if (signal.aborted) throw abortReason(signal);
        if (!next?.value) break;
        const bytes = next.value.subarray(skip);
        skip -= next.value.length - bytes.length;
        if (bytes.length === 0) continue;
        loaded += bytes.length;
        hash?.update(bytes);
        yield bytes;
      }
    } finally {
      signal.removeEventListener('abort', onAbort);
      reader?.cancel().catch(() => {});
    }
    if (size === undefined ? broke === undefined : loaded >= size) break;
    const stopped = (why: string) => {
      const after = `${loaded}${size === undefined ? '' : ` of ${size}`} bytes`;
      return new ModelFileError(`Reading ${name} stopped after ${after}${why}. Load it again.`, { cause: broke });
    };
    if (loaded - atRetry >= PROGRESS) retries = 0;
    if (size === undefined || ++retries > RETRIES) throw stopped(broke ? `: ${messageOf(broke)}` : '');
    atRetry = loaded;
    await pause(delayOf(retries, options), signal);
    response = await request(url, { ...options, headers: { ...options.headers, Range: `bytes=${loaded}-` } });
    const problem = whyNotResumed(first, response, loaded, wanted !== undefined);
    if (problem) {
      response.body?.cancel().catch(() => {});
      throw stopped(`, and it cannot resume: ${problem}`);
    }
  }
  const got = hash && hex(hash.digest());
  if (got !== undefined && got !== wanted) {
    throw new ModelFileError(`${name} is not what ${url} should be: its sha256 is ${got}, expected ${wanted}.`);
  }
}

const hex = (bytes: Uint8Array) => Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('');

/** Why the rest of the file cannot come from this answer; undefined if it can. The whole file is fine too. */
function whyNotResumed(first: Response, next: Response, loaded: number, isHashed: boolean): string | undefined {
  if (!next.ok) return `HTTP ${next.status}`;
  if (isHtml(next) && !isHtml(first)) return 'the server answered with a page of HTML';
  const start = startAt(next);
  if (start !== 0 && start !== loaded) return `byte ${loaded} was requested, and the answer begins at ${start}`;
  // CORS always shows last-modified, and etag if the server exposes it.
  const versions = ['etag', 'last-modified'].map((header) => [first.headers.get(header), next.headers.get(header)]);
  if (versions.some(([before, now]) => before !== null && now !== null && before !== now)) {
    return 'the file has changed on the server meanwhile';
  }
  const isKnown = isHashed || versions.some(([before, now]) => before !== null && now !== null);
  return isKnown ? undefined : 'the server does not say whether the file is still the same (etag, last-modified)';
}

/** Where the bytes of an answer begin. CORS may hide content-range: undefined, and status 206 is trusted. */
function startAt({ status, headers }: Response): number | undefined {
  if (status !== 206) return 0;
  const [, start] = /^bytes (\d+)-/.exec(headers.get('content-range') ?? '') ?? [];
  return start === undefined ? undefined : Number(start);
}

/** One answer, with retries after network errors, 408, 429 and 5xx. */
async function request(url: string, options: RequestOptions): Promise<Response> {
  const { headers, signal } = options;
  for (let retry = 1; ; retry++) {
    const response = await fetch(url, { headers, signal }).catch((cause: unknown) => {
      if (signal.aborted) throw abortReason(signal);
      if (retry > RETRIES) throw unreachable(url, cause);
    });
    let wait = delayOf(retry, options);
    if (response) {
      const { status, body } = response;
      if (status !== 408 && status !== 429 && status < 500) return response;
      wait = Math.max(wait, retryAfter(response) ?? 0);
      if (retry > RETRIES || wait > MOST_WAIT) return response;
      body?.cancel().catch(() => {});
    }
    await pause(wait, signal);
  }
}

const delayOf = (retry: number, { retryDelay = RETRY_DELAY }: HttpOptions) => retryDelay * 3 ** (retry - 1);

/** In milliseconds; the header holds seconds or a date. */
function retryAfter({ headers }: Response): number | undefined {
  const value = headers.get('retry-after');
  if (value === null) return undefined;
  const wait = /^\d+$/.test(value) ? Number(value) * 1000 : Date.parse(value) - Date.now();
  return Number.isNaN(wait) ? undefined : wait;
}

function pause(milliseconds: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    const end = () => {
      clearTimeout(timer);
      signal.removeEventListener('abort', end);
      if (signal.aborted) reject(abortReason(signal));
      else resolve();
    };
    const timer = setTimeout(end, milliseconds);
    signal.addEventListener('abort', end);
    if (signal.aborted) end();
  });
}

/** What the Hub says about a large file, unless a redirect hides it: its etag is the sha256. */
function linked(headers: Headers): Expected {
  const size = headers.get('x-linked-size');
  const [, hash] = /^(?:W\/)?"?([0-9a-f]{64})"?$/i.exec(headers.get('x-linked-etag') ?? '') ?? [];
  return { ...(size !== null && { size: Number(size) }), ...(hash && { sha256: hash.toLowerCase() }) };
}

/**
 * content-length counts compressed bytes if there is a content-encoding, which browsers hide across origins: there the length of the file
 * is unknown.
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
    "such model; some storage servers also answer 403 for a file that does not exist. A folder of this site is './name'."
  );
}

/** Node's fetch only says "fetch failed"; the reason is in the chain of causes. */
const causesOf = (error: unknown): string => {
  const cause = error instanceof Error ? error.cause : undefined;
  return cause === undefined ? messageOf(error) : `${messageOf(error)}: ${causesOf(cause)}`;
};
