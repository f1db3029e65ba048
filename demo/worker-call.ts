import { type Remote, wrap } from 'comlink';
import { aborted } from './dom';

/**
 * One call to a worker of its own, which ends with it: nothing stays in memory, and aborting `signal` stops it at once.
 * `start` makes a worker that exposes `T` through comlink.
 */
export async function callWorker<T, Result>(
  start: () => Worker,
  signal: AbortSignal,
  call: (remote: Remote<T>) => Promise<Result>,
): Promise<Result> {
  signal.throwIfAborted();
  const worker = start();
  const failed = new Promise<never>((_, reject) => {
    worker.onerror = ({ message }) =>
      reject(new Error(`A worker of this page failed: ${message || 'it could not be loaded.'}`));
  });
  try {
    return await Promise.race([call(wrap<T>(worker)), failed, aborted(signal)]);
  } finally {
    worker.terminate();
  }
}
