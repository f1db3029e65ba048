import { abortReason, ModelFileError } from '../api/errors';
import type { FileOptions } from '../api/types';
import { MOST_LEVELS, scanJson } from './json-scan';
import type { ModelFile, ModelFiles } from './model-files';

export type StreamOptions = Pick<FileOptions, 'onProgress' | 'signal'>;

/** Progress of large files is reported once per MiB: a message to the page per network chunk would cost more than the download. */
const PROGRESS_STEP = 1 << 20;

/**
 * Yields the bytes of `file` in the chunks of its stream. `onProgress` is called at the start, about once per MiB and at the end. Leaving
 * the loop early cancels the stream.
 * Throws the reason of `signal` when it aborts, and a ModelFileError if the stream breaks or does not have `file.size` bytes.
 */
export async function* streamBytes(file: ModelFile, { onProgress, signal }: StreamOptions): AsyncGenerator<Uint8Array> {
  const { name, size } = file;
  const reader = file.stream.getReader();
  // Cancelling the stream ends a pending read(); otherwise an abort would wait for the next network chunk.
  const onAbort = () => void reader.cancel(signal?.reason).catch(() => {});
  signal?.addEventListener('abort', onAbort, { once: true });
  let loaded = 0;
  let reported = 0;
  try {
    signal?.throwIfAborted();
    onProgress?.({ file: name, loaded, total: size });
    for (;;) {
      const { done, value } = await reader.read().catch((cause: unknown) => {
        if (signal?.aborted) throw abortReason(signal);
        if (cause instanceof ModelFileError) throw cause;
        throw new ModelFileError(`Reading ${name} stopped after ${bytesOf(loaded, size)}: ${messageOf(cause)}`, {
          cause,
        });
      });
      if (signal?.aborted) throw abortReason(signal);
      if (done) break;
      loaded += value.byteLength;
      if (size !== undefined && loaded > size) {
        throw new ModelFileError(`${name} goes on after the ${size} bytes that it should have.`);
      }
      if (loaded - reported >= PROGRESS_STEP) {
        reported = loaded;
        onProgress?.({ file: name, loaded, total: size });
      }
      yield value;
    }
    if (size !== undefined && loaded < size) {
      throw new ModelFileError(`${name} is cut off: it ends after ${bytesOf(loaded, size)}. Load it again.`);
    }
    if (reported !== loaded) onProgress?.({ file: name, loaded, total: size });
  } finally {
    signal?.removeEventListener('abort', onAbort);
    reader.cancel().catch(() => {});
  }
}

/** A stream of the chunks that a generator yields. It runs only while the stream is read; `onCancel` and then its `return` end it. */
export const streamFrom = (
  chunks: AsyncGenerator<Uint8Array>,
  onCancel?: (reason: unknown) => void,
): ReadableStream<Uint8Array> =>
  new ReadableStream<Uint8Array>(
    {
      async pull(controller) {
        const { done, value } = await chunks.next();
        if (done) controller.close();
        else controller.enqueue(value);
      },
      async cancel(reason) {
        onCancel?.(reason);
        await chunks.return(undefined);
      },
    },
    { highWaterMark: 0 },
  );

export interface ReadOptions extends StreamOptions {
  /** Throw a ModelFileError if the file does not exist, instead of returning undefined. */
  required?: boolean;
}

/** Of each checkpoint, at most this many files are read whole at a time. */
const AT_A_TIME = 8;
const lines = new WeakMap<ModelFiles, { last: Promise<unknown>[]; next: number }>();

/** Runs `read` once fewer than AT_A_TIME others of these files run. */
function inTurn<T>(files: ModelFiles, read: () => Promise<T>): Promise<T> {
  // A folder's files come from the same place.
  if (files.root) return inTurn(files.root, read);
  const line = lines.get(files) ?? { last: Array(AT_A_TIME).fill(Promise.resolve()), next: 0 };
  lines.set(files, line);
  const place = line.next++ % AT_A_TIME;
  const reading = line.last[place].then(read);
  line.last[place] = reading.catch(() => {}).then(() => {}); // without the bytes
  return reading;
}

