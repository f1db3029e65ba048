import source from './add_rows.wgsl?raw';
import type { KernelStep, Operand } from './step';

export interface AddRowsSpec {
  /** Numbers per row of `rows` and of `sum`, and how many of them are added. */
  stride: number;
  sumStride: number;
  columns: number;
  /** One term of a weighted mean: its weight, of how many, and whether it is the first, which replaces what `sum` holds. */
  term?: { index: number; weights: number; isFirst: boolean };
}

/**
 * sum += rows, row by row; with `term`, rows times weights[index] / the sum of the weights.
 * Source: sentence-transformers, base/modules/dense.py (use_residual) and sentence_transformer/modules/weighted_layer_pooling.py.
 */
export const addRows = <S>(
  { stride, sumStride, columns, term }: AddRowsSpec,
  buffers: Record<'rows' | 'weights' | 'sum', Operand<S>>,
  count: (sizes: S) => number,
): KernelStep<S> => ({
  label: 'add_rows',
  kernel: {
    label: 'add_rows',
    source,
    constants: {
      STRIDE: stride,
      SUM_STRIDE: sumStride,
      COLUMNS: columns,
      FIRST: term?.isFirst ?? false,
      WEIGHTS: term?.weights ?? 0,
      INDEX: term?.index ?? 0,
    },
  },
  buffers,
  workgroups: (sizes) => [count(sizes), Math.ceil(columns / 64)],
});
