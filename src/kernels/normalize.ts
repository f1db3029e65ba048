import source from '../../shaders/normalize.wgsl?raw';
import type { Gpu } from '../gpu/device';
import { createKernel, type Kernel } from '../gpu/kernel';

/** L2 normalisation of the first `columns` numbers of every row, in place; what follows them stays. Dispatch: one workgroup a row. */
export function createNormalize(gpu: Gpu, { stride, columns }: { stride: number; columns: number }): Promise<Kernel> {
  return createKernel(gpu, 'normalize', source, { STRIDE: stride, COLUMNS: columns });
}
