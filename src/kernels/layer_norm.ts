import type { Arithmetic } from '../api/types';
import type { Gpu } from '../gpu/device';
import { createKernel, type Kernel } from '../gpu/kernel';
import source from './layer_norm.wgsl?raw';

/** LayerNorm of every row, or of the rows that `rows` lists when `gather`. Dispatch: normWorkgroups; the buffers have whole workgroups of rows. */
export function createLayerNorm(
  gpu: Gpu,
  spec: { hidden: number; stride: number; eps: number; out: Arithmetic; gather: boolean },
): Promise<Kernel> {
  return createKernel(gpu, spec.gather ? 'layer_norm gather' : 'layer_norm', source, {
    out_t: spec.out,
    HIDDEN: spec.hidden,
    STRIDE: spec.stride,
    EPS: spec.eps,
    GATHER: spec.gather,
  });
}

/** Four rows a workgroup, here and in embed.wgsl. */
export const normWorkgroups = (rows: number): [number] => [Math.ceil(rows / 4)];
