import type { Slot, Step } from '../../kernels/step';
import type { CpuSequence } from '../cpu-sequence';
import type { ChunkSizes } from '../family';
import type { LoadedModel } from '../model';

/** Something to compute from the encoder's hidden states, as a value: calls ask for it, and those that ask for the same share the work. */
export interface Head {
  /** Equal for heads that compute the same. */
  key: string;
  /** What its rows are: rows of the stream (tokens), or whole sequences. */
  by: 'row' | 'sequence';
  /** For heads by sequence that compute much of each token: their chunks have the tokens of their own sequences only, gathered. */
  gathers?: boolean;
  /** Whether the rows of every item are computed apart from those of others, with the item's lists (Wanted). Default: they share steps. */
  apart?: boolean;
  /** Throws a TypeError if the checkpoint lacks what it needs; calls check that before. */
  build(model: LoadedModel): HeadSteps;
  /** The answer for one sequence, or for one row, where there is no GPU; undefined if it needs one. */
  onCpu?(sequence: CpuSequence): Float32Array<ArrayBuffer>;
  /** What is wrong with the numbers of an answer [rows, width], if anything. Default: see notFinite. */
  problem?(answer: Float32Array, width: number): string | undefined;
}

/** Heads work on so many rows at a time that their buffers stay near this. */
export const CHUNK_BYTES = 64 << 20;

/** Above it a number is an overflow that some GPUs clamp instead of making it infinite. f32 ends at 3.4e38. */
const LARGEST = 3e38;

/** Says so if a row is neither of unit length nor all zeros, which stay zeros. */
export function notNormalized(rows: Float32Array, width: number): string | undefined {
  for (let row = 0; row < rows.length; row += width) {
    let squares = 0;
    for (let c = row; c < row + width; c++) squares += rows[c] * rows[c];
    if (squares !== 0 && !(Math.abs(squares - 1) < 0.01))
      return `the length of its embedding is ${Math.sqrt(squares)} instead of 1`;
  }
  return undefined;
}

/** To unit length, as torch.nn.functional.normalize: a row of zeros stays zero. */
export function unitLength(row: Float64Array): Float64Array {
  const length = Math.max(Math.sqrt(row.reduce((sum, x) => sum + x * x, 0)), 1e-12);
  return row.map((x) => x / length);
}

/** Says so if a number is NaN, infinite or next to it. */
export function notFinite(numbers: Float32Array): string | undefined {
  for (let i = 0; i < numbers.length; i++) {
    if (!(Math.abs(numbers[i]) < LARGEST)) return `number ${i} of its result is ${numbers[i]}`;
  }
  return undefined;
}

/** A head's work on one chunk of rows. */
export interface HeadSteps {
  steps: Step<ChunkSizes>[];
  /** Where the answer then lies: [rows, stride] of 32-bit words, of which the first `width` of each row count. */
  answer: Slot;
  stride: number;
  width: number;
}
