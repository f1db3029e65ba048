import { seededRandom } from '../../src/seeded-random';
import { sampleRows } from './sample';

/** Rows that the centres are found on, at most. */
const SAMPLE = 4096;
const ROUNDS = 12;

export interface Clusters {
  /** The cluster of each row. */
  of: Int32Array;
  /** [k, dim] */
  centres: Float32Array;
}

/**
 * k-means of rows [rows, dim] by Euclidean distance, begun as k-means++ (Arthur and Vassilvitskii 2007) does; the same clusters every time. Of
 * fewer than `k` different rows some clusters stay empty.
 */
export function kMeans(data: Float32Array, rows: number, dim: number, k: number): Clusters {
  const sample = sampleRows(rows, Math.max(SAMPLE, 8 * k));
  const centres = firstCentres(data, sample, dim, k);
  const of = new Int32Array(sample.length);
  for (let round = 0; round < ROUNDS; round++) {
    let changed = 0;
    const sums = new Float64Array(k * dim);
    const sizes = new Int32Array(k);
    for (const [s, i] of sample.entries()) {
      const cluster = nearestCentre(data, i * dim, centres, dim, k);
      if (cluster !== of[s] || round === 0) changed++;
      of[s] = cluster;
      sizes[cluster]++;
      for (let d = 0; d < dim; d++) sums[cluster * dim + d] += data[i * dim + d];
    }
    if (changed === 0) break;
    for (let c = 0; c < k; c++) {
      if (sizes[c] === 0) continue;
      for (let d = 0; d < dim; d++) centres[c * dim + d] = sums[c * dim + d] / sizes[c];
    }
  }
  const all = Int32Array.from({ length: rows }, (_, i) => nearestCentre(data, i * dim, centres, dim, k));
  return { of: all, centres };
}

/** Rows far from each other: each is chosen with a chance that grows with the square of the distance to those before. */
function firstCentres(data: Float32Array, sample: number[], dim: number, k: number): Float32Array {
  const random = seededRandom(1);
  const centres = new Float32Array(k * dim);
  const least = new Float64Array(sample.length).fill(Number.POSITIVE_INFINITY);
  let next = Math.floor(random() * sample.length);
  for (let c = 0; c < k; c++) {
    centres.set(data.subarray(sample[next] * dim, (sample[next] + 1) * dim), c * dim);
    let total = 0;
    for (const [s, i] of sample.entries()) {
      least[s] = Math.min(least[s], squaredDistance(data, i * dim, centres, c * dim, dim));
      total += least[s];
    }
    let left = random() * total;
    next = least.findIndex((share) => {
      left -= share;
      return left < 0;
    });
    if (next < 0) next = 0; // all rows are chosen
  }
  return centres;
}

function nearestCentre(data: Float32Array, at: number, centres: Float32Array, dim: number, k: number): number {
  let best = 0;
  let least = Number.POSITIVE_INFINITY;
  for (let c = 0; c < k; c++) {
    const distance = squaredDistance(data, at, centres, c * dim, dim);
    if (distance < least) {
      least = distance;
      best = c;
    }
  }
  return best;
}

/** Of a[i ..] and b[j ..], `dim` numbers each. */
export function squaredDistance(a: Float32Array, i: number, b: Float32Array, j: number, dim: number): number {
  let sum = 0;
  for (let d = 0; d < dim; d++) {
    const difference = a[i + d] - b[j + d];
    sum += difference * difference;
  }
  return sum;
}
