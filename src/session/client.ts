import { proxy, wrap } from 'comlink';
import type { CallOptions, Calls, Embeddings } from '../api/calls';
import { abortReason, DeviceLostError } from '../api/errors';
import type { LoadOptions, MemoryUse, Model, ModelSource, Progress } from '../api/types';
import { startWorker } from '../start-worker';
import { fromWireError } from './wire-error';
import type { Loaded, Outcome, Session } from './worker-session';

export interface BrowserLoadOptions extends LoadOptions {
  /**
   * Where the model runs. `true` (default): in a new worker. `false`: in this thread, for callers that already are in a worker. A Worker that
   * runs `modernbert-webgpu/worker`: in that worker, which then belongs to the model and ends with it; for pages whose bundler or content
   * security policy requires them to create the worker.
   */
  worker?: boolean | Worker;
}

/**
 * Loads a checkpoint onto the GPU.
 *
 * Throws WebGPUUnavailableError (no WebGPU or adapter), ModelFileError (a file is missing or broken), UnsupportedModelError (the checkpoint
 * needs something that this library cannot compute), the reason of `signal`, or an Error if the worker does not start.
 */
export async function loadModel(source: ModelSource, options: BrowserLoadOptions = {}): Promise<Model> {
  const { worker = true, signal, onProgress, gpu, ...rest } = options;
  signal?.throwIfAborted();
  const plain = rest.hubUrl ? { ...rest, hubUrl: absoluteUrl(rest.hubUrl) } : rest;
  if (worker === false) {
    const [{ openModel }, { browserPlans: plans }, { browserStore: store }] = await Promise.all([
      import('./open'),
      import('../store/plans-browser'),
      import('../store/browser'),
    ]);
    return openModel(source, { ...plain, signal, onProgress, gpu: gpu ?? navigator.gpu, plans, store });
  }
  if (gpu) throw new TypeError('The option gpu cannot be sent to a worker. Pass it together with worker: false.');

  const connection = connect(worker === true ? newWorker() : worker);
  try {
    const { value: loaded, memory } = await connection.request<Loaded>(signal, (session, id) =>
      session.load(
        id,
        absoluteSource(source),
        plain,
        onProgress &&
          proxy((progress: Progress) => {
            if (!signal?.aborted) onProgress(progress);
          }),
      ),
    );
    return remoteModel(connection, loaded, memory);
  } catch (error) {
    connection.close();
    throw error;
  }
}

function newWorker(): Worker {
  try {
    return startWorker();
  } catch (cause) {
    throw new Error(
      `The browser refused to start the worker (${(cause as Error).message}). A worker must come from the page's own origin: ` +
        'serve the library from there, or make the worker yourself and pass it as the option worker.',
      { cause },
    );
  }
}

/** Relative URLs resolve differently in the page and in the worker, so they become absolute. Hub ids and files stay unchanged. */
export function absoluteSource(source: ModelSource): ModelSource {
  if (source instanceof URL) return source.href;
  return typeof source === 'string' ? absoluteUrl(source) : source;
}

function absoluteUrl(url: string): string {
  return isPath(url) ? new URL(url, globalThis.document?.baseURI ?? globalThis.location.href).href : url;
}

const isPath = (url: string) => !/^[a-z][a-z\d+.-]*:/i.test(url) && /^(\/|\.\.?\/)|\/$|^\.\.?$/.test(url);

type Connection = ReturnType<typeof connect>;

