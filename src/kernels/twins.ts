/**
 * Reference implementations of the shaders, for tests and for the self-check at load: each computes what its kernel does, in 64-bit floats and
 * in the form of the papers, without tiles, padding or permuted columns. A Matrix is a list of rows.
 */
import type { Pooling } from '../api/embeddings';
import type { Activation } from './gemm-spec';

export type Matrix = Float64Array[];

const matrix = (rows: number, columns: number, value: (row: number, column: number) => number): Matrix =>
  Array.from({ length: rows }, (_, r) => {
    const row = new Float64Array(columns);
    for (let c = 0; c < columns; c++) row[c] = value(r, c);
    return row;
  });

const sum = (values: Iterable<number>): number => {
  let total = 0;
  for (const value of values) total += value;
  return total;
};

type Numbers = Float32Array | Float64Array;

// The innermost loops are functions of their own: they are called often, and therefore compiled soon.
export function dot(a: Numbers, b: Numbers): number {
  let total = 0;
  for (let i = 0; i < a.length; i++) total += a[i] * b[i];
  return total;
}

/** to += factor · x */
function addScaled(to: Numbers, factor: number, x: Numbers): void {
  for (let i = 0; i < x.length; i++) to[i] += factor * x[i];
}

/** (x - mean) / sqrt(variance + eps) * weight + bias for every row (Ba et al. 2016). x: [rows, hidden]. */
export function layerNorm(x: Matrix, weight: Float64Array, bias: Float64Array, eps: number): Matrix {
  return x.map((row) => {
    const mean = sum(row) / row.length;
    const variance = sum(row.map((value) => (value - mean) ** 2)) / row.length;
    return row.map((value, i) => ((value - mean) / Math.sqrt(variance + eps)) * weight[i] + bias[i]);
  });
}

/** x / sqrt(mean(x²) + eps) * weight for every row (Zhang and Sennrich 2019). x: [rows, hidden]. */
export const rmsNorm = (x: Matrix, weight: Float64Array, eps: number): Matrix =>
  x.map((row) => {
    const scale = 1 / Math.sqrt(dot(row, row) / row.length + eps);
    return row.map((value, i) => value * scale * weight[i]);
  });

/** Rows of a table, by their numbers. table: [rows, hidden] → [numbers, hidden]. */
export const rowsOf = (table: Matrix, numbers: Iterable<number>): Matrix =>
  Array.from(numbers, (number) => table[number]);

/** x wᵀ + bias, as torch's nn.Linear. x: [rows, k], w: [n, k] → [rows, n]. */
export const linear = (x: Matrix, w: Matrix, bias?: Float64Array): Matrix =>
  matrix(x.length, w.length, (r, n) => dot(x[r], w[n]) + (bias?.[n] ?? 0));

/**
 * Each row in groups of 32, as integers -127 … 127 times a scale; the scale is the group's largest magnitude / 127.
 * x: [rows, k] → integers [rows, k], scales [rows, k / 32].
 */
export function quantizeRows(x: Matrix): { integers: Matrix; scales: Matrix } {
  const scales = matrix(x.length, x[0].length / 32, (r, g) => {
    const group = x[r].subarray(g * 32, g * 32 + 32);
    return group.reduce((most, value) => Math.max(most, Math.abs(value)), 0) / 127;
  });
  const integers = matrix(x.length, x[0].length, (r, c) => Math.round(x[r][c] / (scales[r][c >> 5] || 1)));
  return { integers, scales };
}

export const add = (a: Matrix, b: Matrix): Matrix => matrix(a.length, a[0].length, (r, c) => a[r][c] + b[r][c]);

/** erf by the series 2/√π · exp(-x²) · Σ 2ⁿ x²ⁿ⁺¹ / (1 · 3 · … · (2n + 1)), whose terms all have the same sign. */
export function erf(x: number): number {
  if (Math.abs(x) > 6) return Math.sign(x);
  let term = x;
  let total = x;
  for (let n = 1; Math.abs(term) > 1e-17 * Math.abs(total); n++) {
    term *= (2 * x * x) / (2 * n + 1);
    total += term;
  }
  return (2 / Math.sqrt(Math.PI)) * Math.exp(-x * x) * total;
}

