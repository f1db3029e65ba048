// What other devices reached, from results that the project keeps (bench/results).
import type { Arithmetic } from '../../src/index';
import kept from './references.json';

/**
 * A device's speed at documents of 512 tokens, from token ids to normalised means in JavaScript, with a model of nano's shape and weights in f16: what
 * `Measured.ids` is. references.test.ts holds each against its file.
 */
export interface Reference {
  device: string;
  /** What it is, for people. */
  kind: string;
  arithmetic: Arithmetic;
  tokens_per_s: number;
  runtime: string;
  /** Of this project, when it ran. */
  commit: string;
  /** YYYY-MM-DD */
  date: string;
  /** In bench/results, and what of it: model, tier and set, or the name of the case. */
  file: string;
  entry: string;
}

export const REFERENCES = kept as Reference[];

/** A row per device, the fastest first: the one that computed as `arithmetic` says, or else the one there is. */
export function referencesFor(arithmetic: Arithmetic, all: Reference[] = REFERENCES): Reference[] {
  const byDevice = new Map<string, Reference>();
  for (const row of all) {
    if (!byDevice.has(row.device) || row.arithmetic === arithmetic) byDevice.set(row.device, row);
  }
  return [...byDevice.values()].sort((a, b) => b.tokens_per_s - a.tokens_per_s);
}