/** The page's connection to one worker. Its calls settle even if they are aborted or the worker dies. */
function connect(worker: Worker) {
  const session = wrap<Session>(worker);
  const waiting = new Set<(reason: unknown) => void>();
  let ended: Error | undefined;
  let lastId = 0;

  function end(reason: Error) {
    ended ??= reason;
    for (const reject of waiting) reject(ended);
    waiting.clear();
  }
  function close(reason: Error = new Error('The worker was closed.')) {
    end(reason);
    worker.terminate();
  }
  worker.addEventListener('error', (event) => close(workerFailure(event)));
  worker.addEventListener('messageerror', () => close(new Error('A message from the worker could not be read.')));

  return {
    close,

    /** Sends one call. Rejects at once when `signal` aborts (the worker is told to stop) and when the worker ends. */
    request<T>(
      signal: AbortSignal | undefined,
      send: (remote: typeof session, id: number) => Promise<Outcome<unknown>>,
    ): Promise<{ value: T; memory: MemoryUse }> {
      return new Promise((resolve, reject) => {
        if (signal?.aborted) return reject(abortReason(signal));
        if (ended) return reject(ended);
        const id = ++lastId;
        const settle = () => {
          waiting.delete(fail);
          signal?.removeEventListener('abort', abort);
        };
        const fail = (reason: unknown) => {
          settle();
          reject(reason);
        };
        const abort = () => {
          void session.abort(id);
          fail(abortReason(signal as AbortSignal));
        };
        waiting.add(fail);
        signal?.addEventListener('abort', abort);
        send(session, id).then((outcome) => {
          if ('error' in outcome) return fail(fromWireError(outcome.error));
          settle();
          resolve({ value: outcome.value as T, memory: outcome.memory });
        }, fail);
      });
    },

    /** Frees the GPU, then ends the worker. */
    async dispose() {
      if (ended) return;
      const freed = session.dispose();
      end(new DeviceLostError('The model was disposed. Load the model again.'));
      try {
        await Promise.race([freed, new Promise((resolve) => worker.addEventListener('error', resolve))]);
      } finally {
        close();
      }
    },
  };
}

/** A script that does not load causes a plain Event; an uncaught error in it an ErrorEvent with message and place. */
function workerFailure(event: ErrorEvent | Event): Error {
  const { message, filename, lineno } = event as Partial<ErrorEvent>;
  return new Error(
    message
      ? `The worker failed: ${message} (${filename}:${lineno}). Load the model again.`
      : "The worker's script could not be loaded. Check that worker.js is served beside the library's files and that the " +
          'content security policy allows it (worker-src), or make the worker yourself and pass it as the option worker.',
  );
}

/** The page's Model: calls go to the worker; `info` and `memory()` return what the worker sent last. */
function remoteModel(connection: Connection, { info, calls }: Loaded, loaded: MemoryUse): Model {
  let memory = loaded;

  async function call(name: keyof Calls, args: unknown[]): Promise<unknown> {
    const last = args.at(-1);
    const { signal, onProgress, ...options }: CallOptions = isOptions(last) ? last : {};
    const input = isOptions(last) ? args.slice(0, -1) : args;
    const result = await connection.request<unknown>(signal, (session, id) =>
      session.call(
        id,
        name,
        input.map(ownCopies),
        isOptions(last) ? (ownCopies(options) as object) : undefined,
        onProgress && proxy(onProgress),
      ),
    );
    memory = result.memory;
    return withMethods(result.value);
  }

  return {
    info,
    ...(Object.fromEntries(calls.map((name) => [name, (...args: unknown[]) => call(name, args)])) as unknown as Calls),
    memory: () => memory,
    dispose: () => connection.dispose(),
  };
}

/** Whether an argument can be an options object: not a text, list or typed array. */
const isOptions = (value: unknown): value is object =>
  typeof value === 'object' && value !== null && !Array.isArray(value) && !ArrayBuffer.isView(value);

/** Cloning a view would copy its whole buffer, so views in an argument are copied first. */
const ownCopies = (value: unknown): unknown =>
  isOptions(value)
    ? Object.fromEntries(
        Object.entries(value).map(([key, part]) => [key, part instanceof Uint32Array ? part.slice() : part]),
      )
    : value;

/** Adds to a result, or a list of them, the methods that cannot be cloned (worker-session.ts). */
function withMethods(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(withMethods);
  const { data, rows, dim } = (value ?? {}) as Partial<Embeddings>;
  if (!data || rows === undefined || dim === undefined) return value;
  const width = data.length / rows;
  return { ...(value as Embeddings), row: (i) => data.subarray(i * width, (i + 1) * width) } satisfies Embeddings;
}
