/** Places of the values, smallest 1; equal values share the mean of theirs. */
export function ranks(values: ArrayLike<number>): Float64Array {
  const order = Array.from(values, (_, i) => i).sort((a, b) => values[a] - values[b]);
  const result = new Float64Array(values.length);
  for (let start = 0; start < order.length; ) {
    let end = start;
    while (end < order.length && values[order[end]] === values[order[start]]) end++;
    for (let k = start; k < end; k++) result[order[k]] = (start + 1 + end) / 2;
    start = end;
  }
  return result;
}

/** Spearman's rank correlation, from -1 to 1; undefined for fewer than two values, and where all of one side are equal. */
export function spearman(a: ArrayLike<number>, b: ArrayLike<number>): number | undefined {
  const [x, y] = [ranks(a), ranks(b)];
  const mean = (x.length + 1) / 2;
  let [xy, xx, yy] = [0, 0, 0];
  for (let i = 0; i < x.length; i++) {
    xy += (x[i] - mean) * (y[i] - mean);
    xx += (x[i] - mean) ** 2;
    yy += (y[i] - mean) ** 2;
  }
  return xx > 0 && yy > 0 ? xy / Math.sqrt(xx * yy) : undefined;
}

/** The values above the diagonal of [rows, rows]: each pair once. */
export function pairsOf(all: Float32Array, rows: number): Float32Array {
  const pairs = new Float32Array((rows * (rows - 1)) / 2);
  let at = 0;
  for (let i = 0; i < rows; i++) for (let j = i + 1; j < rows; j++) pairs[at++] = all[i * rows + j];
  return pairs;
}
