/** What takes long for many texts, off the page's thread: cosines of all pairs, their order, JSON. */
import { expose } from 'comlink';
import { alikeOrder, cosines } from './geometry';

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
};

export type Calculator = typeof calculator;

expose(calculator);