/** Activations by their names in transformers (ACT2FN). */
export const ACTIVATE: Record<Activation, (x: number) => number> = {
  gelu: (x) => 0.5 * x * (1 + erf(x / Math.SQRT2)),
  gelu_pytorch_tanh: (x) => 0.5 * x * (1 + Math.tanh(Math.sqrt(2 / Math.PI) * (x + 0.044715 * x ** 3))),
  silu: (x) => x / (1 + Math.exp(-x)),
  relu: (x) => Math.max(0, x),
  tanh: Math.tanh,
  quick_gelu: (x) => x / (1 + Math.exp(-1.702 * x)),
  sigmoid: (x) => 1 / (1 + Math.exp(-x)),
  leaky_relu: (x) => Math.max(x, 0.01 * x),
  mish: (x) => x * Math.tanh(Math.log1p(Math.exp(x))),
  linear: (x) => x,
};

/** act(x[:, :n/2]) * x[:, n/2:] (Shazeer 2020, in ModernBERT's order: the first half is activated). [rows, n] → [rows, n / 2]. */
export const geglu = (x: Matrix, activation: Activation): Matrix =>
  matrix(x.length, x[0].length / 2, (r, c) => ACTIVATE[activation](x[r][c]) * x[r][x[r].length / 2 + c]);

/**
 * Rotates every head of q or k by its row's position (Su et al. 2021; half-split: dimension i pairs with i + head_dim / 2).
 * x: [tokens, heads * head_dim]; positions: [tokens].
 */
export function rope(x: Matrix, positions: Uint32Array, head_dim: number, theta: number): Matrix {
  const half = head_dim / 2;
  return matrix(x.length, x[0].length, (row, column) => {
    const d = column % head_dim;
    const angle = positions[row] * theta ** (-(2 * (d % half)) / head_dim);
    const partner = d < half ? -x[row][column + half] : x[row][column - half];
    return x[row][column] * Math.cos(angle) + partner * Math.sin(angle);
  });
}

/** The stream rows of every sequence: cu_seqlens [sequences + 1] → (start, end). */
const spans = (cu_seqlens: Uint32Array): [start: number, end: number][] =>
  Array.from(cu_seqlens.subarray(1), (end, s) => [cu_seqlens[s], end]);

/**
 * softmax(q kᵀ / sqrt(head_dim) + bias) v for each head within each sequence; with a `window`, row i sees only rows j with |i - j| <= window.
 * q: [tokens, heads * head_dim] → the same. k, v: the same, or of fewer heads, each of which serves several of q (Ainslie et al. 2023).
 * `bias`: of row i and key j.
 */
export function attention(
  { q, k, v }: { q: Matrix; k: Matrix; v: Matrix },
  cu_seqlens: Uint32Array,
  head_dim: number,
  window: number,
  bias?: (head: number, i: number, j: number) => number,
): Matrix {
  const out = matrix(q.length, q[0].length, () => 0);
  const [heads, kv_heads] = [q, k].map((x) => x[0].length / head_dim);
  for (let head = 0; head < heads; head++) {
    const headOf = (x: Matrix, at: number) => x.map((row) => row.subarray(at * head_dim, (at + 1) * head_dim));
    const [queries, sums] = [q, out].map((x) => headOf(x, head));
    const [keys, values] = [k, v].map((x) => headOf(x, Math.floor((head * kv_heads) / heads)));
    for (const [start, end] of spans(cu_seqlens)) {
      for (let i = start; i < end; i++) {
        const first = window === 0 ? start : Math.max(start, i - window);
        const last = window === 0 ? end : Math.min(end, i + window + 1);
        const scores = new Float64Array(last - first);
        for (let j = first; j < last; j++) {
          scores[j - first] = dot(queries[i], keys[j]) / Math.sqrt(head_dim) + (bias?.(head, i, j) ?? 0);
        }
        softmax(scores).forEach((weight, j) => {
          addScaled(sums[i], weight, values[first + j]);
        });
      }
    }
  }
  return out;
}

