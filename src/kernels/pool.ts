import type { Pooling } from '../api/calls';
import type { Gpu } from '../gpu/device';
import { createKernel, type Kernel } from '../gpu/kernel';
import source from './pool.wgsl?raw';

const MODES: Pooling[] = ['mean', 'cls', 'max', 'lasttoken', 'weightedmean', 'mean_sqrt_len_tokens'];

/** Pools spans of rows, `stride` wide, into columns of wider rows; by default into rows as wide. */
export function createPool(
  gpu: Gpu,
  {
    stride,
    pooling,
    outStride = stride,
    outColumn = 0,
  }: {
    stride: number;
    pooling: Pooling;
    outStride?: number;
    outColumn?: number;
  },
): Promise<Kernel> {
  return createKernel(gpu, `pool ${pooling}`, source, {
    STRIDE: stride,
    OUT_STRIDE: outStride,
    OUT_COLUMN: outColumn,
    MODE: MODES.indexOf(pooling),
  });
}

/** A span as the kernel reads it: the sequence's rows `start` to `end`, of which those from `from` on are pooled. */
export const poolSpan = (start: number, end: number, skip = 0): [number, number, number] => [start, start + skip, end];

export const poolWorkgroups = (stride: number, spans: number): [number, number] => [spans, Math.ceil(stride / 64)];
