import type { KernelSpec } from '../gpu/kernel';
import source from './group_max.wgsl?raw';

/** Rows of a group, as group_max.wgsl takes them. */
export const GROUP = 32;
/** Bytes that the threads of a row read at a time. */
const STEP = 128;

/** The bytes of a row on the GPU, padded by zeros to whole steps. */
export const rowStride = (bytes: number): number => STEP * Math.ceil(bytes / STEP);

/** The largest scores of each GROUP rows of `stride` bytes, which are float32 or int8. */
export const groupMax = (stride: number, isInt8: boolean): KernelSpec => ({
  label: 'group_max',
  source,
  constants: { STEPS: stride / STEP, INT8: isInt8 },
});

/**
 * What rounding can change in a score, per unit of the sum of |q · v|, whichever way it rounds (error of one operation: 2^-23) and however a compiler
 * fuses a dot product with the sum before it: a product passes through at most all additions of its thread, one per number, and those of the row's 8
 * threads. int8 products are summed exactly; the sum and its product with the scale are rounded.
 */
export const roundingOf = (stride: number, isInt8: boolean): number =>
  (isInt8 ? 4 : (4 * stride) / STEP + 16) * 2 ** -23;