const MIB = 1 << 20;
/** Bytes of a file that is read whole. Weights are streamed, and their parts are checked where they are read. */
const limitOf = (name: string): number =>
  name.endsWith('.safetensors') ? Infinity : (name === 'tokenizer.json' ? 256 : 16) * MIB;

/** Checkpoints of which a file has been read: their server answers, and this page may read its files. */
const reached = new WeakSet<ModelFiles>();

/**
 * Opens a file that may be missing. Once one has been read, one that the server refuses or does not answer for counts as
 * missing: without CORS headers, which a 404 often lacks, a page cannot tell them apart.
 */
export const openOptional = (files: ModelFiles, name: string, signal?: AbortSignal) =>
  files.open(name, signal, reached.has(files.root ?? files));

/** A whole file; undefined if it does not exist and is not required. Throws a ModelFileError for one above the limit of its kind. */
export const readBytes = (
  files: ModelFiles,
  name: string,
  options: ReadOptions = {},
): Promise<Uint8Array<ArrayBuffer> | undefined> => inTurn(files, () => readWhole(files, name, options));

async function readWhole(files: ModelFiles, name: string, options: ReadOptions) {
  const { required, signal } = options;
  const file = await (required ? files.open(name, signal) : openOptional(files, name, signal));
  if (!file) {
    if (required) throw missingFile(files, name);
    return undefined;
  }
  const limit = limitOf(name);
  const checkLimit = (size: number) => {
    if (size <= limit) return;
    file.stream.cancel().catch(() => {});
    const has = file.size === undefined ? 'goes on after' : `has ${size} bytes, more than`;
    throw new ModelFileError(`${name} in ${files.where} ${has} the ${limit / MIB} MiB that such a file may have.`);
  };
  checkLimit(file.size ?? 0);
  const chunks: Uint8Array[] = [];
  let length = 0;
  for await (const chunk of streamBytes(files.keep?.(file) ?? file, options)) {
    length += chunk.byteLength;
    checkLimit(length);
    chunks.push(chunk);
  }
  reached.add(files.root ?? files);
  const bytes = new Uint8Array(length);
  let at = 0;
  for (const chunk of chunks) {
    bytes.set(chunk, at);
    at += chunk.byteLength;
  }
  return bytes;
}

/**
 * A JSON file; undefined if it does not exist and is not required. Throws a ModelFileError for a file that is not UTF-8 JSON or is nested
 * too deep. A page of HTML or XML counts as no file: some servers answer with one, and status 200, for unknown names.
 */
export async function readJson(files: ModelFiles, name: string, options: ReadOptions = {}): Promise<unknown> {
  const bytes = await readBytes(files, name, options);
  if (!bytes) return undefined;
  try {
    const text = new TextDecoder('utf-8', { fatal: true }).decode(bytes);
    const isPage = /^\s*</.test(text);
    if (!isPage && scanJson(bytes).depth > MOST_LEVELS) {
      throw new SyntaxError(`it is nested deeper than ${MOST_LEVELS} levels`);
    }
    if (!isPage) return JSON.parse(text);
  } catch (cause) {
    throw new ModelFileError(`${name} in ${files.where} is not valid JSON: ${messageOf(cause)}`, { cause });
  }
  if (options.required) throw missingFile(files, name, 'a page of HTML or XML is in its place');
  return undefined;
}

/** The error for a required file that does not exist. */
export const missingFile = (files: ModelFiles, name: string, why = files.whyMissing?.(name)): ModelFileError =>
  new ModelFileError(`There is no ${name} in ${files.where}${why ? `: ${why}` : ''}.`);

export const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));

const bytesOf = (loaded: number, size: number | undefined): string =>
  size === undefined ? `${loaded} bytes` : `${loaded} of ${size} bytes`;
