/**
 * Fewer token embeddings per document: clusters of similar tokens, each one the mean of its tokens (multi_vector_encoder/modules/token_pooling.py;
 * Clavié et al. 2024, arXiv:2409.14683).
 */
import type { TokenPooling } from '../model/modules/token-pooling';

export type PoolingOptions = Pick<TokenPooling, 'pool_factor' | 'num_protected_tokens' | 'normalize_embeddings'>;

/** Rows `data` [rows, width] as clusters: their means, and which rows each is of. Without options every row is a cluster. */
export function poolTokens(data: Float32Array, width: number, options: PoolingOptions | undefined) {
  const count = data.length / width;
  const alone = (from: number, to: number) => Array.from({ length: Math.max(0, to - from) }, (_, i) => [from + i]);
  if (!options) return { data: data.slice(), clusters: alone(0, count) };
  const { pool_factor, num_protected_tokens, normalize_embeddings } = options;
  const first = Math.min(num_protected_tokens, count);
  const wanted = Math.max(Math.floor((count - first) / pool_factor), 1);
  const isPooled = pool_factor > 1 && wanted < count - first;
  const pooled = isPooled ? clustersOf(data.subarray(first * width), width, wanted) : alone(0, count - first);
  const clusters = [...alone(0, first), ...pooled.map((cluster) => cluster.map((row) => row + first))];
  const means = new Float32Array(clusters.length * width);
  for (const [c, cluster] of clusters.entries()) {
    const mean = means.subarray(c * width, (c + 1) * width);
    for (const row of cluster) for (let i = 0; i < width; i++) mean[i] += data[row * width + i] / cluster.length;
    if (!normalize_embeddings) continue;
    const length = Math.max(Math.sqrt(mean.reduce((sum, x) => sum + x * x, 0)), 1e-12);
    for (let i = 0; i < width; i++) mean[i] /= length;
  }
  return { data: means, clusters };
}

/**
 * At most `wanted` clusters of rows, by Ward's linkage of cosine distances, as scipy's linkage(…, 'ward') and fcluster(…, 'maxclust') find
 * them; in the order of their first rows. Rows have unit length. Nearest-neighbour chains (Murtagh 1985): time and memory are quadratic.
 */
function clustersOf(data: Float32Array, width: number, wanted: number): number[][] {
  const count = data.length / width;
  const distances = new Float64Array((count * (count - 1)) / 2);
  /** Place of a pair, i < j. */
  const at = (i: number, j: number) => (i * (2 * count - i - 1)) / 2 + j - i - 1;
  const pair = (i: number, j: number) => (i < j ? at(i, j) : at(j, i));
  for (let i = 0; i < count; i++) {
    for (let j = i + 1; j < count; j++) {
      let dot = 0;
      for (let c = 0; c < width; c++) dot += data[i * width + c] * data[j * width + c];
      distances[at(i, j)] = Math.min(Math.max(1 - dot, 0), 2);
    }
  }
  const sizes = new Uint32Array(count).fill(1); // 0: merged into another
  const merges: { a: number; b: number; height: number }[] = [];
  const chain: number[] = [];
  while (merges.length < count - 1) {
    if (chain.length === 0) chain.push(sizes.findIndex((size) => size > 0));
    for (;;) {
      const last = chain[chain.length - 1];
      const before = chain[chain.length - 2];
      let nearest = before ?? -1;
      let least = before === undefined ? Infinity : distances[pair(last, before)];
      for (let other = 0; other < count; other++) {
        if (sizes[other] === 0 || other === last || !(distances[pair(last, other)] < least)) continue;
        nearest = other;
        least = distances[pair(last, other)];
      }
      if (nearest === before) break;
      chain.push(nearest);
    }
    const [a, b] = [chain.pop()!, chain.pop()!];
    const height = distances[pair(a, b)];
    merges.push({ a, b, height });
    for (let other = 0; other < count; other++) {
      if (sizes[other] === 0 || other === a || other === b) continue;
      const [toA, toB] = [distances[pair(a, other)], distances[pair(b, other)]];
      const n = sizes[other];
      // Lance and Williams' update.
      const squares = (n + sizes[a]) * toA * toA + (n + sizes[b]) * toB * toB - n * height * height;
      distances[pair(b, other)] = Math.sqrt(Math.max(squares, 0) / (n + sizes[a] + sizes[b]));
    }
    sizes[b] += sizes[a];
    sizes[a] = 0;
  }
  // As many merges as it takes, the lowest first, and those of the same height.
  const heights = merges.map(({ height }) => height).sort((x, y) => x - y);
  const highest = heights[count - wanted - 1];
  const parent = Array.from({ length: count }, (_, i) => i);
  const root = (i: number): number => {
    while (parent[i] !== i) i = parent[i] = parent[parent[i]];
    return i;
  };
  for (const { a, b, height } of merges) if (height <= highest) parent[root(a)] = root(b);
  const clusters = new Map<number, number[]>();
  for (let row = 0; row < count; row++) {
    const own = root(row);
    clusters.set(own, [...(clusters.get(own) ?? []), row]);
  }
  return [...clusters.values()];
}
