/** What takes long for many texts, off the page's thread: cosines of all pairs, their order, maps. */
import { expose } from 'comlink';
import { alikeOrder, cosines } from './geometry';
import { type Projection, pcaMap, umapMap } from './projection';

const calculator = {
  compare(data: Float32Array, rows: number, dim: number): { all: Float32Array; order: number[] } {
    const all = cosines(data, rows, dim);
    return { all, order: alikeOrder(all, rows) };
  },
  /** `facts` and the rows [rows, dim] as arrays, written as JSON: many numbers take long to write. */
  json(facts: object, data: Float32Array, rows: number, dim: number): string {
    const embeddings = Array.from({ length: rows }, (_, i) => [...data.subarray(i * dim, (i + 1) * dim)]);
    return JSON.stringify({ ...facts, embeddings });
  },
  project(
    method: 'pca' | 'umap',
    data: Float32Array,
    rows: number,
    dim: number,
    onProgress: (share: number) => void,
  ): Projection | Promise<Projection> {
    return method === 'pca' ? pcaMap(data, rows, dim) : umapMap(data, rows, dim, onProgress);
  },
};

export type Calculator = typeof calculator;

expose(calculator);
