import type { Arithmetic } from '../api/types';
import { GROUP } from '../formats/quantize';
import { M_MULTIPLE } from './gemm-spec';
import source from './quantize_rows.wgsl?raw';
import type { KernelStep, Operand } from './step';
import { roundUp } from './storage';

/**
 * Rounds the rows [rows, k] of a GEMM's input to 8 bits, in groups of 32 with one scale each. k: a multiple of 64, so that the padded rows
 * divide into whole workgroups of 256 groups.
 */
export const quantizeRows = <S>(
  { act, k }: { act: Arithmetic; k: number },
  buffers: Record<'x' | 'a' | 'a_scales', Operand<S>>,
  rows: (sizes: S) => number,
): KernelStep<S> => ({
  label: 'quantize_rows',
  kernel: { label: 'quantize_rows', source, constants: { act_t: act } },
  buffers,
  workgroups: (sizes) => [(roundUp(rows(sizes), M_MULTIPLE) * k) / GROUP / 256],
});
