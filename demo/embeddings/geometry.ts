import { unitRows } from '../map/vectors';

/** Cosines of all pairs of rows [rows, dim], whatever their lengths: [rows, rows]. */
export function cosines(data: Float32Array, rows: number, dim: number): Float32Array {
  const unit = unitRows({ data, rows, dim });
  const all = new Float32Array(rows * rows);
  for (let i = 0; i < rows; i++) {
    for (let j = 0; j <= i; j++) {
      let sum = 0;
      for (let k = 0; k < dim; k++) sum += unit[i * dim + k] * unit[j * dim + k];
      all[i * rows + j] = sum;
      all[j * rows + i] = sum;
    }
  }
  return all;
}

/** The two different texts with the highest cosine; undefined for fewer than two. */
export function closestPair(all: Float32Array, rows: number): { i: number; j: number; cosine: number } | undefined {
  let best: { i: number; j: number; cosine: number } | undefined;
  for (let i = 0; i < rows; i++) {
    for (let j = i + 1; j < rows; j++) {
      if (!best || all[i * rows + j] > best.cosine) best = { i, j, cosine: all[i * rows + j] };
    }
  }
  return best;
}

/** An order in which like stands beside like: from the first text always on to the nearest one that is left. */
export function alikeOrder(all: Float32Array, rows: number): number[] {
  const left = new Set(Array.from({ length: rows }, (_, i) => i));
  const order: number[] = [];
  let at = 0;
  while (left.size > 0) {
    left.delete(at);
    order.push(at);
    let next = at;
    let best = Number.NEGATIVE_INFINITY;
    for (const j of left) {
      if (all[at * rows + j] > best) {
        best = all[at * rows + j];
        next = j;
      }
    }
    at = next;
  }
  return order;
}
