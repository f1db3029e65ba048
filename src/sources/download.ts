/** Reads a file over as many connections as it takes, and checks it: a part of the worker. */
import { SHA256 } from '@stablelib/sha256';
import { ModelFileError } from '../api/errors';
import type { HttpOptions } from './http';
import {
  causesOf,
  delayOf,
  drop,
  isFrom,
  isHtml,
  patiently,
  RETRIES,
  type RequestOptions,
  request,
  wait,
} from './request';
import { shownUrl } from './urls';

/** After this many bytes without a break a download may be retried as often as at first. */
const PROGRESS = 1 << 20;
/** A resumed download begins this many bytes earlier: they must come again as they came before. */
const OVERLAP = 1 << 16;

/**
 * The bytes of a file, over as many connections as it takes, checked at the end. Across origins CORS hides most headers, so the bytes
 * themselves show that a download goes on where it broke: an answer repeats the last OVERLAP of them.
 */
export async function* download(name: string, url: string, first: Response, options: RequestOptions & HttpOptions) {
  const { expected = {}, sha256 = () => new SHA256() } = options;
  const hash = expected.sha256 ? sha256() : undefined;
  const last = lastBytes();
  /** The last bytes before the break, which must come again. */
  let tail = new Uint8Array();
  let { size } = expected;
  let response = first;
  /** Where the next bytes of the connection belong. */
  let at = 0;
  let loaded = 0;
  let retries = 0;
  let atRetry = 0;
  const stopped = (why: string, cause?: unknown) => {
    const after = `${loaded}${size === undefined ? '' : ` of ${size}`} bytes`;
    return new ModelFileError(`Reading ${name} stopped after ${after}${why}. Load it again.`, { cause });
  };
  const unlike = (problem: string) => stopped(`, and it cannot resume: ${problem}`);
  for (;;) {
    const reader = response.body?.getReader();
    let broke: Error | undefined;
    try {
      while (reader) {
        const { value: next, error } = await patiently(reader.read(), options);
        broke = error;
        if (!next?.value) break;
        const { value } = next;
        const repeated = Math.min(loaded - at, value.length);
        // What comes before `tail` is taken for the same.
        const known = tail.length - (loaded - at);
        const isSame = (byte: number, i: number) => byte === tail[Math.max(0, known) + i];
        if (!value.subarray(Math.max(0, -known), repeated).every(isSame)) throw unlike(CHANGED);
        at += value.length;
        if (repeated === value.length) continue;
        const bytes = value.subarray(repeated);
        loaded = at;
        last.add(bytes);
        hash?.update(bytes);
        yield bytes;
      }
    } finally {
      reader?.cancel().catch(() => {});
    }
    if (size !== undefined) {
      if (loaded >= size) break;
    } else if (!broke) {
      if (at < loaded) throw unlike(CHANGED);
      break;
    }
    if (loaded - atRetry >= PROGRESS) retries = 0;
    if (++retries > RETRIES) throw stopped(broke ? `: ${causesOf(broke)}` : '', broke);
    atRetry = loaded;
    await wait(delayOf(retries, options), options.signal);
    tail = await last.join();
    const from = loaded - tail.length;
    const headers = { ...options.headers, ...(from > 0 && rangeHeaders(first, from)) };
    const answer = await request(url, { ...options, headers, isOptional: false });
    if (answer.error) throw answer.error;
    response = answer.response;
    const total = rangeOf(response, /\/(\d+)$/);
    const isEnd = response.status === 416 && size === undefined && total === loaded;
    const problem = isEnd ? undefined : whyNotResumed(first, response, { from, loaded, size });
    if (isEnd || problem) drop(response);
    if (isEnd) break;
    if (problem) throw unlike(problem);
    at = response.status === 206 ? from : 0;
    size ??= total;
  }
  const got = hash && hex(hash.digest());
  if (got !== undefined && got !== expected.sha256) {
    throw new ModelFileError(
      `${name} is not what ${shownUrl(url)} should be: its sha256 is ${got}, expected ${expected.sha256}.`,
    );
  }
}

const hex = (bytes: Uint8Array) => Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('');

/** The last bytes of a stream. They are not copied: if its reader changed them, a resumed download would fail. */
function lastBytes() {
  let kept: Uint8Array<ArrayBuffer>[] = [];
  let length = 0;
  return {
    add(bytes: Uint8Array<ArrayBuffer>) {
      kept.push(bytes);
      length += bytes.length;
      while (length - kept[0].length >= OVERLAP) length -= kept.shift()!.length;
    },
    /** All in one, at most OVERLAP. */
    async join() {
      const all = new Uint8Array(await new Blob(kept).arrayBuffer()).subarray(-OVERLAP);
      kept = [all];
      length = all.length;
      return all;
    },
  };
}

/**
 * Asks for the bytes from `from`. If-Range saves the answer with the whole of a changed file; across origins it is left out, because a page
 * would have to ask the server first whether it may send it (a preflight), which servers of files refuse.
 */
function rangeHeaders({ headers, type }: Response, from: number): Record<string, string> {
  const etag = headers.get('etag');
  const version = etag?.startsWith('"') ? etag : headers.get('last-modified');
  const isKnown = version !== null && type !== 'cors' && !headers.has('content-encoding');
  return { Range: `bytes=${from}-`, ...(isKnown && { 'If-Range': version }) };
}

const CHANGED = 'the file has changed on the server meanwhile';

/** Why the bytes after `from` cannot come from this answer, as far as its headers show; undefined if they can. The whole file is fine too. */
function whyNotResumed(
  first: Response,
  next: Response,
  { from, loaded, size }: { from: number; loaded: number; size: number | undefined },
): string | undefined {
  if (!isFrom(next, from)) return `HTTP ${next.status}`;
  if (isHtml(next) && !isHtml(first)) return 'the server answered with a page of HTML';
  // Compressed on the way, an etag is weak.
  const isChanged = ['etag', 'last-modified'].some((header) => {
    const [before, now] = [first, next].map(({ headers }) => headers.get(header)?.replace(/^W\//, ''));
    return before !== undefined && now !== undefined && before !== now;
  });
  const total = rangeOf(next, /\/(\d+)$/);
  if (isChanged || (total !== undefined && (total < loaded || total !== (size ?? total)))) return CHANGED;
  const start = next.status === 206 ? (rangeOf(next, /^bytes (\d+)-/) ?? from) : from;
  return start === from ? undefined : `byte ${from} was requested, and the answer begins at ${start}`;
}

/** A number of content-range; undefined if there is none or CORS hides it. */
function rangeOf({ headers }: Response, pattern: RegExp): number | undefined {
  const [, number] = pattern.exec(headers.get('content-range') ?? '') ?? [];
  return number === undefined ? undefined : Number(number);
}
