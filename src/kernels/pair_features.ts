/** What GLiNER's heads score: pairs of words, and pairs of a word and a label. */
import dotSource from './dot_rows.wgsl?raw';
import labelSource from './label_features.wgsl?raw';
import spanSource from './span_features.wgsl?raw';
import type { KernelStep, Operand } from './step';

type Count<S> = (sizes: S) => number;

/** features = starts[row] + ends[row + number], all `columns` wide; through a ReLU if asked. Source: GLiNER, modeling/span_rep.py. */
export const spanFeatures = <S>(
  { columns, relu }: { columns: number; relu: boolean },
  buffers: Record<'starts' | 'ends' | 'number' | 'features', Operand<S>>,
  rows: Count<S>,
): KernelStep<S> => ({
  label: 'span_features',
  kernel: { label: 'span_features', source: spanSource, constants: { COLUMNS: columns, RELU: relu } },
  buffers,
  workgroups: (sizes) => [rows(sizes), Math.ceil(columns / 64)],
});

/** features = [a, b, c ∘ d] of words = [a, c] and labels[number] = [b, d], each `width` wide. Source: GLiNER, modeling/scorers.py. */
export const labelFeatures = <S>(
  { width }: { width: number },
  buffers: Record<'words' | 'labels' | 'number' | 'features', Operand<S>>,
  rows: Count<S>,
): KernelStep<S> => ({
  label: 'label_features',
  kernel: { label: 'label_features', source: labelSource, constants: { WIDTH: width } },
  buffers,
  workgroups: (sizes) => [rows(sizes), Math.ceil(width / 64)],
});

/**
 * scores[row, number * count + i] = rows[row] · others[i] + bias[i], with `count` others of `columns` numbers; zero for rows without a span.
 * `stride`: numbers per row of scores.
 */
export const dotRows = <S>(
  { columns, count, stride }: { columns: number; count: number; stride: number },
  buffers: Record<'rows' | 'others' | 'bias' | 'number' | 'spans' | 'scores', Operand<S>>,
  rows: Count<S>,
): KernelStep<S> => ({
  label: 'dot_rows',
  kernel: {
    label: 'dot_rows',
    source: dotSource,
    constants: { COLUMNS: columns, OTHERS: count, STRIDE: stride, HAS_BIAS: buffers.bias !== undefined },
  },
  buffers,
  workgroups: (sizes) => [rows(sizes), count],
});
