import source from './normalize.wgsl?raw';
import type { KernelStep, Operand } from './step';

/** L2 normalisation of the first `columns` numbers of every row, in place; the rest of the row stays. Source: torch.nn.functional.normalize. */
export const normalize = <S>(
  { stride, columns }: { stride: number; columns: number },
  buffers: Record<'embeddings', Operand<S>>,
  rows: (sizes: S) => number,
): KernelStep<S> => ({
  label: 'normalize',
  kernel: { label: 'normalize', source, constants: { STRIDE: stride, COLUMNS: columns } },
  buffers,
  workgroups: (sizes) => [rows(sizes)],
});
