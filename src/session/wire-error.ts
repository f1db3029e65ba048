import {
  DeviceFaultError,
  DeviceLostError,
  ModelFileError,
  NumericError,
  UnsupportedModelError,
  WebGPUUnavailableError,
  WorkerError,
} from '../api/errors';

/** An error between worker and page: structured clone would drop the library's own classes. */
export interface WireError {
  name: string;
  message: string;
  stack?: string;
  isDOMException: boolean;
  cause?: WireError;
}

const CLASSES = {
  WebGPUUnavailableError,
  UnsupportedModelError,
  ModelFileError,
  DeviceLostError,
  DeviceFaultError,
  NumericError,
  WorkerError,
  RangeError,
  TypeError,
  SyntaxError,
};

/** Packs anything thrown. */
export function toWireError(thrown: unknown): WireError {
  if (!(thrown instanceof Error)) return { name: 'Error', message: String(thrown), isDOMException: false };
  const { name, message, stack, cause } = thrown;
  return {
    name,
    message,
    stack,
    isDOMException: thrown instanceof DOMException,
    cause: cause instanceof Error ? toWireError(cause) : undefined,
  };
}

/** Restores an error's class, name, message, stack and cause. An unknown class becomes an Error with that name. */
export function fromWireError(wire: WireError): Error {
  if (wire.isDOMException) return new DOMException(wire.message, wire.name);
  const options = wire.cause && { cause: fromWireError(wire.cause) };
  const known = CLASSES[wire.name as keyof typeof CLASSES];
  const error = known ? new known(wire.message, options) : new Error(wire.message, options);
  if (!known && wire.name !== 'Error') error.name = wire.name;
  if (wire.stack) error.stack = wire.stack;
  return error;
}
