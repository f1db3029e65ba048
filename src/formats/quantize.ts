/**
 * Quantised weights: each row of a matrix [n, k] is cut into groups of 32 with one f16 scale each; value = scale · integer. The bytes are
 * the same in converted files and on the GPU, which reads them as little-endian u32:
 *
 * - q8, I8 [n, k]: integers -127 … 127, four per u32, as WGSL's dot4I8Packed takes them.
 * - q4, U8 [n, k / 2]: integers -8 … 7, stored + 8, eight per u32: weights 0 to 3 in the low halves of its bytes, 4 to 7 in the high ones.
 * - scales, f16 [n, k / 32], two per u32; k is a multiple of 64. A q4 scale may be negative.
 */
import { type Elements, f16ToF32, f32ToF16, tooLarge } from './float';

export type QuantizedDtype = 'q8' | 'q4';

/** Number of weights that share a scale. */
export const GROUP = 32;
/** k must be a multiple of this, so that the scales of a row are whole u32s on the GPU; other matrices stay f16. */
export const K_STEP = 2 * GROUP;

export const isQuantized = (dtype: string): dtype is QuantizedDtype => dtype === 'q8' || dtype === 'q4';

/** Bytes of `count` quantised weights without their scales. */
export const quantizedBytes = (count: number, dtype: QuantizedDtype): number => (dtype === 'q8' ? count : count / 2);

/**
 * Quantises whole groups: finite `values`, a multiple of 32 of them, into `bytes` and `scales` (f16 bits). Throws a ModelFileError, which
 * names `elements`, for a value that needs a scale too large for f16.
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

/** The largest magnitude becomes ±127. Returns the f16 bits of the scale. */
function quantizeGroup8(values: Float32Array, at: number, bytes: Uint8Array): number {
  const end = at + GROUP;
  let most = 0;
  for (let i = at; i < end; i++) {
    const magnitude = Math.abs(values[i]);
    if (magnitude > most) most = magnitude;
  }
  let bits = f32ToF16(most / 127);
  let scale = f16ToF32(bits);
  // A subnormal scale that was rounded down would clip values, and no scale may be 0.
  if (most >= scale * 127.5) scale = f16ToF32(++bits);
  const inverse = 1 / scale;
  // | 0 rounds towards 0, so the value is made positive first.
  for (let i = at; i < end; i++) bytes[i] = ((values[i] * inverse + 128.5) | 0) ^ 128;
  return bits;
}

/**
 * What the value of largest magnitude may become, before rounding. The best of these four scales has an error 4 % smaller than -8 alone,
 * and within 0.5 % of the best of a hundred.
 */
const Q4_EXTREMES = [-8.2, -7.8, -8.7, -7.2];

/** Chooses the scale with the least squared error. Returns its f16 bits. */
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
    // With these integers the best scale is Σxq / Σqq; its error is Σxx - (Σxq)² / Σqq.
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
