/** A mistake on the command line, or something asked for that the device does not have. */
export class UsageError extends Error {
  override name = 'UsageError';
}
