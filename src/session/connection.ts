/** The page's connection to one worker. */
import { wrap } from 'comlink';
import { abortReason, disposedError, WorkerError } from '../api/errors';
import type { MemoryUse } from '../api/types';
import { fromWireError } from './wire-error';
import type { Outcome, Session } from './worker-session';

/** Milliseconds that a worker has to free its GPU memory before it is ended: it may be stuck in a text. */
const DISPOSE_TIME = 800;

export type Connection = ReturnType<typeof connect>;

/** Its calls settle even if they are aborted or the worker dies. */
export function connect(worker: Worker) {
  const session = wrap<Session>(worker);
  const waiting = new Set<(reason: unknown) => void>();
  let ended: Error | undefined;
  let crashedAt: number | undefined;
  let lastId = 0;

  function close(reason: Error = new WorkerError('The worker was closed.')) {
    ended ??= reason;
    for (const reject of waiting) reject(ended);
    waiting.clear();
    worker.terminate();
  }
  worker.addEventListener('error', (event) => {
    if ('message' in event) crashedAt ??= performance.now();
    close(workerFailure(event));
  });
  worker.addEventListener('messageerror', () => close(new WorkerError('A message from the worker could not be read.')));

  return {
    close,

    /** When the worker died of an error in it; undefined while it lives, and if it never started. */
    crashedAt: () => crashedAt,

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

    /** Frees the GPU if the worker can within DISPOSE_TIME, then ends it. Never rejects. */
    async dispose() {
      if (ended) return;
      ended = disposedError();
      for (const reject of waiting) reject(ended);
      waiting.clear();
      let timer: ReturnType<typeof setTimeout> | undefined;
      const tooLong = new Promise((resolve) => {
        timer = setTimeout(resolve, DISPOSE_TIME);
      });
      const died = new Promise((resolve) => worker.addEventListener('error', resolve));
      await Promise.race([session.dispose().catch(() => {}), died, tooLong]);
      clearTimeout(timer);
      worker.terminate();
    },
  };
}

/** A script that does not load causes a plain Event; an uncaught error in it an ErrorEvent with message and place. */
function workerFailure(event: ErrorEvent | Event): WorkerError {
  const { message, filename, lineno } = event as Partial<ErrorEvent>;
  return new WorkerError(
    message
      ? `The worker failed: ${message} (${filename}:${lineno}).`
      : "The worker's script could not be loaded. Check that worker.js is served beside the library's files and that the " +
          'content security policy allows it (worker-src), import modernbert-webgpu/inline where a bundler does not copy it, or make the worker yourself and pass it as the option worker.',
  );
}
