/** Comparing what an index was made with. */
import type { IndexSpec } from './types';

const VERSION = 1;

/** Names for people. Options come before the space, which may depend on them. */
const FIELDS = {
  precision: 'precision',
  metric: 'metric',
  chunk: 'chunk',
  document: 'prompt of documents',
  embeddingSpace: "the model's embedding space",
  dim: 'dimensions',
} as const satisfies Record<keyof IndexSpec, string>;

type Versioned = IndexSpec & { version: number };

/** Throws an Error if an index of one spec cannot be searched or filled with the other; `what` begins its message. */
export function checkSame(theirs: Versioned, own: IndexSpec, what: string): void {
  const difference = differenceOf(theirs, own);
  if (difference) throw new Error(`${what} was made with ${difference}.`);
}

/** What differs, as a part of a sentence; undefined if nothing does. Throws an Error for another version of the format. */
export function differenceOf(theirs: Versioned, own: IndexSpec): string | undefined {
  if (theirs.version !== VERSION) {
    throw new Error(
      `The index has version ${theirs.version} of the format, and this library reads version ${VERSION}.`,
    );
  }
  const text = (value: unknown) => (typeof value === 'string' ? `'${value}'` : JSON.stringify(value));
  const fields = Object.keys(FIELDS) as (keyof IndexSpec)[];
  const field = fields.find((name) => text(theirs[name]) !== text(own[name]));
  return field && `${FIELDS[field]} ${text(theirs[field])}, not ${text(own[field])}`;
}
