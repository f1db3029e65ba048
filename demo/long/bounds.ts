import type { Bounds } from '../search/relevance';

/**
 * What a cosine of the page's models means for a passage of one long text, by training/eval/results/bounds.md: half of its questions are not answered by
 * the text. From `likely` on, the best passage was one with the answer in more than half of the cases; below `maybe` in fewer than one of twenty.
 * `maybe` is lower than that of passages which were read alone: each has seen the others, and is not as near to what it alone says.
 */
const BOUNDS: Record<string, Bounds> = {
  'nano-embed-q4': { likely: 0.6, maybe: 0.25 },
  'all-MiniLM-L6-v2': { likely: 0.5, maybe: 0.25 },
};

/** Undefined for other models. */
export const boundsOf = (model: string): Bounds | undefined => BOUNDS[model];
