import type { KernelStep, Operand } from './step';
import source from './top_k.wgsl?raw';

/** The k best ids of every row of logits, with their softmax probabilities; k follows from the size of the bound part of `best`. */
export const topK = <S>(
  { vocab, stride }: { vocab: number; stride: number },
  buffers: Record<'logits' | 'best', Operand<S>>,
  rows: (sizes: S) => number,
): KernelStep<S> => ({
  label: 'top_k',
  kernel: { label: 'top_k', source, constants: { VOCAB: vocab, STRIDE: stride } },
  buffers,
  workgroups: (sizes) => [rows(sizes)],
});
