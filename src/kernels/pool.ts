import type { Pooling } from '../api/calls';
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
 * pooled[i] = one vector for the rows of span i, written at column `outColumn` of rows `outStride` wide (default: the input's width).
 * Source: sentence-transformers, models/Pooling.py.
 */
export const pool = <S>(
  {
    pooling,
    stride,
    outStride = stride,
    outColumn = 0,
  }: { pooling: Pooling; stride: number; outStride?: number; outColumn?: number },
  buffers: Record<'hidden_states' | 'spans' | 'pooled', Operand<S>>,
  spans: (sizes: S) => number,
): KernelStep<S> => {
  const label = `pool ${pooling}`;
  const constants = {
    STRIDE: stride,
    OUT_STRIDE: outStride,
    OUT_COLUMN: outColumn,
    MODE: MODES[pooling],
  };
  return {
    label,
    kernel: { label, source, constants },
    buffers,
    workgroups: (sizes) => [spans(sizes), Math.ceil(stride / 64)],
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
