/**
 * Where rows and columns of weights go on the GPU. Widths, including head_dim, are padded with zeros to multiples of the kernels' step, so
 * that any even head_dim works; and columns that a GEMM's epilogue combines are placed `pair` columns apart (gemm.wgsl).
 */
import { K_MULTIPLE, pairOf } from './gemm-spec';
import { roundUp } from './storage';

/** The padded width on the GPU of a width such as hidden_size or intermediate_size. */
export const paddedWidth = (columns: number): number => roundUp(columns, K_MULTIPLE);

/** The heads of an attention layer. */
export interface HeadsLayout {
  heads: number;
  /** Heads of k and of v; each serves heads / kv_heads heads of q (grouped-query attention). */
  kv_heads: number;
  head_dim: number;
  /** head_dim, padded. */
  headDim: number;
  /** The width of q and of the output: heads * headDim. */
  attention: number;
  /** The width of k and of v: kv_heads * headDim. */
  keyWidth: number;
  /** The width of q, k and v side by side. */
  qkv: number;
}

export function headsLayout(heads: number, head_dim: number, kv_heads = heads): HeadsLayout {
  const headDim = roundUp(head_dim, 32);
  const [attention, keyWidth] = [heads * headDim, kv_heads * headDim];
  return { heads, kv_heads, head_dim, headDim, attention, keyWidth, qkv: attention + 2 * keyWidth };
}

/** Dimension d of a head of q or k → its place on the GPU: RoPE's partners, head_dim / 2 apart in the file, go `pair` columns apart. */
export function ropePlace({ head_dim, headDim }: HeadsLayout): (d: number) => number {
  const half = head_dim / 2;
  const pair = pairOf({ kind: 'rope', attentionWidth: 0, headDim, qScale: 0 });
  return (d) => {
    const angle = d % half;
    return Math.floor(angle / pair) * 2 * pair + (angle % pair) + (d < half ? 0 : pair);
  };
}

/** Row of Wqkv in the file (q heads, then k heads, then v heads) → row on the GPU. `isRotated`: q and k are for RoPE. */
export function qkvPlace(layout: HeadsLayout, isRotated = true): (row: number) => number {
  const { heads, kv_heads, head_dim, headDim } = layout;
  const rotated = isRotated ? ropePlace(layout) : (d: number) => d;
  return (row) => {
    const head = Math.floor(row / head_dim);
    const d = row % head_dim;
    return head * headDim + (head < heads + kv_heads ? rotated(d) : d);
  };
}

/** Column of Wo in the file → column on the GPU. */
export const attentionPlace =
  ({ head_dim, headDim }: HeadsLayout) =>
  (column: number): number =>
    Math.floor(column / head_dim) * headDim + (column % head_dim);

/** Row of Wi in the file (values, then gates, `width` rows each) → row on the GPU: 32 values, their 32 gates, and so on. */
export function gegluPlace(width: number): (row: number) => number {
  const pair = pairOf({ kind: 'geglu', activation: 'gelu' });
  return (row) => {
    const i = row % width;
    return Math.floor(i / pair) * 2 * pair + (i % pair) + (row >= width ? pair : 0);
  };
}

/**
 * Cosines, then sines, of a head's angles for every position: [positions, headDim]. Angles are rounded to f32 where transformers does so
 * (ModernBertRotaryEmbedding); cosines and sines are computed from them in f64.
 */
export function ropeTable(
  { head_dim, headDim }: HeadsLayout,
  rope_theta: number,
  positions: number,
  rope_factor = 1,
): Float32Array<ArrayBuffer> {
  const half = headDim / 2;
  const table = new Float32Array(positions * headDim);
  for (let i = 0; i < head_dim / 2; i++) {
    const unscaled = Math.fround(1 / Math.fround(rope_theta ** Math.fround((2 * i) / head_dim)));
    const inv_freq = Math.fround(unscaled / rope_factor);
    for (let position = 0; position < positions; position++) {
      const angle = Math.fround(position * inv_freq);
      table[position * headDim + i] = Math.cos(angle);
      table[position * headDim + half + i] = Math.sin(angle);
    }
  }
  return table;
}
