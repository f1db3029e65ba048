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

/** The GPU device was lost (driver reset, sleep, out of memory). Load the model again. */
export class DeviceLostError extends Error {
  override name = 'DeviceLostError';
}

/** The device computes something wrong however the library asks for it: most likely its driver is at fault. */
export class DeviceFaultError extends Error {
  override name = 'DeviceFaultError';
}

/** The error that `signal` was aborted with; an AbortError unless the caller gave another reason. */
export const abortReason = (signal: AbortSignal): unknown =>
  signal.reason ?? new DOMException('The operation was aborted.', 'AbortError');
