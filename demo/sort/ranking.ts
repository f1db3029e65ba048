/** A class with its probability. */
export interface Score {
  label: string;
  score: number;
}

/** By how much the best class is ahead of the second; 1 if there is no second. `scores`: best first. */
export const margin = ([best, second]: Score[]): number => (second ? best.score - second.score : 1);

/**
 * The order in which documents are worth a look (uncertainty sampling by margin, Scheffer et al. 2001): those without a label, the least sure first;
 * those without a guess yet; those that have a label. Ties keep their order. `wanted`: classes that lack labels; while there are some, documents that
 * may be of them come before the others.
 */
export function leastSureFirst<D extends { hash: string }>(
  documents: D[],
  labels: ReadonlyMap<string, string>,
  scores: ReadonlyMap<string, Score[]>,
  wanted: ReadonlySet<string> = new Set(),
): D[] {
  const rank = ({ hash }: D): number => {
    const own = scores.get(hash);
    if (labels.has(hash)) return 4;
    if (!own) return 3;
    return margin(own) + (wanted.size > 0 && !wanted.has(own[0].label) ? 1.5 : 0);
  };
  const ranks = new Map(documents.map((one) => [one.hash, rank(one)]));
  return documents.toSorted((a, b) => (ranks.get(a.hash) ?? 0) - (ranks.get(b.hash) ?? 0));
}

/** How many labels each class lacks until every class has `wanted`, by class; empty if none does. */
export function lacking(
  classes: readonly string[],
  labels: Iterable<string>,
  wanted: number,
): { label: string; missing: number }[] {
  const counts = new Map<string, number>();
  for (const label of labels) counts.set(label, (counts.get(label) ?? 0) + 1);
  return classes
    .map((label) => ({ label, missing: wanted - (counts.get(label) ?? 0) }))
    .filter(({ missing }) => missing > 0);
}
