/** Cosines of all pairs of rows [rows, dim], whatever their lengths: [rows, rows]. */
export function cosines(data: Float32Array, rows: number, dim: number): Float32Array {
  const unit = unitRows(data, rows, dim);
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

export function unitRows(data: Float32Array, rows: number, dim: number): Float64Array {
  const unit = Float64Array.from(data);
  for (let i = 0; i < rows; i++) {
    const row = unit.subarray(i * dim, (i + 1) * dim);
    const norm = Math.sqrt(row.reduce((sum, value) => sum + value * value, 0)) || 1;
    for (let k = 0; k < dim; k++) row[k] /= norm;
  }
  return unit;
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

/** The `most` texts nearest to text `i`, nearest first. */
export function neighbours(all: Float32Array, rows: number, i: number, most: number): { j: number; cosine: number }[] {
  return Array.from({ length: rows }, (_, j) => ({ j, cosine: all[i * rows + j] }))
    .filter(({ j }) => j !== i)
    .sort((a, b) => b.cosine - a.cosine)
    .slice(0, most);
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
