import { K_MULTIPLE, pairOf } from '../kernels/gemm';
import { roundUp } from '../kernels/storage';
import type { ModelConfig } from './config';

/**
 * Sizes as they are on the GPU. Every width is padded to what the kernels step by, with zeros that change no result; a head's
 * dimensions too, so that any even head_dim runs.
 */
export interface Geometry {
  /** hidden_size, padded. */
  hidden: number;
  heads: number;
  /** head_dim, padded. */
  headDim: number;
  /** Width of q, of k and of v: heads * headDim. */
  attention: number;
  /** intermediate_size, padded. */
  intermediate: number;
  /** Columns of the logits, padded. */
  vocab: number;
}

export function geometryOf(config: ModelConfig): Geometry {
  const headDim = roundUp(config.head_dim, 32);
  return {
    hidden: roundUp(config.hidden_size, K_MULTIPLE),
    heads: config.num_attention_heads,
    headDim,
    attention: config.num_attention_heads * headDim,
    intermediate: roundUp(config.intermediate_size, K_MULTIPLE),
    vocab: roundUp(config.vocab_size, 8),
  };
}

/** Place of dimension d of a head of q or k: RoPE's partners, head_dim / 2 apart in the file, go `pair` columns apart (see gemm.wgsl). */
export function ropePlace(config: ModelConfig, geometry: Geometry): (d: number) => number {
  const half = config.head_dim / 2;
  const pair = pairOf({ kind: 'rope', attentionWidth: 0, headDim: geometry.headDim, qScale: 0 });
  return (d) => {
    const angle = d % half;
    return Math.floor(angle / pair) * 2 * pair + (angle % pair) + (d < half ? 0 : pair);
  };
}

/** Row of Wqkv in the file (q heads, k heads, v heads) → row on the GPU. */
export function qkvPlace(config: ModelConfig, geometry: Geometry): (row: number) => number {
  const { head_dim, hidden_size } = config;
  const rotated = ropePlace(config, geometry);
  return (row) => {
    const part = Math.floor(row / hidden_size);
    const head = Math.floor((row % hidden_size) / head_dim);
    const d = row % head_dim;
    return part * geometry.attention + head * geometry.headDim + (part < 2 ? rotated(d) : d);
  };
}

/** Column of Wo in the file → column on the GPU. */
export const attentionPlace =
  (config: ModelConfig, geometry: Geometry) =>
  (column: number): number =>
    Math.floor(column / config.head_dim) * geometry.headDim + (column % config.head_dim);

/** Row of Wi in the file (values, then gates) → row on the GPU: 32 values, their 32 gates, and so on. */
export function gegluPlace(config: ModelConfig): (row: number) => number {
  const pair = pairOf({ kind: 'geglu', activation: config.hidden_activation });
  return (row) => {
    const gate = row >= config.intermediate_size;
    const i = gate ? row - config.intermediate_size : row;
    return Math.floor(i / pair) * 2 * pair + (i % pair) + (gate ? pair : 0);
  };
}

/**
 * Cosines, then sines, of a head's angles for every position: [positions, headDim]. The angles are rounded to f32 as transformers
 * computes them (ModernBertRotaryEmbedding), the table is exact for them.
 */
export function ropeTable(
  { head_dim, max_position_embeddings }: ModelConfig,
  geometry: Geometry,
  rope_theta: number,
  positions = max_position_embeddings,
): Float32Array<ArrayBuffer> {
  const half = geometry.headDim / 2;
  const table = new Float32Array(positions * geometry.headDim);
  for (let i = 0; i < head_dim / 2; i++) {
    const inv_freq = Math.fround(1 / Math.fround(rope_theta ** Math.fround((2 * i) / head_dim)));
    for (let position = 0; position < positions; position++) {
      const angle = Math.fround(position * inv_freq);
      table[position * geometry.headDim + i] = Math.cos(angle);
      table[position * geometry.headDim + half + i] = Math.sin(angle);
    }
  }
  return table;
}
