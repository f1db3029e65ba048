import type { Gpu } from '../gpu/device';
import { createKernel, type Kernel } from '../gpu/kernel';
import source from './top_k.wgsl?raw';

/** The k best ids of every row of logits with their softmax probabilities; k comes from the size of `best`. Dispatch: one workgroup a row. */
export function createTopK(gpu: Gpu, spec: { vocab: number; stride: number }): Promise<Kernel> {
  return createKernel(gpu, 'top_k', source, { VOCAB: spec.vocab, STRIDE: spec.stride });
}
