/** Vectors [rows, dim], as embeddings have them or as an index of int8 keeps them. */
export interface Vectors {
  data: Float32Array | Int8Array;
  rows: number;
  dim: number;
}

/** The rows, each of length 1; a row of zeros stays so. */
export function unitRows({ data, rows, dim }: Vectors): Float32Array {
  const unit = Float32Array.from(data);
  for (let i = 0; i < rows; i++) {
    const row = unit.subarray(i * dim, (i + 1) * dim);
    const norm = Math.sqrt(row.reduce((sum, value) => sum + value * value, 0)) || 1;
    for (let k = 0; k < dim; k++) row[k] /= norm;
  }
  return unit;
}

/** The `most` rows nearest to row `i` by cosine, nearest first, row `i` left out. Reads all vectors once. */
export function nearestRows({ data, rows, dim }: Vectors, i: number, most: number): { j: number; cosine: number }[] {
  const own = Float64Array.from(data.subarray(i * dim, (i + 1) * dim));
  const ownLength = Math.sqrt(own.reduce((sum, value) => sum + value * value, 0));
  const nearest: { j: number; cosine: number }[] = [];
  for (let j = 0; j < rows; j++) {
    if (j === i) continue;
    let dot = 0;
    let square = 0;
    for (let k = 0, at = j * dim; k < dim; k++, at++) {
      dot += own[k] * data[at];
      square += data[at] * data[at];
    }
    const cosine = dot / (ownLength * Math.sqrt(square) || 1);
    if (nearest.length === most && cosine <= nearest[most - 1].cosine) continue;
    const place = nearest.findIndex((other) => other.cosine < cosine);
    nearest.splice(place < 0 ? nearest.length : place, 0, { j, cosine });
    if (nearest.length > most) nearest.pop();
  }
  return nearest;
}
