/**
 * The library's named errors. `name` survives the worker boundary; the client gives them back their class (see client.ts).
 * Besides these the library throws the platform's own: RangeError (a number out of bounds), TypeError (an argument of the
 * wrong kind) and a DOMException named AbortError.
 */

/** No WebGPU, no adapter, or a device that lacks what the model needs at the least. */
export class WebGPUUnavailableError extends Error {
  override name = 'WebGPUUnavailableError';
}

/** The checkpoint is well-formed but asks for something this runtime cannot compute. */
export class UnsupportedModelError extends Error {
  override name = 'UnsupportedModelError';
}

/** A checkpoint file is missing, broken, or contradicts another. */
export class ModelFileError extends Error {
  override name = 'ModelFileError';
}

/** The GPU device was lost (driver reset, sleep, out of memory). Load the model again. */
export class DeviceLostError extends Error {
  override name = 'DeviceLostError';
}

/** The error that `signal` was aborted with; an AbortError unless the caller gave another reason. */
export const abortReason = (signal: AbortSignal): unknown =>
  signal.reason ?? new DOMException('The operation was aborted.', 'AbortError');
