/** What probes (probes.ts) are made of. */
import type { Arithmetic } from '../api/types';
import type { Constants, Workgroups } from '../gpu/kernel';
import { decoded, type Judge, noise, storing, type Words } from '../kernels/gemm-twin';
import { bytesOf, roundUp } from '../kernels/storage';
import type { Matrix } from '../kernels/twins';

/** What a kernel reads, and how to judge what it writes. */
export interface Probe {
  /** Contents of its buffers by the names of their bindings; a number is that many bytes of zeros. */
  buffers: Record<string, Words | number | undefined>;
  workgroups: Workgroups;
  /** The kernel, if the step has several: the number of rows, or tokens of a pass, that it is chosen for. */
  rows?: number;
  outputs: Output[];
}

/** A part of a buffer that the kernel writes: rows of `columns` numbers, `stride` numbers apart, from column `column` on. */
export interface Output {
  binding: string;
  type: 'f32' | 'f16' | 'int8' | 'u32';
  rows: number;
  columns: number;
  stride: number;
  column: number;
  /** Passes every number that is looked at to the judge, with what it should be. */
  compare(read: (row: number, column: number) => number, judge: Judge): void;
}

/** Contents that no kernel computes: NaN as f32, as f16, as a probability. */
export const unwritten = (bytes: number): Words => new Uint32Array(roundUp(bytes, 4) / 4).fill(0xffffffff);

/** A matrix of made-up numbers, as words in rows of `stride` numbers, the rest of a row zero, and as rows. */
export function numbers(rows: number, columns: number, stride: number, as: Arithmetic = 'f32', seed = 1) {
  const words = noise((rows * stride * bytesOf(as)) / 4, as, -1, seed);
  clearPadding(words, rows, columns, stride, as);
  const row = decoded(words, stride, as);
  return { words, rows: Array.from({ length: rows }, (_, r) => new Float64Array(row(r).numbers.subarray(0, columns))) };
}

export function clearPadding(words: Words, rows: number, columns: number, stride: number, as: Arithmetic): void {
  const values = as === 'f32' ? words : new Uint16Array(words.buffer);
  for (let r = 0; r < rows; r++) values.fill(0, r * stride + columns, (r + 1) * stride);
}

/** An output of which every number is looked at. `error`: of the arithmetic, for numbers near 1. */
export function whole(
  binding: string,
  type: Arithmetic,
  expected: Matrix,
  stride: number,
  error: number,
  column = 0,
): Output {
  return {
    binding,
    type,
    rows: expected.length,
    columns: expected[0].length,
    stride,
    column,
    compare(read, judge) {
      expected.forEach((values, r) => {
        for (let c = 0; c < values.length; c++) {
          judge(read(r, c), values[c], (1 + Math.abs(values[c])) * error + storing(values[c], type));
        }
      });
    },
  };
}

export type MakeProbe = (constants: Constants, label: string) => Probe[];
