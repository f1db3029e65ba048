import source from './splade_pool.wgsl?raw';
import type { KernelStep, Operand } from './step';

export interface SpladePoolSpec {
  /** Columns of a row of logits, and of pooled. */
  stride: number;
  pooling: 'max' | 'sum';
  /** log1p is taken twice. */
  twice: boolean;
}

/** pooled[i] = log1p(relu(logits)), of all rows of span i the largest or the sum. Of each row the first `columns` count. */
export const spladePool = <S>(
  { stride, pooling, twice }: SpladePoolSpec,
  buffers: Record<'logits' | 'spans' | 'pooled', Operand<S>>,
  spans: (sizes: S) => number,
  columns = stride,
): KernelStep<S> => ({
  label: 'splade_pool',
  kernel: { label: 'splade_pool', source, constants: { STRIDE: stride, SUM: pooling === 'sum', TWICE: twice } },
  buffers,
  workgroups: (sizes) => [spans(sizes), Math.ceil(columns / 64)],
});
