import source from '../../shaders/pool.wgsl?raw';
import type { Pooling } from '../api';
import type { Gpu } from '../gpu/device';
import { createKernel, type Kernel } from '../gpu/kernel';

/** Mean or cls pooling of spans of rows. */
export function createPool(gpu: Gpu, spec: { stride: number; pooling: Pooling }): Promise<Kernel> {
  return createKernel(gpu, `pool ${spec.pooling}`, source, { STRIDE: spec.stride, CLS: spec.pooling === 'cls' });
}

export const poolWorkgroups = (stride: number, spans: number): [number, number] => [spans, Math.ceil(stride / 64)];
