/** For kernel tests: reproducible matrices, their padded form on the GPU, and running a step. */
import { expect } from 'vitest';
import { f16ToF32, f32ToF16 } from '../formats/float';
import { dequantize, GROUP, type QuantizedDtype, quantize, quantizedBytes } from '../formats/quantize';
import type { Gpu } from '../gpu/device';
import { seededRandom } from '../seeded-random';
import { createCompiler } from './compile';
import type { GemmPlan } from './gemm-spec';
import type { Step } from './step';
import { runDispatch, type Storage } from './test-buffers';
import type { Matrix } from './twins';

/** Roughly normal f32 numbers (sums of 12 uniform ones); the same sequence for the same seed. */
export function numbers(seed: number): () => number {
  const uniform = seededRandom(seed * 0x9e3779b9 + 1);
  return () => {
    let total = -6;
    for (let i = 0; i < 12; i++) total += uniform();
    return Math.fround(total);
  };
}

export function randomMatrix(seed: number, rows: number, columns: number, scale = 1): Matrix {
  const next = numbers(seed);
  return Array.from({ length: rows }, () => Float64Array.from({ length: columns }, () => Math.fround(next() * scale)));
}

export const randomVector = (seed: number, length: number, scale = 1, mean = 0): Float64Array =>
  randomMatrix(seed, 1, length, scale)[0].map((value) => Math.fround(value + mean));

/** The matrix rounded to f16. */
export const roundToF16 = (x: Matrix): Matrix => x.map((row) => row.map((value) => f16ToF32(f32ToF16(value))));

/** Rows of whole groups in their stored form. */
export function quantized(values: Float32Array, dtype: QuantizedDtype) {
  const bytes = new Uint8Array(quantizedBytes(values.length, dtype));
  const scales = new Uint16Array(values.length / GROUP);
  quantize(values, dtype, bytes, scales, { file: 'test', tensor: 'w', index: 0 });
  return { bytes, scales };
}

/** The matrix after quantising and dequantising. */
export const dequantized = (x: Matrix, dtype: QuantizedDtype): Matrix =>
  x.map((row) => {
    const { bytes, scales } = quantized(Float32Array.from(row), dtype);
    return Float64Array.from(dequantize(bytes, scales, dtype));
  });

interface Layout {
  stride: number;
  rows?: number;
  /** The value of padding rows and columns. */
  padding?: number;
  rowAt?: (row: number) => number;
  columnAt?: (column: number) => number;
}

/** A matrix as it lies on the GPU: rows of `stride` numbers, placed according to `rowAt` and `columnAt`. */
export function padded(
  x: Matrix,
  { stride, rows = x.length, padding = 0, rowAt = (r) => r, columnAt = (c) => c }: Layout,
) {
  const data = new Float32Array(rows * stride).fill(padding);
  x.forEach((row, r) => {
    row.forEach((value, c) => {
      data[rowAt(r) * stride + columnAt(c)] = value;
    });
  });
  return data;
}

/** The inverse of `padded`: the numbers of a padded matrix in their logical order. */
export const unpadded = (
  data: Float32Array,
  [rows, columns]: [number, number],
  stride: number,
  columnAt: (column: number) => number = (c) => c,
): Matrix =>
  Array.from({ length: rows }, (_, r) =>
    Float64Array.from({ length: columns }, (_, c) => data[r * stride + columnAt(c)]),
  );

/** Fails, naming the worst place, unless every number is within `tolerance` of the expected one. A NaN never is. */
export function expectClose(actual: Matrix, expected: Matrix, tolerance: number): void {
  expect([actual.length, actual[0]?.length]).toEqual([expected.length, expected[0]?.length]);
  let worst = { difference: 0, row: 0, column: 0 };
  expected.forEach((values, row) => {
    values.forEach((value, column) => {
      const distance = Math.abs(actual[row][column] - value);
      const difference = Number.isNaN(distance) ? Infinity : distance;
      if (difference > worst.difference) worst = { difference, row, column };
    });
  });
  const { row, column } = worst;
  const text = `[${row}, ${column}] is ${actual[row]?.[column]}, expected ${expected[row]?.[column]}`;
  expect(worst.difference, text).toBeLessThanOrEqual(tolerance);
}

/**
 * Compiles a step for `on` (a GEMM by `plan`), runs it on `gpu` and returns the first `count` numbers of `out`. The step must bind buffers, not
 * slots, and know its own sizes.
 */
export async function runStep(
  gpu: Gpu,
  step: Step<void>,
  out: GPUBuffer,
  count: number,
  { storage = 'f32', on = gpu, plan }: { storage?: Storage; on?: Gpu; plan?: GemmPlan } = {},
): Promise<Float32Array<ArrayBuffer>> {
  const compiled = await createCompiler(on, async () => plan)(step);
  const noSlots = () => {
    throw new Error('A step under test must not have slots.');
  };
  return runDispatch(gpu, () => compiled.dispatch(undefined, noSlots), out, count, storage);
}

/** Fails unless the columns of padded rows from `columns` on are zero. */
export function expectZeroPadding(data: Float32Array, rows: number, columns: number, stride: number): void {
  const padding = unpadded(data, [rows, stride - columns], stride, (c) => columns + c);
  expect(padding.every((row) => row.every((x) => x === 0))).toBe(true);
}

/** On a device without f16: fails unless `run` throws the compile error, WebGPU's message in it names f16 and nothing else hears of it. */
export async function expectF16Rejected(gpu: Gpu, run: () => Promise<unknown>): Promise<void> {
  gpu.device.pushErrorScope('validation');
  await expect(run()).rejects.toThrow(/The kernel '\w+' does not compile on this device.*f16/s);
  expect(await gpu.device.popErrorScope()).toBeNull();
}

/** cu_seqlens of sequences of these lengths. */
export const cumulate = (lengths: number[]): Uint32Array<ArrayBuffer> => {
  const cu_seqlens = new Uint32Array(lengths.length + 1);
  lengths.forEach((length, i) => {
    cu_seqlens[i + 1] = cu_seqlens[i] + length;
  });
  return cu_seqlens;
};
