/**
 * How much a text is like those that a classifier was trained on: the cosine of its embedding with the nearest class mean, as a rank among the
 * cosines of the examples when they were held out. Of what was compared, this needs least, and the classifier's own probabilities or logits do
 * not tell with every model (docs/guide/classifier.md has the figures).
 */
import type { Examples } from './logistic-regression';

/** Steps of the ranks that are kept: percents. */
const STEPS = 100;

/** The mean embedding of every class, of unit length: [classes, dim]; zeros for a class without examples. */
export function classMeans({ features, dim, targets, classes }: Examples): Float32Array {
  const sums = new Float64Array(classes * dim);
  for (const [i, target] of targets.entries()) {
    for (let j = 0; j < dim; j++) sums[target * dim + j] += features[i * dim + j];
  }
  const means = new Float32Array(classes * dim);
  for (let c = 0; c < classes; c++) {
    const sum = sums.subarray(c * dim, (c + 1) * dim);
    const length = norm(sum);
    if (length > 0) for (let j = 0; j < dim; j++) means[c * dim + j] = sum[j] / length;
  }
  return means;
}

/** The cosine of an embedding [dim] with the nearest of the class means. */
export function nearest(means: Float32Array, x: Float32Array): number {
  const length = Math.max(norm(x), 1e-12);
  let best = -1;
  for (let c = 0; c < means.length; c += x.length) {
    let product = 0;
    for (let j = 0; j < x.length; j++) product += means[c + j] * x[j];
    best = Math.max(best, product / length);
  }
  return best;
}

const norm = (x: Float32Array | Float64Array): number => {
  let square = 0;
  for (let j = 0; j < x.length; j++) square += x[j] * x[j];
  return Math.sqrt(square);
};

/** The cosines that 0, 1, …, 100% of some cosines are not above, between neighbours linearly. */
export function percentilesOf(cosines: Float64Array): number[] {
  const sorted = cosines.toSorted();
  return Array.from({ length: STEPS + 1 }, (_, step) => {
    const place = (step / STEPS) * (sorted.length - 1);
    const low = Math.floor(place);
    const high = Math.min(low + 1, sorted.length - 1);
    return sorted[low] + (place - low) * (sorted[high] - sorted[low]);
  });
}

/** Which share of the cosines that the percentiles are of is below a cosine, from 0 to 1. */
export function rankOf(percentiles: readonly number[], cosine: number): number {
  const above = percentiles.findIndex((value) => value >= cosine);
  if (above <= 0) return above < 0 ? 1 : 0;
  const [low, high] = [percentiles[above - 1], percentiles[above]];
  return (above - 1 + (cosine - low) / (high - low)) / STEPS;
}
