import { PCA } from 'ml-pca';
import { UMAP } from 'umap-js';
import { seededRandom } from '../../src/seeded-random';
import { nearestNeighbours } from './neighbours';
import { sampleRows } from './sample';
import { unitRows, type Vectors } from './vectors';

/** Points of a map. */
export interface Projection {
  /** [rows, 2] */
  points: Float32Array;
  /** PCA only: the share of the variance that each axis has. */
  variance?: number[];
}

/** PCA finds its directions on at most this many texts: its time grows with their square. */
const PCA_MOST = 256;
/** Numbers of each text that UMAP compares: the rest is little but noise, and time. */
const UMAP_FROM = 50;
const UMAP_NEIGHBOURS = 15;
/** Rounds of UMAP where there are more than so many texts: it begins with PCA's map, and moves little after them. */
const UMAP_EPOCHS = { above: 1000, rounds: 200 };
/** Half the width of the map that UMAP begins with. */
const UMAP_START = 10;
/** Milliseconds between two reports of progress. */
const REPORT = 100;

/** The rows along the `most` directions in which they differ most, around 0. */
export function principalComponents(
  { data, rows, dim }: Vectors,
  most: number,
): { scores: Float32Array; components: number; variance: number[] } {
  const sample = sampleRows(rows, PCA_MOST).map((i) => Array.from(data.subarray(i * dim, (i + 1) * dim)));
  const pca = new PCA(sample);
  const variance = pca.getExplainedVariance();
  const components = Math.min(most, variance.length);
  const directions = pca.getEigenvectors().transpose();
  const scores = new Float32Array(rows * components);
  for (let c = 0; c < components; c++) {
    const direction = Float64Array.from(directions.getRow(c));
    let mean = 0;
    for (let i = 0; i < rows; i++) {
      let sum = 0;
      for (let k = 0, at = i * dim; k < dim; k++, at++) sum += data[at] * direction[k];
      scores[i * components + c] = sum;
      mean += sum / rows;
    }
    for (let i = 0; i < rows; i++) scores[i * components + c] -= mean;
  }
  return { scores, components, variance };
}

/** The two directions in which the rows differ most. */
export function pcaMap(vectors: Vectors): Projection {
  const { scores, components, variance } = principalComponents(vectors, 2);
  const points = new Float32Array(2 * vectors.rows);
  for (let i = 0; i < vectors.rows; i++) points.set(scores.subarray(i * components, (i + 1) * components), 2 * i);
  return { points, variance: variance.slice(0, 2) };
}

/**
 * A map in which neighbours stay neighbours; the same one every time. It begins with PCA's map. `onProgress` hears the share that is done
 * and, once there are some, the points so far. Needs two rows or more.
 */
export function umapMap(vectors: Vectors, onProgress: (share: number, points?: Float32Array) => void): Projection {
  const { rows, dim } = vectors;
  const unit = { data: unitRows(vectors), rows, dim };
  const { scores, components } = principalComponents(unit, UMAP_FROM);
  onProgress(0.05);
  const nNeighbors = Math.min(UMAP_NEIGHBOURS, rows - 1);
  const nEpochs = rows > UMAP_EPOCHS.above ? UMAP_EPOCHS.rounds : undefined;
  const umap = new UMAP({ nNeighbors, nEpochs, minDist: 0.1, random: seededRandom(1) });
  const { indices, distances } = nearestNeighbours(scores, rows, components, nNeighbors, (share) =>
    onProgress(0.05 + 0.1 * share),
  );
  onProgress(0.15);
  umap.setPrecomputedKNN(indices, distances);
  const epochs = umap.initializeFit(indices); // it needs the number of rows alone
  const at = umap.getEmbedding();
  startAt(at, scores, components);
  let reported = performance.now();
  for (let epoch = 0; epoch < epochs; epoch++) {
    umap.step();
    if (performance.now() - reported < REPORT) continue;
    onProgress(0.4 + (0.6 * epoch) / epochs, pointsOf(at));
    reported = performance.now();
  }
  return { points: pointsOf(at) };
}

/** PCA's map as the first one, with so little noise that points in one place can part. */
function startAt(at: number[][], scores: Float32Array, components: number): void {
  const random = seededRandom(2);
  let widest = 0;
  for (let i = 0; i < at.length; i++) {
    for (let c = 0; c < Math.min(2, components); c++) widest = Math.max(widest, Math.abs(scores[i * components + c]));
  }
  for (const [i, point] of at.entries()) {
    for (let c = 0; c < 2; c++) {
      const score = c < components ? scores[i * components + c] : 0;
      point[c] = (UMAP_START * score) / (widest || 1) + 0.001 * (random() - 0.5);
    }
  }
}

const pointsOf = (at: number[][]): Float32Array => Float32Array.from(at.flat());
