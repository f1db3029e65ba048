import type { Step } from '../../bench/steps';
import { aborted } from '../dom';

/** What a worker of the benchmark answers: how far it is, results in lines, results so far, and at the end all of them or an error. */
type Answer<Result> = { step: Step } | { log: string } | { soFar: Result } | { done: Result } | { error: string };

/** Runs a job in a worker of its own, which ends with it or with the signal. */
export async function runJob<Result>(
  worker: Worker,
  job: unknown,
  signal: AbortSignal,
  { step, log, soFar }: { step(step: Step): void; log(line: string): void; soFar?(result: Result): void },
): Promise<Result> {
  const done = new Promise<Result>((resolve, reject) => {
    worker.onmessage = ({ data }: MessageEvent<Answer<Result>>) => {
      if ('step' in data) step(data.step);
      else if ('log' in data) log(data.log);
      else if ('soFar' in data) soFar?.(data.soFar);
      else if ('done' in data) resolve(data.done);
      else reject(new Error(data.error));
    };
    worker.onerror = ({ message }) =>
      reject(new Error(`The worker failed: ${message || 'its script could not be loaded'}.`));
    worker.postMessage(job);
  });
  try {
    return await Promise.race([done, aborted(signal)]);
  } finally {
    worker.terminate();
  }
}
