import { kMeans, squaredDistance } from './k-means';

/** Up to so many rows every pair is compared. */
const EXACT = 3000;
/** Lists that are searched for each row, of about √rows. */
const PROBES = 12;

/** For each row its neighbours, itself first, and their distances, as umap-js takes them. */
export interface Neighbours {
  indices: number[][];
  distances: number[][];
}

/**
 * The `k` nearest of each row [rows, dim] by Euclidean distance. Of many rows only those are compared whose clusters are near (an inverted file): a few
 * in a hundred neighbours are then not the very nearest.
 */
export function nearestNeighbours(data: Float32Array, rows: number, dim: number, k: number): Neighbours {
  const candidatesOf = rows <= EXACT ? all(rows) : invertedFile(data, rows, dim);
  const result: Neighbours = { indices: [], distances: [] };
  const indices = new Int32Array(k);
  const squares = new Float64Array(k);
  for (let i = 0; i < rows; i++) {
    let found = 0;
    for (const list of candidatesOf(i)) {
      for (const j of list) {
        const square = j === i ? -1 : squaredDistance(data, i * dim, data, j * dim, dim);
        if (found === k && square >= squares[k - 1]) continue;
        let at = found < k ? found++ : k - 1;
        for (; at > 0 && squares[at - 1] > square; at--) {
          squares[at] = squares[at - 1];
          indices[at] = indices[at - 1];
        }
        squares[at] = square;
        indices[at] = j;
      }
    }
    result.indices.push([...indices.subarray(0, found)]);
    result.distances.push(Array.from(squares.subarray(0, found), (square) => Math.sqrt(Math.max(0, square))));
  }
  return result;
}

function all(rows: number): (i: number) => Int32Array[] {
  const list = [Int32Array.from({ length: rows }, (_, i) => i)];
  return () => list;
}

/** Each row's candidates: the rows of the clusters whose centres are nearest to its own cluster's. */
function invertedFile(data: Float32Array, rows: number, dim: number): (i: number) => Int32Array[] {
  const k = Math.ceil(Math.sqrt(rows));
  const { of, centres } = kMeans(data, rows, dim, k);
  const lists: number[][] = Array.from({ length: k }, () => []);
  for (let i = 0; i < rows; i++) lists[of[i]].push(i);
  const packed = lists.map((list) => Int32Array.from(list));
  return (i) => {
    const distances = Float64Array.from({ length: k }, (_, c) => squaredDistance(data, i * dim, centres, c * dim, dim));
    const order = Array.from({ length: k }, (_, c) => c).sort((a, b) => distances[a] - distances[b]);
    return order.slice(0, PROBES).map((c) => packed[c]);
  };
}
