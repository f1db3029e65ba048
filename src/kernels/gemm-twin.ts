/** Made-up operands of a GEMM and what it must compute from them. The tuner and the self-check at load judge kernels by both. */
import type { Arithmetic, Dtype } from '../api/types';
import { f16ToF32 } from '../formats/float';
import { dequantize, GROUP, isQuantized } from '../formats/quantize';
import { type GemmSpec, type GemmTile, keyWidthOf, outStrideOf, pairOf } from './gemm-spec';
import { bytesOf, weightBytes } from './storage';
import { ACTIVATE } from './twins';

export type Words = Uint32Array<ArrayBuffer>;

/** Words after which noise repeats, to save time: a prime, so that no rows of a matrix are equal. */
const PERIOD = 65521;

/**
 * Pseudorandom words (xorshift), the same for the same seed: f32 numbers or pairs of f16 of both signs, from 2 ** exponent to twice that in
 * magnitude, or plain bits.
 */
export function noise(words: number, of: Arithmetic | 'bits', exponent = 0, seed = 1): Words {
  const data = new Uint32Array(words);
  let state = Math.imul(seed, 0x9e3779b9);
  const [mask, bits] =
    of === 'bits'
      ? [-1, 0]
      : of === 'f32'
        ? [0x807fffff, (127 + exponent) << 23]
        : [0x83ff83ff, ((15 + exponent) << 10) * 0x10001];
  const own = Math.min(words, PERIOD);
  for (let i = 0; i < own; i++) {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    data[i] = (state & mask) | bits;
  }
  for (let i = own; i < words; i += own) data.copyWithin(i, 0, Math.min(own, words - i));
  return data;
}

/** Made-up weights [n, k]. Sums of their products with numbers near 1 stay small for any k that models have. */
export function noisyWeights(n: number, k: number, dtype: Dtype): { w: Words; w_scales: Words | undefined } {
  if (!isQuantized(dtype)) return { w: noise(weightBytes(n * k, dtype) / 4, dtype, -4, 2), w_scales: undefined };
  const w = noise(weightBytes(n * k, dtype) / 4, 'bits', 0, 2);
  return { w, w_scales: noise((n * k) / (2 * GROUP), 'f16', dtype === 'q8' ? -10 : -6, 3) };
}

/** A GEMM's operands by the names of their bindings. */
export type GemmOperands = ReturnType<typeof gemmOperands>;

const POSITIONS = 4;

/** Made-up operands of so many rows of a, and rows of w. */
export function gemmOperands(spec: GemmSpec, rows: number, columns: number) {
  const { k, a, epilogue } = spec;
  const isRope = epilogue.kind === 'rope';
  return {
    a: a === 'int8' ? noise((rows * k) / 4, 'bits') : noise((rows * k * bytesOf(a)) / 4, a, -1),
    a_scales: a === 'int8' ? noise((rows * k) / GROUP, 'f32', -7, 4) : undefined,
    ...noisyWeights(columns, k, spec.dtype),
    bias: spec.bias ? noise(columns, 'f32', -1, 5) : undefined,
    positions: isRope ? Uint32Array.from({ length: rows }, (_, row) => row % POSITIONS) : undefined,
    rope: isRope ? noise(POSITIONS * epilogue.headDim, 'f32', -1, 6) : undefined,
  };
}

/** Takes a number as computed, as it should be, and how far rounding may take it. */
export type Judge = (actual: number, expected: number, bound: number) => void;

/** What is furthest out of its bound among all that `compare` passes to its judge; NaN is further than any number. */
export function worstOf(compare: (judge: Judge) => void): { difference: number; bound: number; isRight: boolean } {
  let worst = { difference: 0, bound: 1 };
  compare((actual, expected, bound) => {
    const distance = Math.abs(actual - expected);
    const difference = Number.isNaN(distance) ? Infinity : distance;
    if (difference * worst.bound > worst.difference * bound) worst = { difference, bound };
  });
  return { ...worst, isRight: worst.difference <= worst.bound };
}

/** How far f32 arithmetic may be off, relative to the magnitudes that were added up: 64 roundings. */
export const F32_ERROR = 2 ** -18;

/** The rounding of a number that is stored. */
export const storing = (value: number, as: Arithmetic): number =>
  as === 'f16' ? Math.abs(value) * 2 ** -10 + 2 ** -24 : 0;

/** Numbers as they lie in a buffer, from byte `at` on. */
export function numbersAt(buffer: ArrayBuffer, at: number, count: number, as: 'f32' | 'f16' | 'int8' | 'u32') {
  if (as === 'f16') {
    const numbers = new Float32Array(count);
    const halves = new Uint16Array(buffer, at, count);
    for (let i = 0; i < count; i++) numbers[i] = f16ToF32(halves[i]); // Float32Array.from takes ten times as long
    return numbers;
  }
  return new { f32: Float32Array, int8: Int8Array, u32: Uint32Array }[as](buffer, at, count);
}

/** For Float32Arrays alone, unlike that of the twins: V8 compiles code faster that sees one type. */
function dot(a: Float32Array, b: Float32Array): number {
  let total = 0;
  for (let i = 0; i < a.length; i++) total += a[i] * b[i];
  return total;
}

