import { ModelFileError, UnsupportedModelError } from '../src/api/errors';
import type { Mutate } from './mutate';

/** A parser to fuzz. */
export interface Target {
  name: string;
  seeds: readonly Uint8Array[];
  mutate: Mutate;
  /** What a failing input is stored as. */
  extension: string;
  /** Reads one input. What it may throw for a broken one is up to `isNamed`. */
  run(bytes: Uint8Array<ArrayBuffer>): void | Promise<void>;
  /** Whether an error says in the project's own words what is wrong with a file; by default the library's two classes for files. */
  isNamed?(error: unknown): boolean;
}

/** What an input did that it must not. */
export interface Failure {
  kind: 'unnamed error' | 'slow' | 'memory' | 'hang';
  message: string;
}

/** A run that takes longer is a failure. On a machine that does much else at the time FUZZ_SLOW allows more. */
export const MOST_SECONDS = Number(process.env.FUZZ_SLOW ?? 1);
/** A run may allocate twice the input and this, in bytes, garbage included. */
const MOST_GROWTH = 192 << 20;

const isFileError = (error: unknown): boolean =>
  error instanceof ModelFileError || error instanceof UnsupportedModelError;

const memoryNow = (): number => {
  const { heapUsed, arrayBuffers } = process.memoryUsage();
  return heapUsed + arrayBuffers;
};

/** Runs one input. A slow run is repeated: another process may have had the processor. */
export async function failureOf(
  target: Target,
  bytes: Uint8Array<ArrayBuffer>,
  tries = 3,
): Promise<Failure | undefined> {
  const memory = memoryNow();
  const start = performance.now();
  try {
    await target.run(bytes.slice());
  } catch (error) {
    if (!(target.isNamed ?? isFileError)(error)) {
      const { name, message, stack } = error instanceof Error ? error : new Error(String(error));
      return {
        kind: 'unnamed error',
        message: `${name}: ${message.slice(0, 300)}\n${stack?.split('\n').slice(1, 5).join('\n')}`,
      };
    }
  }
  const seconds = (performance.now() - start) / 1000;
  if (seconds > MOST_SECONDS) {
    return tries > 1 ? failureOf(target, bytes, tries - 1) : { kind: 'slow', message: `${seconds.toFixed(1)} s` };
  }
  const growth = memoryNow() - memory;
  if (growth > 2 * bytes.length + MOST_GROWTH)
    return { kind: 'memory', message: `${Math.round(growth / 2 ** 20)} MiB` };
  return undefined;
}
