import type { Gpu } from '../gpu/device';
import { createKernel, type Kernel } from '../gpu/kernel';
import source from './normalize.wgsl?raw';

/** L2 normalisation of the first `columns` numbers of every row, in place; what follows them stays. Dispatch: one workgroup a row. */
export function createNormalize(gpu: Gpu, { stride, columns }: { stride: number; columns: number }): Promise<Kernel> {
  return createKernel(gpu, 'normalize', source, { STRIDE: stride, COLUMNS: columns });
}
