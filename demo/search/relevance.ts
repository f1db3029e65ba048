/**
 * What a cosine of the page's models means, by training/eval/results/bounds.md: half of its queries are asked among passages that answer none of them.
 * From `likely` on, the best passage was the one with the answer in more than half of the cases; below `maybe` in fewer than one of twenty. Texts
 * about one subject are nearer to each other than those were: in a book about whales more is likely than answers.
 */
export interface Bounds {
  likely: number;
  maybe: number;
}

export type Relevance = 'likely' | 'maybe' | 'unlikely';

const BOUNDS: Record<string, Bounds> = {
  'nano-embed-q4': { likely: 0.6, maybe: 0.4 },
  'all-MiniLM-L6-v2': { likely: 0.5, maybe: 0.3 },
};

/** Undefined for other models. */
export const boundsOf = (model: string): Bounds | undefined => BOUNDS[model];

/** Undefined where it is not known. */
export function relevanceOf({ similarity }: { similarity?: number }, bounds?: Bounds): Relevance | undefined {
  if (similarity === undefined || !bounds) return undefined;
  if (similarity >= bounds.likely) return 'likely';
  return similarity >= bounds.maybe ? 'maybe' : 'unlikely';
}
