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

/**
 * The case as far as `tokens` go and the model's own limit allows: a document can't be longer than that, and its name says how long
 * documents are.
 */
export function scaled(given: Case, tokens: number, modelLimit: number): Case {
  const limit = Math.min(given.limit, tokens, modelLimit);
  return { ...given, limit, name: `${given.kind}-${limit}` };
}

/** The random numbers of a seed, in [0, 1): a linear congruential generator (Numerical Recipes), high bits first. */
export function random(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state / 2 ** 32;
  };
}

/** One value of the normal distribution (Box and Muller). */
const normal = (next: () => number): number => Math.sqrt(-2 * Math.log(1 - next())) * Math.cos(2 * Math.PI * next());

/**
 * Lengths of a case's sequences: `tokens` together, or as many documents of the limit as fit. Variable ones are normal around half the
 * limit with a deviation of an eighth of it, clipped to 1 … limit, and always the same ones; the last one takes what is left.
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

/** Token ids of those lengths, at random over the whole vocabulary, so that the embedding's reads are spread as in text. */
export function sequencesOf(lengths: number[], vocab_size: number): Uint32Array[] {
  const next = random(1);
  return lengths.map((length) => Uint32Array.from({ length }, () => Math.floor(next() * vocab_size)));
}
