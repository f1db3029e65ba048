/** Cormack et al., SIGIR 2009. */
const RRF = 60;

/** Reciprocal rank fusion: the sum of 1 / (60 + rank) over all rankings, best first; of equal sums the one found in an earlier ranking. */
export function fuse<T>(rankings: readonly (readonly T[])[]): { item: T; score: number }[] {
  const scores = new Map<T, number>();
  for (const ranking of rankings) {
    for (const [i, item] of ranking.entries()) scores.set(item, (scores.get(item) ?? 0) + 1 / (RRF + i + 1));
  }
  return Array.from(scores, ([item, score]) => ({ item, score })).sort((a, b) => b.score - a.score);
}
