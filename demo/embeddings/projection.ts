import { PCA } from 'ml-pca';
import { UMAP } from 'umap-js';
import { seededRandom } from '../../src/seeded-random';
import { unitRows } from './geometry';

/** Points of a map, [rows, 2]. */
export interface Projection {
  points: number[][];
  /** PCA only: the share of the variance that each axis has. */
  variance?: number[];
}

/** PCA finds its directions on at most this many texts, evenly chosen: its time grows with their square. */
const PCA_MOST = 256;

/** The two directions in which rows [rows, dim] differ most. */
export function pcaMap(data: Float32Array, rows: number, dim: number): Projection {
  const vectors = asRows(data, rows, dim);
  const stride = Math.ceil(rows / PCA_MOST);
  const pca = new PCA(vectors.filter((_, i) => i % stride === 0));
  const nComponents = Math.min(2, pca.getEigenvalues().length);
  const points = pca.predict(vectors, { nComponents }).to2DArray() as number[][];
  return { points: points.map(([x, y = 0]) => [x, y]), variance: pca.getExplainedVariance().slice(0, 2) };
}

/** A map in which neighbours of rows [rows, dim] stay neighbours; the same one every time. `onProgress` hears a share. */
export async function umapMap(
  data: Float32Array,
  rows: number,
  dim: number,
  onProgress: (share: number) => void,
): Promise<Projection> {
  const umap = new UMAP({ nNeighbors: Math.min(15, rows - 1), minDist: 0.1, random: seededRandom(1) });
  const vectors = asRows(unitRows(data, rows, dim), rows, dim);
  const epochs = umap.initializeFit(vectors);
  for (let epoch = 0; epoch < epochs; epoch++) {
    umap.step();
    if (epoch % 25 === 0) onProgress(epoch / epochs);
  }
  return { points: umap.getEmbedding() };
}

const asRows = (data: Float32Array | Float64Array, rows: number, dim: number): number[][] =>
  Array.from({ length: rows }, (_, i) => [...data.subarray(i * dim, (i + 1) * dim)]);
