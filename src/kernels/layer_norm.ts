import type { Arithmetic } from '../api/types';
import common from './layer_norm.wgsl?raw';
import inPlaceSource from './layer_norm_in_place.wgsl?raw';
import rowsSource from './layer_norm_rows.wgsl?raw';
import type { KernelStep, Operand } from './step';
import { F16_MAX } from './storage';

export interface NormSpec {
  /** Columns to normalise. */
  hidden: number;
  /** Floats per row on the GPU: hidden, padded. */
  stride: number;
  eps: number;
  out: Arithmetic;
  /** Whether it is RMSNorm: without a mean, and without a bias. */
  rms?: boolean;
}

const constantsOf = ({ hidden, stride, eps, out, rms = false }: NormSpec) => ({
  out_t: out,
  HIDDEN: hidden,
  STRIDE: stride,
  EPS: eps,
  RMS: rms,
  OUT_MAX: out === 'f16' ? F16_MAX : 0,
});

/** Rows per workgroup: buffers must hold a multiple of this. */
const ROWS = 4;

/**
 * normed = LayerNorm(hidden_states) [rows, stride] of every row, or of the rows listed in `rows`; without `weight` and `bias` a copy of them.
 * `count`: the number of rows.
 * Source: torch.nn.LayerNorm; Zhang and Sennrich 2019 (arXiv:1910.07467) for RMSNorm.
 */
export const layerNorm = <S>(
  spec: NormSpec,
  buffers: Record<'hidden_states' | 'rows' | 'weight' | 'bias' | 'normed', Operand<S>>,
  count: (sizes: S) => number,
): KernelStep<S> => {
  const label = buffers.rows ? 'layer_norm gather' : 'layer_norm';
  const constants = { ...constantsOf(spec), GATHER: buffers.rows !== undefined, COPY: buffers.weight === undefined };
  return {
    label,
    kernel: { label, source: `${common}\n${rowsSource}`, constants },
    buffers,
    workgroups: (sizes) => [Math.ceil(count(sizes) / ROWS)],
  };
};

/** hidden_states = normed = LayerNorm(hidden_states) [rows, stride], in place. */
export const layerNormInPlace = <S>(
  spec: NormSpec,
  buffers: Record<'hidden_states' | 'weight' | 'bias' | 'normed', Operand<S>>,
  count: (sizes: S) => number,
): KernelStep<S> => {
  const label = 'layer_norm_in_place';
  return {
    label,
    kernel: { label, source: `${common}\n${inPlaceSource}`, constants: constantsOf(spec) },
    buffers,
    workgroups: (sizes) => [Math.ceil(count(sizes) / ROWS)],
  };
};
