/** Which rows can be among the best, by what the GPU has found about groups of them. */
import { GROUP } from '../kernels/group_max';
import { TopK } from './top-k';

/** Rows from `from` to before `to`. */
export interface Span {
  from: number;
  to: number;
}

/** [groups]: the largest score of a group of rows lies between these. */
export interface Bounds {
  lower: Float64Array;
  upper: Float64Array;
}

/**
 * The spans of the `count` rows in which the `topK` best must be. So many groups have a row above the topK-th largest lower bound; a row of a
 * group whose upper bound is less is worse than all of these.
 */
export function spansOf({ lower, upper }: Bounds, topK: number, count: number): Span[] {
  const best = new TopK(Math.min(topK, lower.length));
  for (const [group, least] of lower.entries()) best.offer(group, least);
  const least = lower.length < topK ? -Infinity : best.least;
  const spans: Span[] = [];
  for (const [group, most] of upper.entries()) {
    if (most < least) continue;
    const [from, to] = [group * GROUP, Math.min((group + 1) * GROUP, count)];
    const last = spans.at(-1);
    if (last?.to === from) last.to = to;
    else spans.push({ from, to });
  }
  return spans;
}
