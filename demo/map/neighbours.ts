import { kMeans, squaredDistance } from './k-means';

/** Up to so many rows every pair is compared. */
const EXACT = 3000;
/** Clusters that are searched for each row, of √rows. */
const PROBES = 8;

/** For each row its neighbours, itself first, and their distances, as umap-js takes them. */
export interface Neighbours {
  indices: number[][];
  distances: number[][];
}

/**
 * The `k` nearest of each row [rows, dim] by Euclidean distance. Of many rows only those are compared whose clusters are near (an inverted file): a few
 * in a hundred neighbours are then not the very nearest. `onProgress` hears a share.
 */
export function nearestNeighbours(
  data: Float32Array,
  rows: number,
  dim: number,
  k: number,
  onProgress: (share: number) => void = () => {},
): Neighbours {
  const candidatesOf = rows <= EXACT ? all(rows) : invertedFile(data, rows, dim, k);
  const result: Neighbours = { indices: [], distances: [] };
  const indices = new Int32Array(k);
  const squares = new Float64Array(k);
  for (let i = 0; i < rows; i++) {
    if (i % 500 === 0) onProgress(i / rows);
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

/** Each row's candidates, `least` or more: the rows of its cluster and of the clusters nearest to that. */
function invertedFile(data: Float32Array, rows: number, dim: number, least: number): (i: number) => Int32Array[] {
  const clusters = Math.ceil(Math.sqrt(rows));
  const { of, centres } = kMeans(data, rows, dim, clusters);
  const lists: number[][] = Array.from({ length: clusters }, () => []);
  for (let i = 0; i < rows; i++) lists[of[i]].push(i);
  const packed = lists.map((list) => Int32Array.from(list));
  const near = packed.map((_, c) => {
    const distances = packed.map((_, other) => squaredDistance(centres, c * dim, centres, other * dim, dim));
    const order = packed.map((_, other) => other).sort((a, b) => distances[a] - distances[b]);
    const chosen: Int32Array[] = [];
    let candidates = 0;
    for (const other of order) {
      if (chosen.length >= PROBES && candidates >= least) break;
      chosen.push(packed[other]);
      candidates += packed[other].length;
    }
    return chosen;
  });
  return (i) => near[of[i]];
}
