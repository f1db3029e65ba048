import { K_MULTIPLE } from './gemm-spec';
import source from './relative_bias.wgsl?raw';
import type { KernelStep, Operand } from './step';
import { roundUp } from './storage';

/**
 * relative_bias [heads, 2 reach + 1] = weight [buckets, heads] by the bucket of each distance from -reach to reach, times log2 e: what attention
 * adds to scores. `buckets`: f32 [2 reach + 1], whole numbers. Source: Raffel et al. 2020 (arXiv:1910.10683), section 2.1.
 */
export const relativeBias = <S>(
  { heads, reach }: { heads: number; reach: number },
  buffers: Record<'buckets' | 'weight' | 'relative_bias', Operand<S>>,
): KernelStep<S> => ({
  label: 'relative_bias',
  kernel: {
    label: 'relative_bias',
    source,
    constants: { HEADS: heads, REACH: reach, STRIDE: roundUp(heads, K_MULTIPLE) },
  },
  buffers,
  workgroups: () => [Math.ceil((2 * reach + 1) / 64), heads],
});
