import type { Arithmetic } from '../api/types';
import source from './head_scores.wgsl?raw';
import type { HeadsLayout } from './layout';
import type { KernelStep, Operand } from './step';
import { roundUp } from './storage';

/** Heads of a matrix: they begin at a column of rows that are so wide. */
interface HeadsIn {
  stride: number;
  column: number;
}

export interface HeadScoresSpec extends Pick<HeadsLayout, 'heads' | 'head_dim' | 'headDim'> {
  act: Arithmetic;
  /** Rows of b, a multiple of HEAD_SCORES_MULTIPLE. */
  columns: number;
  a: HeadsIn;
  b: HeadsIn;
}

/** Rows of a and of b are padded to a multiple of this. */
export const HEAD_SCORES_MULTIPLE = 64;

/**
 * scores [rows, heads, columns] = a · bᵀ, head by head: a [rows, a.stride] has the heads side by side from a.column on, b [columns, b.stride] from
 * b.column on. `count`: rows of a.
 */
export const headScores = <S>(
  { act, heads, head_dim, headDim, columns, a, b }: HeadScoresSpec,
  buffers: Record<'a' | 'b' | 'scores', Operand<S>>,
  count: (sizes: S) => number,
): KernelStep<S> => ({
  label: 'head_scores',
  kernel: {
    label: 'head_scores',
    source,
    constants: {
      act_t: act,
      HEADS: heads,
      HEAD_DIM: headDim,
      COLUMNS: columns,
      A_STRIDE: a.stride,
      A_COLUMN: a.column,
      B_STRIDE: b.stride,
      B_COLUMN: b.column,
    },
  },
  buffers,
  workgroups: (s) => [columns / 64, Math.ceil(count(s) / 64), heads],
  flops: (s) => 2 * count(s) * columns * heads * head_dim,
  issuedFlops: (s) => 2 * roundUp(count(s), 64) * columns * heads * headDim,
});
