/** What a map needs that takes long, off the page's thread. */
import { expose } from 'comlink';
import { clustersOf, type NamedClusters } from './clusters';
import { type Projection, pcaMap, umapMap } from './projection';
import { unitRows, type Vectors } from './vectors';

const mapWorker = {
  pca: (vectors: Vectors): Projection => pcaMap({ ...vectors, data: unitRows(vectors) }),
  umap: (vectors: Vectors, onProgress: (share: number, points?: Float32Array) => void): Projection =>
    umapMap(vectors, onProgress),
  clusters: (points: Float32Array, texts: string[]): NamedClusters => clustersOf(points, texts),
};

export type MapWorker = typeof mapWorker;

expose(mapWorker);
