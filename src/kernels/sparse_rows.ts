import source from './sparse_rows.wgsl?raw';
import type { KernelStep, Operand } from './step';

export interface SparseRowsSpec {
  vocab: number;
  /** Columns of a block of weights. */
  block: number;
  /** Ids of a piece of the vocabulary, each of which begins a block; one piece may be larger than the vocabulary. */
  piece: number;
}

/**
 * The k largest weights of every row, none negative and zeros left out, by ascending id: [rows, 1 + k] pairs, of which the first is how many of the
 * row's numbers are not 0 and how many entries follow. k follows from the size of the bound part of `entries`.
 */
export const sparseRows = <S>(
  { vocab, block, piece }: SparseRowsSpec,
  buffers: Record<'weights' | 'entries', Operand<S>>,
  rows: (sizes: S) => number,
): KernelStep<S> => ({
  label: 'sparse_rows',
  kernel: { label: 'sparse_rows', source, constants: { VOCAB: vocab, BLOCK: block, PIECE: piece } },
  buffers,
  workgroups: (sizes) => [rows(sizes)],
});
