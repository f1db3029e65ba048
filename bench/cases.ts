// What is measured: documents or queries (cases), and with which weights and arithmetic (tiers).
import type { Arithmetic, Compute, Dtype } from '../src/api/types';

/** Documents of one length, documents of varying lengths, or a search query. `limit`: tokens of the longest sequence. */
export interface Case {
  name: string;
  kind: 'fixed' | 'variable' | 'query';
  limit: number;
}

/** The sets of the ModernBERT paper's efficiency table (arXiv 2412.13663, table 2), and search queries. */
export const CASES: Case[] = [
  { name: 'fixed-512', kind: 'fixed', limit: 512 },
  { name: 'variable-512', kind: 'variable', limit: 512 },
  { name: 'fixed-8192', kind: 'fixed', limit: 8192 },
  { name: 'variable-8192', kind: 'variable', limit: 8192 },
  { name: 'query-16', kind: 'query', limit: 16 },
  { name: 'query-128', kind: 'query', limit: 128 },
  { name: 'query-512', kind: 'query', limit: 512 },
];

/** How weights are stored and what multiplies them: options of loadModel. */
export const TIERS = [
  { name: 'f32', dtype: 'f32', arithmetic: 'f32' },
  { name: 'f16-storage', dtype: 'f16', arithmetic: 'f32' },
  { name: 'shader-f16', dtype: 'f16', arithmetic: 'f16' },
  { name: 'q8', dtype: 'q8', arithmetic: 'f32' },
  { name: 'q4', dtype: 'q4', arithmetic: 'f32' },
  { name: 'int8', dtype: 'q8', arithmetic: 'f32', compute: 'int8' },
] as const satisfies { name: string; dtype: Dtype; arithmetic: Arithmetic; compute?: Compute }[];

export type Tier = (typeof TIERS)[number];
export type TierName = Tier['name'];

/** Measured by default. */
export const USUAL_TIERS: TierName[] = ['f32', 'f16-storage', 'shader-f16'];

/** The case with its documents limited to `tokens` and to the model's own limit; the name says how long they are. */
export function scaled(given: Case, tokens: number, modelLimit: number): Case {
  const limit = Math.min(given.limit, tokens, modelLimit);
  return { ...given, limit, name: `${given.kind}-${limit}` };
}

/** Random numbers in [0, 1) from a seed, by a linear congruential generator (Numerical Recipes). */
export function random(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state / 2 ** 32;
  };
}

/** A sample of the standard normal distribution (Box–Muller). */
const normal = (next: () => number): number => Math.sqrt(-2 * Math.log(1 - next())) * Math.cos(2 * Math.PI * next());

/**
 * Lengths of a case's sequences. Fixed: as many documents of the limit as fit into `tokens`. Variable: normally distributed around half
 * the limit with a deviation of an eighth of it, clipped to 1 … limit, always the same; the last takes what is left of `tokens`.
 */
export function lengthsOf({ kind, limit }: Case, tokens: number): number[] {
  if (kind === 'query') return [limit];
  if (kind === 'fixed') return Array.from({ length: Math.max(1, Math.floor(tokens / limit)) }, () => limit);
  const next = random(limit);
  const lengths: number[] = [];
  for (let left = tokens; left > 0; left -= lengths[lengths.length - 1]) {
    const length = Math.min(limit, Math.max(1, Math.round(limit / 2 + (limit / 8) * normal(next))));
    lengths.push(Math.min(length, left));
  }
  return lengths;
}

/** Sequences of these lengths with token ids random over the whole vocabulary, so that the embedding's reads spread as in text. */
export function sequencesOf(lengths: number[], vocab_size: number): Uint32Array[] {
  const next = random(1);
  return lengths.map((length) => Uint32Array.from({ length }, () => Math.floor(next() * vocab_size)));
}
