import type { Pooling } from '../api/embeddings';
import source from './pool.wgsl?raw';
import type { KernelStep, Operand } from './step';

/** pool.wgsl's MODE. */
const MODES: Record<Pooling, number> = {
  cls: 0,
  max: 1,
  mean: 2,
  mean_sqrt_len_tokens: 3,
  weightedmean: 4,
  lasttoken: 5,
};

/**
 * pooled[i] = one vector for the rows of span i: the first `columns` numbers of each (default: `stride`), written at column `outColumn` of rows
 * `outStride` wide (default: the input's width), and zeros after them up to `outColumns` numbers (default: none).
 * Source: sentence-transformers, models/Pooling.py.
 */
export const pool = <S>(
  {
    pooling,
    stride,
    columns = stride,
    outStride = stride,
    outColumn = 0,
    outColumns = columns,
  }: {
    pooling: Pooling;
    stride: number;
    columns?: number;
    outStride?: number;
    outColumn?: number;
    outColumns?: number;
  },
  buffers: Record<'hidden_states' | 'spans' | 'pooled', Operand<S>>,
  spans: (sizes: S) => number,
): KernelStep<S> => {
  const label = `pool ${pooling}`;
  const constants = {
    STRIDE: stride,
    OUT_STRIDE: outStride,
    OUT_COLUMN: outColumn,
    COLUMNS: columns,
    OUT_COLUMNS: outColumns,
    MODE: MODES[pooling],
  };
  return {
    label,
    kernel: { label, source, constants },
    buffers,
    workgroups: (sizes) => [spans(sizes), Math.ceil(outColumns / 64)],
  };
};

/**
 * A span as the kernel reads it: a sequence's rows `start` .. `end`, of which those before start + skip do not count; positions (weightedmean)
 * count from `start`.
 */
export const poolSpan = (start: number, end: number, skip = 0): [start: number, first: number, end: number] => [
  start,
  start + skip,
  end,
];
