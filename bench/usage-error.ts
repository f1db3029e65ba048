/** A mistake on the command line, or a request that the device does not support. */
export class UsageError extends Error {
  override name = 'UsageError';
}
