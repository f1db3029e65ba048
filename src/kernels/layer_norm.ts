import type { Arithmetic, Dtype } from '../api/types';
import common from './layer_norm.wgsl?raw';
import embedSource from './layer_norm_embed.wgsl?raw';
import rowsSource from './layer_norm_rows.wgsl?raw';
import type { KernelStep, Operand } from './step';
import { F16_MAX, weightConstants } from './storage';

export interface NormSpec {
  /** Columns to normalise. */
  hidden: number;
  /** Floats per row on the GPU: hidden, padded. */
  stride: number;
  eps: number;
  out: Arithmetic;
}

const constantsOf = ({ hidden, stride, eps, out }: NormSpec) => ({
  out_t: out,
  HIDDEN: hidden,
  STRIDE: stride,
  EPS: eps,
  OUT_MAX: out === 'f16' ? F16_MAX : 0,
});

/** Rows per workgroup: buffers must hold a multiple of this. */
const ROWS = 4;

/**
 * normed = LayerNorm(hidden_states) [rows, stride] of every row, or of the rows listed in `rows`. `count`: the number of rows.
 * Source: torch.nn.LayerNorm.
 */
export const layerNorm = <S>(
  spec: NormSpec,
  buffers: Record<'hidden_states' | 'rows' | 'weight' | 'bias' | 'normed', Operand<S>>,
  count: (sizes: S) => number,
): KernelStep<S> => {
  const label = buffers.rows ? 'layer_norm gather' : 'layer_norm';
  const constants = { ...constantsOf(spec), GATHER: buffers.rows !== undefined };
  return {
    label,
    kernel: { label, source: `${common}\n${rowsSource}`, constants },
    buffers,
    workgroups: (sizes) => [Math.ceil(count(sizes) / ROWS)],
  };
};

/**
 * hidden_states = normed = LayerNorm(table[input_ids]) [rows, stride], for one piece of the table: ids `firstId` .. `firstId + ids`.
 * Rows with other ids stay as they are.
 */
export const embed = <S>(
  { dtype, firstId, ids, ...spec }: NormSpec & { dtype: Dtype; firstId: number; ids: number },
  buffers: Record<'input_ids' | 'table' | 'table_scales' | 'weight' | 'bias' | 'hidden_states' | 'normed', Operand<S>>,
  count: (sizes: S) => number,
): KernelStep<S> => ({
  label: 'embed',
  kernel: {
    label: 'embed',
    source: `${common}\n${embedSource}`,
    constants: { ...constantsOf(spec), ...weightConstants(dtype), FIRST_ID: firstId, IDS: ids },
  },
  buffers,
  workgroups: (sizes) => [Math.ceil(count(sizes) / ROWS)],
});
