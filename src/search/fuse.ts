/** Both searches as one. */
export interface Scored<T> {
  item: T;
  score: number;
}

/** Of the items by vectors, those that set the scale: the first counts 1, the last of them and those behind it 0. */
export const NEAREST = 100;
/** What the words count of the whole. */
const WORDS = 2 / 3;

/**
 * Two lists, best first, as one: ⅓ v + ⅔ w², from 0 to 1. v is an item's place between the best score by vectors and the 100th (min-max): the range of
 * a model's scores does not matter, which may have no bounds. w is its score by words as a share of `full`, at most 1: words which say little add
 * little, whatever their rank. It is squared so that a few of a question's words add little, and all of them more than v can. Of equal sums the first
 * by vectors comes first. A convex combination as of Bruch et al., ACM TOIS 2023, but for the square.
 */
export function fuse<T>(byVectors: readonly Scored<T>[], byWords: readonly Scored<T>[], full: number): Scored<T>[] {
  const scores = new Map<T, number>();
  const least = byVectors[Math.min(NEAREST, byVectors.length) - 1]?.score;
  const range = byVectors[0]?.score - least;
  for (const { item, score } of byVectors) {
    const v = range > 0 ? Math.max(0, (score - least) / range) : 1;
    scores.set(item, (1 - WORDS) * v);
  }
  for (const { item, score } of byWords) {
    const w = Math.min(1, score / full);
    scores.set(item, (scores.get(item) ?? 0) + WORDS * w ** 2);
  }
  return Array.from(scores, ([item, score]) => ({ item, score })).sort((a, b) => b.score - a.score);
}
