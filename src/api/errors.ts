/**
 * The library's named errors. They cross the worker boundary with name and class (session/wire-error.ts). The library also throws the
 * platform's own: RangeError (a value out of bounds), TypeError (an argument of the wrong type) and a DOMException named AbortError.
 */

/** There is no WebGPU or no adapter, or the device lacks something that the model needs. */
export class WebGPUUnavailableError extends Error {
  override name = 'WebGPUUnavailableError';
}

/** The checkpoint is well-formed but needs something that this library cannot compute. */
export class UnsupportedModelError extends Error {
  override name = 'UnsupportedModelError';
}

/** A checkpoint file is missing, broken, or contradicts another. */
export class ModelFileError extends Error {
  override name = 'ModelFileError';
}

/**
 * The GPU device was lost (driver reset, sleep, out of memory). A model recovers from that by itself; this error means that it was lost again
 * within seconds, or could not be loaded again. The next call tries afresh.
 */
export class DeviceLostError extends Error {
  override name = 'DeviceLostError';
}

/** The device computes something wrong however the library asks for it: most likely its driver is at fault. */
export class DeviceFaultError extends Error {
  override name = 'DeviceFaultError';
}

/** A text makes the model's numbers overflow, so that it has no answer. */
export class NumericError extends Error {
  override name = 'NumericError';
}

/** The worker did not start, or failed. */
export class WorkerError extends Error {
  override name = 'WorkerError';
}

/** What a call rejects with whose model was disposed meanwhile. */
export const disposedError = (): DOMException =>
  new DOMException('The model was disposed. Load it again.', 'AbortError');

/** The error that `signal` was aborted with; an AbortError unless the caller gave another reason. */
export const abortReason = (signal: AbortSignal): unknown =>
  signal.reason ?? new DOMException('The operation was aborted.', 'AbortError');

/** The same promise, but for an abort before it settles. */
export const unlessAborted = <T>(promise: PromiseLike<T>, signal: AbortSignal | undefined): Promise<T> =>
  new Promise((resolve, reject) => {
    const abort = () => reject(abortReason(signal!));
    if (signal?.aborted) abort();
    const settle = () => signal?.removeEventListener('abort', abort);
    signal?.addEventListener('abort', abort);
    promise.then(resolve, reject).then(settle);
  });

/** The error for an option that is none of its values. */
export const wrongChoice = (option: string, values: readonly string[], given: unknown): RangeError =>
  new RangeError(
    `${option} must be one of ${values.join(', ')}; it is ${typeof given === 'string' ? `'${given.slice(0, 100)}'` : String(given)}.`,
  );
