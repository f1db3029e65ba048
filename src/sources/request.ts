/** One HTTP request: retries, waiting, and its errors. */
import { abortReason, ModelFileError } from '../api/errors';
import { messageOf } from '../formats/read';
import { isRemote, shownError, shownUrl } from './urls';

export interface RequestOptions {
  headers?: Record<string, string>;
  signal: AbortSignal;
  /** Milliseconds before the first retry; each further one waits three times as long. */
  retryDelay?: number;
  /** Milliseconds without a byte after which a connection counts as broken. */
  stallTimeout?: number;
  /** In a page a 404 without CORS headers is no answer at all, every time: then one retry is enough. */
  isOptional?: boolean;
}

/** A response, or the error if none came. `isSilent`: the request failed without one, as it does in a page if CORS does not allow it. */
type Answer =
  | { response: Response; error?: undefined }
  | { response?: undefined; error: ModelFileError; isSilent: boolean };

export const RETRIES = 3;
const RETRY_DELAY = 500;
const STALL_TIMEOUT = 60_000;
/** The longest Retry-After, in milliseconds, that is waited for. */
const MOST_WAIT = 60_000;
/** Timers cannot wait longer: they would fire at once. */
const MOST_TIMER = 2 ** 31 - 1;

/** One answer, with retries after network errors, stalls, 408, 429 and 5xx. */
export async function request(url: string, options: RequestOptions): Promise<Answer> {
  const { headers, signal, isOptional } = options;
  for (let retry = 1; ; retry++) {
    const attempt = new AbortController();
    const fetching = fetch(url, { headers, signal: AbortSignal.any([signal, attempt.signal]) });
    const { value: response, error: cause, isSilent } = await patiently(fetching, options);
    let delay = delayOf(retry, options);
    if (response) {
      if (response.status !== 408 && response.status !== 429 && response.status < 500) return { response };
      delay = Math.max(delay, retryAfter(response) ?? 0);
      if (retry > RETRIES || delay > MOST_WAIT) return { response };
      drop(response);
    } else {
      attempt.abort();
      // Without a network there is nothing to wait for.
      const most = isSilent && !isRemote(url) ? 0 : isSilent && isOptional ? 1 : RETRIES;
      if (retry > most) return { error: unreachable(url, cause), isSilent };
    }
    await wait(delay, signal);
  }
}

/** Ends the connection of a response that is not read. */
export const drop = ({ body }: Response): void => void body?.cancel().catch(() => {});

export const delayOf = (retry: number, { retryDelay = RETRY_DELAY }: Pick<RequestOptions, 'retryDelay'>): number =>
  retryDelay * 3 ** (retry - 1);

type Outcome<T> =
  | { value: T; error?: undefined; isSilent: false }
  | { value?: undefined; error: Error; isSilent: boolean };

/** What became of `work` on the network, or that it took longer than the stall timeout. Rejects only when `signal` aborts. */
export async function patiently<T>(work: Promise<T>, options: RequestOptions): Promise<Outcome<T>> {
  const { signal, stallTimeout = STALL_TIMEOUT } = options;
  const settled = work.then(
    (value): Outcome<T> => ({ value, isSilent: false }),
    (error): Outcome<T> => ({ error: shownError(error), isSilent: true }),
  );
  const outcome = await wait(stallTimeout, signal, settled);
  if (signal.aborted) throw abortReason(signal);
  return outcome ?? { error: new Error(`no byte came for ${stallTimeout / 1000} s`), isSilent: false };
}

/**
 * Resolves to what `work` does, or to undefined after that many milliseconds. Rejects with the reason of `signal` when it aborts. Leaves neither
 * a timer nor a listener.
 */
export function wait<T>(milliseconds: number, signal: AbortSignal, work?: Promise<T>): Promise<T | undefined> {
  return new Promise((resolve, reject) => {
    const end = (settle: () => void) => {
      clearTimeout(timer);
      signal.removeEventListener('abort', onAbort);
      settle();
    };
    const onAbort = () => end(() => reject(abortReason(signal)));
    const timer = milliseconds > MOST_TIMER ? undefined : setTimeout(() => end(() => resolve(undefined)), milliseconds);
    signal.addEventListener('abort', onAbort);
    if (signal.aborted) onAbort();
    work?.then(
      (value) => end(() => resolve(value)),
      (error) => end(() => reject(error)),
    );
  });
}

/** In milliseconds; the header holds seconds or a date. */
function retryAfter({ headers }: Response): number | undefined {
  const value = headers.get('retry-after');
  if (value === null) return undefined;
  const delay = /^\d+$/.test(value) ? Number(value) * 1000 : Date.parse(value) - Date.now();
  return Number.isNaN(delay) ? undefined : delay;
}

const unreachable = (url: string, cause: unknown) =>
  new ModelFileError(
    `No answer from the network for ${shownUrl(url)} (${causesOf(cause)}). Is the server up, and does it allow this page (CORS)?`,
    { cause },
  );

/** The text after the status is the server's own and could repeat a signature; HTTP/2 has none. */
export function httpError(response: Response, url: string): string {
  const { status } = response;
  const delay = retryAfter(response);
  const message = `HTTP ${status} for ${shownUrl(url)}.`;
  if (delay !== undefined) return `${message} The server asks to wait ${Math.ceil(delay / 1000)} s.`;
  if (status !== 401 && status !== 403) return message;
  return (
    `${message} The model may be private or gated (pass \`token\`, and accept its terms on its page), or there may be no ` +
    "such model; some storage servers also answer 403 for a file that does not exist. A folder of this site is './name'."
  );
}

/** Node's fetch only says "fetch failed"; the reason is in the chain of causes. */
export const causesOf = (error: unknown): string => {
  const cause = error instanceof Error ? error.cause : undefined;
  return cause === undefined ? messageOf(error) : `${messageOf(error)}: ${causesOf(cause)}`;
};

/** Whether an answer can have the bytes from there on, or all: a part must have been asked for. */
export const isFrom = ({ ok, status }: Response, from: number) => ok && (status !== 206 || from > 0);
export const isHtml = ({ headers }: Response) =>
  /^(text\/html|application\/xhtml\+xml)\b/i.test(headers.get('content-type') ?? '');