export function softmax(scores: ArrayLike<number> & Iterable<number>): number[] {
  let most = -Infinity;
  for (const score of scores) most = Math.max(most, score);
  const powers = Array.from(scores, (score) => Math.exp(score - most));
  const total = sum(powers);
  return powers.map((power) => power / total);
}

/** One row per sequence; without its first `skip` rows. hidden_states: [tokens, hidden] → [sequences, hidden]. */
export const pool = (hidden_states: Matrix, cu_seqlens: Uint32Array, pooling: Pooling, skip = 0): Matrix =>
  spans(cu_seqlens).map(([start, end]) => {
    if (pooling === 'cls') return hidden_states[start + skip];
    if (pooling === 'lasttoken') return hidden_states[end - 1];
    const rows = hidden_states.slice(start + skip, end);
    const column = (c: number) => rows.map((row) => row[c]);
    if (pooling === 'max') return rows[0].map((_, c) => column(c).reduce((a, b) => Math.max(a, b)));
    const weights = rows.map((_, r) => (pooling === 'weightedmean' ? skip + r + 1 : 1));
    const divisor = pooling === 'mean_sqrt_len_tokens' ? Math.sqrt(rows.length) : sum(weights);
    return rows[0].map((_, c) => sum(column(c).map((value, r) => value * weights[r])) / divisor);
  });

/** Scales rows to unit length, as torch.nn.functional.normalize: a row of zeros stays zero. */
export const normalize = (x: Matrix): Matrix =>
  x.map((row) => {
    const length = Math.max(Math.sqrt(dot(row, row)), 1e-12);
    return row.map((value) => value / length);
  });

/** sum + w * rows; without `sum` w * rows. */
export const addRows = (rows: Matrix, w: number, sum?: Matrix): Matrix =>
  rows.map((row, r) => row.map((value, c) => (sum ? sum[r][c] : 0) + w * value));

/** The k largest logits of a row, equal ones by lowest id first, with their probabilities over the whole row. */
export function topK(logits: Float64Array, k: number): { id: number; probability: number }[] {
  const probabilities = softmax(logits);
  const ids = Array.from(logits.keys()).sort((a, b) => logits[b] - logits[a] || a - b);
  return ids.slice(0, k).map((id) => ({ id, probability: probabilities[id] }));
}

/** SPLADE's weights: log1p(relu(logits)), with `twice` log1p of that; one row per sequence, the largest or the sum over its tokens. */
export const spladePool = (logits: Matrix, cu_seqlens: Uint32Array, pooling: 'max' | 'sum', twice: boolean): Matrix => {
  const weight = (logit: number) => {
    const once = Math.log1p(Math.max(logit, 0));
    return twice ? Math.log1p(once) : once;
  };
  return spans(cu_seqlens).map(([start, end]) =>
    logits[start].map((_, c) => {
      const weights = logits.slice(start, end).map((row) => weight(row[c]));
      return pooling === 'sum' ? sum(weights) : weights.reduce((a, b) => Math.max(a, b));
    }),
  );
};

/** How many of a row's weights are not 0, and the k largest of these, equal ones by lowest id first, in the order of their ids. */
export function sparseRow(
  weights: Float64Array,
  k: number,
): { nonzero: number; entries: [id: number, weight: number][] } {
  const ids = Array.from(weights.keys()).filter((id) => weights[id] !== 0);
  const best = [...ids].sort((a, b) => weights[b] - weights[a] || a - b).slice(0, k);
  return { nonzero: ids.length, entries: best.sort((a, b) => a - b).map((id) => [id, weights[id]]) };
}

/** Per `size` rows of v, of those that are `allowed`: the largest q · v and the largest sum of |q v|; [-Infinity, 0] if there are none. */
export const groupMax = (
  q: Numbers,
  v: Matrix,
  size: number,
  allowed: (row: number) => boolean,
): [number, number][] => {
  const groups = Array.from({ length: Math.ceil(v.length / size) }, (): [number, number] => [-Infinity, 0]);
  for (const [row, numbers] of v.entries()) {
    if (!allowed(row)) continue;
    const group = groups[Math.floor(row / size)];
    group[0] = Math.max(group[0], dot(q, numbers));
    group[1] = Math.max(group[1], dot(q.map(Math.abs), numbers.map(Math.abs)));
  }
  return groups;
};