/** A row of a matrix and its norm. The product of two norms is at least the sum of the magnitudes of what a dot product adds up. */
interface Row {
  numbers: Float32Array;
  norm: number;
}

/** The rows of a matrix, each decoded once. */
export function decoded(words: Words, k: number, as: Dtype | 'int8', scales?: Words): (row: number) => Row {
  const known = new Map<number, Row>();
  const decode = (row: number): Float32Array => {
    const { buffer } = words;
    if (as === 'f32' || as === 'f16') return numbersAt(buffer, row * k * bytesOf(as), k, as) as Float32Array;
    const groups = k / GROUP;
    if (as === 'int8') {
      const scale = new Float32Array(scales!.buffer, row * groups * 4, groups);
      const numbers = new Float32Array(new Int8Array(buffer, row * k, k));
      for (let i = 0; i < k; i++) numbers[i] *= scale[i >> 5];
      return numbers;
    }
    const bytes = weightBytes(k, as);
    return dequantize(
      new Uint8Array(buffer, row * bytes, bytes),
      new Uint16Array(scales!.buffer, row * groups * 2, groups),
      as,
    );
  };
  return (row) => {
    let found = known.get(row);
    if (!found) {
      const numbers = decode(row);
      found = { numbers, norm: Math.sqrt(dot(numbers, numbers)) };
      known.set(row, found);
    }
    return found;
  };
}

type Bounded = [value: number, bound: number];

/**
 * The GEMM in plain TypeScript, with columns placed as on the GPU (gemm.wgsl): the number in a row and a column of out, and how far rounding may
 * take it. `before`: what out holds beforehand; zeros by default.
 */
export function gemmTwin(spec: GemmSpec, operands: GemmOperands, before?: Float32Array) {
  const { k, epilogue, out, outColumn = 0 } = spec;
  const stride = outStrideOf(spec);
  const pair = pairOf(epilogue);
  const a = decoded(operands.a, k, spec.a, operands.a_scales);
  const w = decoded(operands.w, k, spec.dtype, operands.w_scales);
  const bias = operands.bias && new Float32Array(operands.bias.buffer);
  const rope = operands.rope && new Float32Array(operands.rope.buffer);

  const sum = (row: number, column: number): Bounded => {
    const x = a(row);
    const y = w(column);
    const added = bias?.[column] ?? 0;
    return [dot(x.numbers, y.numbers) + added, (x.norm * y.norm + Math.abs(added)) * F32_ERROR];
  };
  const activated = (activation: keyof typeof ACTIVATE, [x, bound]: Bounded): Bounded => [
    ACTIVATE[activation](x),
    1.2 * bound + (1 + Math.abs(x)) * F32_ERROR, // no activation is steeper; exp and erf have errors of their own
  ];
  const number = (row: number, column: number): Bounded => {
    if (epilogue.kind === 'residual') {
      const [value, bound] = sum(row, column);
      return [value + (before?.[row * stride + outColumn + column] ?? 0), bound + F32_ERROR];
    }
    if (epilogue.kind === 'activation') return activated(epilogue.activation, sum(row, column));
    if (epilogue.kind === 'geglu') {
      const first = Math.floor(column / pair) * 2 * pair + (column % pair);
      const [x, xBound] = activated(epilogue.activation, sum(row, first));
      const [y, yBound] = sum(row, first + pair);
      return [x * y, Math.abs(y) * xBound + (Math.abs(x) + xBound) * yBound];
    }
    if (epilogue.kind === 'scale' && column < epilogue.attentionWidth) {
      return sum(row, column).map((value) => value * epilogue.qScale) as Bounded;
    }
    if (epilogue.kind === 'rope' && column < epilogue.attentionWidth + keyWidthOf(epilogue)) {
      const { headDim, attentionWidth, qScale } = epilogue;
      const isFirst = column % (2 * pair) < pair;
      const angle = Math.floor((column % headDim) / (2 * pair)) * pair + (column % pair);
      const at = operands.positions![row] * headDim + angle;
      const [cosine, sine] = [rope![at], rope![at + headDim / 2]];
      const [x, xBound] = sum(row, column);
      const [y, yBound] = sum(row, isFirst ? column + pair : column - pair);
      const scale = column < attentionWidth ? qScale : 1;
      return [(x * cosine + (isFirst ? -y : y) * sine) * scale, (xBound + yBound) * scale];
    }
    return sum(row, column);
  };
  return (row: number, column: number): Bounded => {
    const [value, bound] = number(row, column);
    return [value, bound + storing(value, out)];
  };
}

/**
 * Calls `look` with rows and columns of out: every row, every column of a tile (each in one tile, in turn), and each of the 8 × 8 numbers that a
 * thread holds. `rows`, `columns`: how many were computed.
 */
export function sample(rows: number, columns: number, tile: GemmTile, look: (row: number, column: number) => void) {
  const across = Math.min(columns, Math.max(tile.n, 64));
  const tiles = Math.ceil(columns / across);
  for (let i = 0; i < Math.max(2 * across, rows); i++) {
    const column = (i * 9 + Math.floor(i / 8) * 5) % across;
    // Columns that an epilogue combines are 16 or 32 apart: those in the same tile are then decoded once.
    look(i % rows, Math.min(((column % 16) % tiles) * across + column, columns - 1));
  }
}
