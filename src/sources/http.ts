import { ModelFileError } from '../api/errors';
import type { ModelFile } from '../formats/model-files';
import { streamFrom } from '../formats/read';
import { download } from './download';
import { drop, httpError, isFrom, isHtml, type RequestOptions, request } from './request';
import { isRemote, shownUrl } from './urls';

export interface HttpOptions extends Omit<RequestOptions, 'signal'> {
  signal?: AbortSignal;
  /** What is known about the file beforehand. */
  expected?: Expected;
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

/** Why there is no file. `isUnsure`: no answer came, or a refusal (a signature may have expired), so there may be one. */
export interface Missing {
  missing: string;
  isUnsure?: boolean;
}

/** `headers`: as far as CORS shows them. */
type HttpAnswer = { file: ModelFile; headers: Headers } | Missing;

/**
 * Opens the file at `url`. After a broken or stalled connection its stream resumes, if the server repeats the last bytes before the break. The
 * stream fails with a ModelFileError if size or sha256 are not as expected. 404, 410 and a page of HTML count as no file; if it `isOptional`,
 * also 401, 403 and no answer at all. Throws a ModelFileError for other answers and network errors, after a few retries if they may be temporary.
 */
export async function openHttp(name: string, url: string, asked: HttpOptions): Promise<HttpAnswer> {
  const left = new AbortController();
  const signal = asked.signal ? AbortSignal.any([asked.signal, left.signal]) : left.signal;
  const options = { ...asked, signal };
  const answer = await request(url, options);
  if (answer.error) {
    if (answer.isSilent && !isRemote(url)) return { missing: String(answer.error.cause) }; // fetch has no 404 there
    if (answer.isSilent && asked.isOptional) return { missing: answer.error.message, isUnsure: true };
    throw answer.error;
  }
  const { response } = answer;
  const { status, headers } = response;
  if (!isFrom(response, 0)) {
    drop(response);
    const isRefused = status === 401 || status === 403;
    if (status === 404 || status === 410 || (isRefused && asked.isOptional)) {
      return { missing: `HTTP ${status} for ${shownUrl(url)}`, isUnsure: isRefused };
    }
    throw new ModelFileError(httpError(response, url));
  }
  const expected = { ...linked(headers), ...asked.expected };
  const size = expected.size ?? exactSize(response);
  const chunks = download(name, url, response, { ...options, expected: { ...expected, size } });
  const first = await chunks.next();
  if (isHtml(response) || (!first.done && /^\s*<(!doctype|html|head|\?xml)\b/i.test(startOf(first.value)))) {
    left.abort();
    await chunks.return(undefined);
    return { missing: `the server answered ${shownUrl(url)} with a page of HTML or XML` };
  }
  const all = async function* () {
    if (!first.done) yield first.value;
    yield* chunks;
  };
  // Cancelling the stream ends the connection at once.
  const stream = streamFrom(all(), (reason) => left.abort(reason));
  return { file: { name, size, stream }, headers };
}

const startOf = (bytes: Uint8Array) => new TextDecoder().decode(bytes.subarray(0, 64));

/** What the Hub says about a large file, unless a redirect hides it: its etag is the sha256. */
function linked(headers: Headers): Expected {
  const size = wholeNumber(headers.get('x-linked-size'));
  const [, hash] = /^(?:W\/)?"?([0-9a-f]{64})"?$/i.exec(headers.get('x-linked-etag') ?? '') ?? [];
  return { ...(size !== undefined && { size }), ...(hash && { sha256: hash.toLowerCase() }) };
}

/**
 * content-length counts compressed bytes if there is a content-encoding, which browsers hide across origins: there the length of the file
 * is unknown.
 */
const exactSize = ({ headers, type }: Response): number | undefined =>
  type === 'cors' || headers.has('content-encoding') ? undefined : wholeNumber(headers.get('content-length'));

const wholeNumber = (text: string | null): number | undefined =>
  text && /^\d+$/.test(text) ? Number(text) : undefined;
