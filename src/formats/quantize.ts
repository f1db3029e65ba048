/**
 * Quantised weights: a row of a matrix [n, k] in groups of 32, each with one f16 scale; value = scale · integer. Bytes are the same in
 * converted files and on the GPU, where they are read as little-endian u32:
 *
 * - q8, I8 [n, k]: integers -127 … 127, four a u32, as the dot4I8Packed of WGSL takes them.
 * - q4, U8 [n, k / 2]: integers -8 … 7, stored + 8, eight a u32: weights 0 to 3 are its bytes' low halves, 4 to 7 the high ones.
 * - scales, f16 [n, k / 32], two a u32; k is a multiple of 64. A q4 scale may be negative.
 */
import { type Elements, f16ToF32, f32ToF16, tooLarge } from './float';

export type QuantizedDtype = 'q8' | 'q4';

/** Weights that share a scale. */
export const GROUP = 32;
/** Matrices with other k stay f16: a row's scales are whole u32s on the GPU. */
export const K_STEP = 2 * GROUP;

export const isQuantized = (dtype: string): dtype is QuantizedDtype => dtype === 'q8' || dtype === 'q4';

/** Bytes of `count` quantised weights without their scales. */
export const quantizedBytes = (count: number, dtype: QuantizedDtype): number => (dtype === 'q8' ? count : count / 2);

/**
 * Quantises whole groups. `values`: finite, a multiple of 32 of them; `bytes` and `scales` (f16 bits) have room for what becomes of them.
 * Throws a ModelFileError for a value that needs a scale too large for f16; `elements` says what the values are.
 */
export function quantize(
  values: Float32Array,
  dtype: QuantizedDtype,
  bytes: Uint8Array,
  scales: Uint16Array,
  elements: Elements,
): void {
  const group = dtype === 'q8' ? quantizeGroup8 : quantizeGroup4;
  for (let at = 0; at < values.length; at += GROUP) {
    const scale = group(values, at, bytes);
    if ((scale & 0x7fff) >= 0x7c00) {
      const worst = values
        .subarray(at, at + GROUP)
        .reduce((m, x, i, all) => (Math.abs(x) > Math.abs(all[m]) ? i : m), 0);
      const most = 65504 * (dtype === 'q8' ? 127 : 8);
      throw tooLarge({ ...elements, index: elements.index + at + worst }, dtype, most);
    }
    scales[at / GROUP] = scale;
  }
}

/** The values that the GPU computes with. */
export function dequantize(bytes: Uint8Array, scales: Uint16Array, dtype: QuantizedDtype): Float32Array<ArrayBuffer> {
  const values = new Float32Array(scales.length * GROUP);
  for (let i = 0; i < values.length; i++) {
    const half = bytes[(i >> 3) * 4 + (i & 3)] >> (i & 4);
    const integer = dtype === 'q8' ? (bytes[i] << 24) >> 24 : (half & 15) - 8;
    values[i] = integer * f16ToF32(scales[Math.floor(i / GROUP)]);
  }
  return values;
}

/** The largest magnitude becomes ±127. Gives the scale's f16 bits. */
function quantizeGroup8(values: Float32Array, at: number, bytes: Uint8Array): number {
  const end = at + GROUP;
  let most = 0;
  for (let i = at; i < end; i++) {
    const magnitude = Math.abs(values[i]);
    if (magnitude > most) most = magnitude;
  }
  let bits = f32ToF16(most / 127);
  let scale = f16ToF32(bits);
  // A subnormal scale that was rounded down would clip, and none may be 0.
  if (most >= scale * 127.5) scale = f16ToF32(++bits);
  const inverse = 1 / scale;
  // | 0 cuts off, so what it takes must not be negative.
  for (let i = at; i < end; i++) bytes[i] = ((values[i] * inverse + 128.5) | 0) ^ 128;
  return bits;
}

/**
 * What the value of largest magnitude may become, before rounding: of four such scales one leaves an error 4 % smaller than -8 does, and
 * within 0.5 % of the best of a hundred.
 */
const Q4_EXTREMES = [-8.2, -7.8, -8.7, -7.2];

/** Keeps the scale of the least squared error. Gives its f16 bits. */
function quantizeGroup4(values: Float32Array, at: number, bytes: Uint8Array): number {
  let extreme = 0;
  for (let i = at; i < at + GROUP; i++) if (Math.abs(values[i]) > Math.abs(extreme)) extreme = values[i];
  let scale = 0;
  let most = 0;
  for (const to of Q4_EXTREMES) {
    const inverse = to / extreme;
    let xq = 0;
    let qq = 0;
    for (let i = at; i < at + GROUP; i++) {
      const x = values[i];
      const q = stored4(x * inverse) - 8;
      xq += x * q;
      qq += q * q;
    }
    // With these integers the best scale is Σxq / Σqq; it leaves an error of Σxx - (Σxq)² / Σqq.
    if (xq * xq > most * qq) {
      scale = xq / qq;
      most = xq * scale;
    }
  }
  const bits = f32ToF16(scale);
  const inverse = bits % 0x8000 === 0 ? 0 : 1 / f16ToF32(bits);
  for (let i = at; i < at + GROUP; i += 8) {
    for (let j = i; j < i + 4; j++)
      bytes[i / 2 + j - i] = stored4(values[j] * inverse) | (stored4(values[j + 4] * inverse) << 4);
  }
  return bits;
}

/** The nearest of -8 … 7, plus 8. */
const stored4 = (value: number): number => {
  const q = (value + 8.5) | 0;
  return q > 15 ? 15 : q < 0 ? 0 : q;
};
