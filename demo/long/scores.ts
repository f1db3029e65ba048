/** Vectors of unit length in rows, [rows, dim]. */
export interface Rows {
  data: Float32Array;
  dim: number;
}

/** The cosine of every row to a vector of unit length. */
export function cosinesTo(vector: Float32Array, { data, dim }: Rows): number[] {
  return Array.from({ length: data.length / dim }, (_, row) => {
    let sum = 0;
    for (let i = 0; i < dim; i++) sum += vector[i] * data[row * dim + i];
    return sum;
  });
}

/** The mean of the rows, of unit length. */
export function meanDirection({ data, dim }: Rows): Float32Array {
  const mean = new Float32Array(dim);
  for (let i = 0; i < data.length; i++) mean[i % dim] += data[i];
  const length = Math.sqrt(mean.reduce((sum, value) => sum + value * value, 0)) || 1;
  return mean.map((value) => value / length);
}

/** Indices from the highest score to the lowest; the earlier one of equals comes first. */
export const ranked = (scores: number[]): number[] => [...scores.keys()].sort((a, b) => scores[b] - scores[a]);

/**
 * How strongly each score is coloured, 0 to `most`: in one text all cosines are near each other, so that half of it, up to the median, stays without
 * colour, and the highest has the strongest.
 */
export function shares(scores: number[], most = 1): number[] {
  const sorted = [...scores].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  const median = sorted.length % 2 === 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
  const range = sorted[sorted.length - 1] - median;
  if (range <= 0) return scores.map(() => most);
  return scores.map((score) => most * Math.max(0, (score - median) / range));
}

/** The passage that follows `current` in the order of scores; after the last one, and from nowhere, the best. */
export const nextBest = (order: number[], current: number | undefined): number =>
  order[((current === undefined ? -1 : order.indexOf(current)) + 1) % order.length];
