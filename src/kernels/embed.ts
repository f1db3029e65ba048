import type { Arithmetic, Dtype } from '../api/types';
import type { Gpu } from '../gpu/device';
import { createKernel, type Kernel } from '../gpu/kernel';
import source from './embed.wgsl?raw';
import { weightConstants } from './storage';

/** Embedding lookup and its LayerNorm, for the ids `firstId .. firstId + ids` of one piece of the table. Dispatch: normWorkgroups. */
export function createEmbed(
  gpu: Gpu,
  spec: { hidden: number; stride: number; eps: number; dtype: Dtype; out: Arithmetic; firstId: number; ids: number },
): Promise<Kernel> {
  return createKernel(gpu, 'embed', source, {
    ...weightConstants(spec.dtype),
    out_t: spec.out,
    HIDDEN: spec.hidden,
    STRIDE: spec.stride,
    EPS: spec.eps,
    FIRST_ID: spec.firstId,
    IDS: spec.ids,
  });
}
