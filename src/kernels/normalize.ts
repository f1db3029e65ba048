import source from '../../shaders/normalize.wgsl?raw';
import type { Gpu } from '../gpu/device';
import { createKernel, type Kernel } from '../gpu/kernel';

/** L2 normalisation of every row, in place. Dispatch: one workgroup a row. */
export function createNormalize(gpu: Gpu, spec: { stride: number }): Promise<Kernel> {
  return createKernel(gpu, 'normalize', source, { STRIDE: spec.stride });
}
