/** Conversions between the number types of checkpoints and of GPU buffers. Both are little-endian, like every WebGPU host. */
import { ModelFileError } from '../api/errors';

export type FloatDtype = 'F32' | 'F16' | 'BF16';

const FLOAT_BYTES = { F32: 4, F16: 2, BF16: 2 } as const;

/** Whether `convertChunk` supports `dtype`, spelled as in a safetensors file. */
export const isFloatDtype = (dtype: string): dtype is FloatDtype => Object.hasOwn(FLOAT_BYTES, dtype);

const scratch = new Float32Array(1);
const scratchBits = new Uint32Array(scratch.buffer);

/** The value of the f16 with these 16 bits. Exact. */
export function f16ToF32(bits: number): number {
  const magnitude = bits & 0x7fff;
  if (magnitude > 0x7c00) return NaN;
  if (magnitude === 0x7c00) return bits & 0x8000 ? -Infinity : Infinity;
  // Moved to where an f32 has them, the bits stand for 2^-112 of the value, for subnormals too.
  scratchBits[0] = ((bits & 0x8000) << 16) | (magnitude << 13);
  return scratch[0] * 2 ** 112;
}

/** The bits of the f16 nearest to `value` (rounded to f32 first), ties to even; Infinity from 65520 on. */
export function f32ToF16(value: number): number {
  scratch[0] = value;
  return f32BitsToF16(scratchBits[0]);
}

function f32BitsToF16(bits: number): number {
  const sign = (bits >>> 16) & 0x8000;
  const magnitude = bits & 0x7fffffff;
  // 65520 is halfway between 65504, the largest f16, and 65536.
  if (magnitude >= F16_OVERFLOW) return sign | (magnitude > F32_INFINITY ? 0x7e00 : 0x7c00);
  if (magnitude >= 0x38800000) {
    // Normal: rebias the exponent by 127 - 15 and round away 13 bits; a carry correctly goes into the exponent.
    return sign | ((magnitude - 0x38000000 + 0xfff + ((magnitude >>> 13) & 1)) >>> 13);
  }
  if (magnitude <= 0x33000000) return sign; // up to 2^-25, half of the smallest subnormal
  const shift = 126 - (magnitude >>> 23);
  const significand = (magnitude & 0x7fffff) | 0x800000;
  return sign | ((significand + (1 << (shift - 1)) - 1 + ((significand >>> shift) & 1)) >>> shift);
}

const F32_INFINITY = 0x7f800000;
/** f32 bits of 65520, the smallest magnitude that rounds to an infinite f16. */
const F16_OVERFLOW = 0x477ff000;

export interface Converted {
  /** Index in the chunk of the first element that is NaN or infinite in the file, or -1. */
  nonFinite: number;
  /** Index in the chunk of the first finite element that f16 cannot hold (it has become infinite), or -1. */
  overflow: number;
}

/**
 * Converts the elements in `bytes`, little-endian and at any alignment, into `to` from index `at` on: f32 values for a Float32Array, f16
 * bits, rounded to nearest even, for a Uint16Array. Throws a RangeError if `bytes` ends within an element or `to` is too short.
 */
export function convertChunk(bytes: Uint8Array, from: FloatDtype, to: Float32Array | Uint16Array, at = 0): Converted {
  const size = FLOAT_BYTES[from];
  const count = bytes.byteLength / size;
  if (!Number.isInteger(count))
    throw new RangeError(`${bytes.byteLength} bytes are not a whole number of ${from} elements`);
  if (at + count > to.length) throw new RangeError(`${count} elements at ${at} do not fit in ${to.length}`);

  const source = bitsOf(bytes.byteOffset % size === 0 ? bytes : bytes.slice(), from);
  if (to instanceof Float32Array) {
    widen(source, from, new Uint32Array(to.buffer, to.byteOffset + 4 * at, count));
    return { nonFinite: firstNonFinite(source, from), overflow: -1 };
  }
  const halves = to.subarray(at, at + count);
  if (from !== 'F16') return f32ToF16Bits(source instanceof Uint32Array ? source : widen(source, from), halves);
  halves.set(source);
  return { nonFinite: firstNonFinite(source, from), overflow: -1 };
}

/** Elements of a tensor, from `index` on, for error messages. */
export interface Elements {
  file: string;
  tensor: string;
  index: number;
}

/** Like convertChunk, but throws a ModelFileError for NaN, infinities, and values that f16 cannot hold. */
export function convertElements(
  elements: Elements,
  bytes: Uint8Array,
  from: FloatDtype,
  to: Float32Array | Uint16Array,
  at = 0,
): void {
  const { nonFinite, overflow } = convertChunk(bytes, from, to, at);
  if (nonFinite >= 0) throw broken(elements, nonFinite);
  if (overflow >= 0) throw tooLarge({ ...elements, index: elements.index + overflow }, 'f16', F16_MAX);
}

