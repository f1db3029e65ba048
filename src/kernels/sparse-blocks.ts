/** Where sparse_rows.wgsl reads its weights; for probes and tests. */
import type { SparseRowsSpec } from './sparse_rows';

/** Blocks of the vocabulary. */
export const blocksOf = ({ vocab, block, piece }: SparseRowsSpec): number => {
  const whole = Math.floor(vocab / piece);
  return whole * Math.ceil(piece / block) + Math.ceil((vocab - whole * piece) / block);
};

/** Where the kernel reads the weight of an id. */
export function placeOf({ block, piece }: SparseRowsSpec, rows: number, row: number, id: number): number {
  const column = id % piece;
  const at = Math.floor(id / piece) * Math.ceil(piece / block) + Math.floor(column / block);
  return (at * rows + row) * block + (column % block);
}
