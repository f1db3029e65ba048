/**
 * Quantised weights: a row of a matrix [n, k] in groups of 32, each with one f16 scale; value = scale · integer. Bytes are the same in
 * converted files and on the GPU, where they are read as little-endian u32:
 *
 * - q8, I8 [n, k]: integers -127 … 127, four a u32, as the dot4I8Packed of WGSL takes them.
 * - q4, U8 [n, k / 2]: integers -8 … 7, stored + 8, eight a u32: weights 0 to 3 are its bytes' low halves, 4 to 7 the high ones.
 * - scales, f16 [n, k / 32], two a u32; k is a multiple of 64. A q4 scale may be negative.
 */
import { f16ToF32, f32ToF16 } from './dtype';

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
 * Gives the index of the first value that is too large for an f16 scale, or -1.
 */
export function quantize(values: Float32Array, dtype: QuantizedDtype, bytes: Uint8Array, scales: Uint16Array): number {
  const group = dtype === 'q8' ? quantizeGroup8 : quantizeGroup4;
  for (let at = 0; at < values.length; at += GROUP) {
    const scale = group(values, at, bytes);
    if ((scale & 0x7c00) === 0x7c00) {
      const most = Math.max(...values.subarray(at, at + GROUP).map(Math.abs));
      return values.findIndex((value, i) => i >= at && Math.abs(value) === most);
    }
    scales[at / GROUP] = scale;
  }
  return -1;
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
  let most = 0;
  for (let i = at; i < at + GROUP; i++) most = Math.max(most, Math.abs(values[i]));
  let bits = f32ToF16(most / 127);
  if (most > f16ToF32(bits) * 127.5) bits++; // a subnormal scale that was rounded down would clip
  const inverse = 1 / f16ToF32(bits);
  if (bits === 0) bytes.fill(0, at, at + GROUP);
  else for (let i = at; i < at + GROUP; i++) bytes[i] = Math.floor(values[i] * inverse + 0.5);
  return bits;
}

/** Integers that the value of largest magnitude may become: which of them loses least depends on the group. */
const Q4_EXTREMES = [-8.6, -8, -7.4, -6.8, 7, 7.5];

/** Tries a few scales and keeps that of the least squared error. Gives its f16 bits. */
function quantizeGroup4(values: Float32Array, at: number, bytes: Uint8Array): number {
  let extreme = 0;
  for (let i = at; i < at + GROUP; i++) if (Math.abs(values[i]) > Math.abs(extreme)) extreme = values[i];
  let best = 0;
  let most = 0;
  for (const integer of Q4_EXTREMES) {
    const inverse = integer / extreme;
    let [xq, qq] = [0, 0];
    for (let i = at; i < at + GROUP; i++) {
      const q = Math.min(15, Math.max(0, (values[i] * inverse + 8.5) | 0)) - 8;
      xq += values[i] * q;
      qq += q * q;
    }
    // With these integers the best scale is Σxq / Σqq, and leaves an error of Σxx - (Σxq)² / Σqq.
    if (xq * xq > most * qq) {
      most = (xq * xq) / qq;
      best = xq / qq;
    }
  }
  const bits = f32ToF16(best);
  const scale = f16ToF32(bits);
  const inverse = scale === 0 ? 0 : 1 / scale;
  for (let i = 0; i < GROUP; i += 8) {
    for (let j = 0; j < 4; j++) {
      const low = stored4(values[at + i + j] * inverse);
      bytes[(at + i) / 2 + j] = low | (stored4(values[at + i + j + 4] * inverse) << 4);
    }
  }
  return bits;
}

const stored4 = (value: number): number => Math.min(15, Math.max(0, Math.floor(value + 8.5)));