/** For elements that need no conversion: throws a ModelFileError for NaN and infinities. `bytes` must be aligned. */
export function checkElements(elements: Elements, bytes: Uint8Array, dtype: 'F32' | 'F16'): void {
  const at = firstNonFinite(bitsOf(bytes, dtype), dtype);
  if (at >= 0) throw broken(elements, at);
}

const broken = ({ file, tensor, index }: Elements, at: number): ModelFileError =>
  new ModelFileError(
    `${file}: tensor '${tensor}' holds a NaN or an infinity at element ${index + at}; the checkpoint is broken.`,
  );

const F16_MAX = 65504;

/** The error for a value at `index` that `dtype` cannot hold. */
export const tooLarge = ({ file, tensor, index }: Elements, dtype: string, most: number): ModelFileError =>
  new ModelFileError(
    `${file}: tensor '${tensor}' holds a value at element ${index} that ${dtype} cannot hold (above ${most}). Load it with dtype: 'f32'.`,
  );

/** The elements of aligned `bytes`, as integers. */
const bitsOf = ({ buffer, byteOffset, byteLength }: Uint8Array, dtype: FloatDtype): Uint32Array | Uint16Array =>
  dtype === 'F32'
    ? new Uint32Array(buffer, byteOffset, byteLength / 4)
    : new Uint16Array(buffer, byteOffset, byteLength / 2);

function firstNonFinite(source: Uint32Array | Uint16Array, dtype: FloatDtype): number {
  if (source instanceof Uint32Array) return firstNonFinite32(source);
  return firstNonFinite16(source, dtype === 'F16' ? 0x7c00 : 0x7f80);
}

// One small function per pair of types: a loop is fast if it only ever sees one kind of array.

function firstNonFinite32(source: Uint32Array): number {
  for (let i = 0; i < source.length; i++) if ((source[i] & F32_INFINITY) === F32_INFINITY) return i;
  return -1;
}

function firstNonFinite16(source: Uint16Array, exponent: number): number {
  // Two at a time: if all bits of an exponent are set, adding its lowest bit carries into the place of the sign.
  const lowest = exponent & -exponent;
  const [exponents, ones] = [exponent * 0x10001, lowest * 0x10001];
  const aligned = source.byteOffset % 4 === 0 ? source : source.slice();
  const pairs = new Uint32Array(aligned.buffer, aligned.byteOffset, source.length >> 1);
  let carries = (source[source.length - 1] & exponent) + lowest; // the last element may have no partner
  const whole = pairs.length & ~3;
  for (let i = 0; i < whole; i += 4) {
    carries |=
      ((pairs[i] & exponents) + ones) |
      ((pairs[i + 1] & exponents) + ones) |
      ((pairs[i + 2] & exponents) + ones) |
      ((pairs[i + 3] & exponents) + ones);
  }
  for (let i = whole; i < pairs.length; i++) carries |= (pairs[i] & exponents) + ones;
  return carries & 0x80008000 ? source.findIndex((bits) => (bits & exponent) === exponent) : -1;
}

function widen(
  source: Uint32Array | Uint16Array,
  from: FloatDtype,
  to: Uint32Array = new Uint32Array(source.length),
): Uint32Array {
  if (source instanceof Uint32Array) to.set(source);
  else if (from === 'F16') f16ToF32Bits(source, to);
  else bf16ToF32Bits(source, to);
  return to;
}

/** All f16 values as f32 bits. */
let f16Table: Uint32Array | undefined;

function f16ToF32Bits(source: Uint16Array, to: Uint32Array): void {
  f16Table ??= new Uint32Array(Float32Array.from({ length: 0x10000 }, (_, bits) => f16ToF32(bits)).buffer);
  const table = f16Table;
  for (let i = 0; i < source.length; i++) to[i] = table[source[i]];
}

function bf16ToF32Bits(source: Uint16Array, to: Uint32Array): void {
  for (let i = 0; i < source.length; i++) to[i] = source[i] << 16;
}

function f32ToF16Bits(source: Uint32Array, to: Uint16Array): Converted {
  let nonFinite = -1;
  let overflow = -1;
  for (let i = 0; i < source.length; i++) {
    const bits = source[i];
    to[i] = f32BitsToF16(bits);
    const magnitude = bits & 0x7fffffff;
    if (magnitude >= F16_OVERFLOW) {
      if (magnitude < F32_INFINITY) {
        if (overflow < 0) overflow = i;
      } else if (nonFinite < 0) nonFinite = i;
    }
  }
  return { nonFinite, overflow };
}
