import { describe, expect, it } from 'vitest';
import { numbers } from '../kernels/fixtures';
import { f16ToF32 } from './float';
import { dequantize, GROUP, type QuantizedDtype, quantize, quantizedBytes } from './quantize';

const WHERE = { file: 'model.safetensors', tensor: 'w', index: 1000 };

function stored(values: ArrayLike<number>, dtype: QuantizedDtype) {
  const bytes = new Uint8Array(quantizedBytes(values.length, dtype));
  const scales = new Uint16Array(values.length / GROUP);
  quantize(Float32Array.from(values), dtype, bytes, scales, WHERE);
  return { bytes, scales, values: dequantize(bytes, scales, dtype) };
}

const random = (groups: number, scale = 1, seed = 1) => {
  const next = numbers(seed);
  return Float32Array.from({ length: groups * GROUP }, () => next() * scale);
};

/** Σ (a - b)² of each group. */
const errors = (a: ArrayLike<number>, b: ArrayLike<number>) =>
  Array.from({ length: a.length / GROUP }, (_, g) => {
    let sum = 0;
    for (let i = g * GROUP; i < (g + 1) * GROUP; i++) sum += (a[i] - b[i]) ** 2;
    return sum;
  });

describe('the layout', () => {
  it('q8: signed bytes in order', () => {
    const values = Float32Array.from({ length: 32 }, (_, i) => (i === 31 ? -127 : i));
    const { bytes, scales } = stored(values, 'q8');
    expect([...new Int8Array(bytes.buffer)]).toEqual([...values]);
    expect(scales).toEqual(Uint16Array.of(0x3c00));
  });

  it('q4: the first four of eight weights in the low halves of four bytes, each plus 8', () => {
    const integers = [-8, 1, 2, 3, 4, 5, 6, 7, 0, -1, -2, -3, -4, -5, -6, -7];
    const { bytes, scales } = stored([...integers, ...integers], 'q4');
    expect(f16ToF32(scales[0])).toBeCloseTo(1, 1);
    const half = [0xc0, 0xd9, 0xea, 0xfb, 0x48, 0x37, 0x26, 0x15];
    expect([...bytes]).toEqual([...half, ...half]);
  });

  it('q4: the sign of the largest magnitude goes into the scale, so that it can be -8', () => {
    const values = new Float32Array(32).fill(0.125);
    values[5] = 8;
    const { scales, values: back } = stored(values, 'q4');
    expect(f16ToF32(scales[0])).toBeLessThan(0);
    expect(back[5]).toBeCloseTo(8, 0);
  });
});

describe('the values', () => {
  it.each([1, 3, 35])('q8: within half a step, %i groups', (groups) => {
    const values = random(groups, 0.03);
    const { values: back, scales, bytes } = stored(values, 'q8');
    for (const [i, value] of values.entries()) {
      // And the error of the largest value from rounding the scale to f16: 2⁻¹¹ of 127 steps.
      expect(Math.abs(back[i] - value)).toBeLessThanOrEqual(f16ToF32(scales[Math.floor(i / GROUP)]) * 0.57);
    }
    expect([...new Int8Array(bytes.buffer)]).not.toContain(-128);
  });

  it('q4: loses less than the best of forty positive scales per group, 8.1 % of normal values', () => {
    const values = random(100, 0.03, 2);
    const { values: back, scales } = stored(values, 'q4');
    const best = new Array(100).fill(Infinity);
    for (let step = 0; step < 40; step++) {
      const tried = values.slice();
      for (let at = 0; at < tried.length; at += GROUP) {
        const group = tried.subarray(at, at + GROUP);
        const scale = Math.max(...group.map(Math.abs)) / (5 + step * 0.1);
        group.set(group.map((value) => Math.max(-8, Math.min(7, Math.round(value / scale))) * scale));
      }
      for (const [g, error] of errors(values, tried).entries()) best[g] = Math.min(best[g], error);
    }
    const sum = (list: number[]) => list.reduce((a, b) => a + b, 0);
    const lost = sum(errors(values, back));
    expect(lost).toBeLessThan(sum(best)); // those had no choice of sign
    expect(Math.sqrt(lost / sum(errors(values, new Float32Array(values.length))))).toBeLessThan(0.081);
    expect(new Set(scales.map((bits) => bits & 0x8000)).size).toBe(2);
  });

  it.each(['q8', 'q4'] as const)('%s: zeros stay zeros, and the smallest f16 is no larger than it was', (dtype) => {
    expect(stored(new Float32Array(64), dtype).values.every((value) => value === 0)).toBe(true);
    const tiny = new Float32Array(32).fill(2 ** -24);
    expect(Math.max(...stored(tiny, dtype).values.map(Math.abs))).toBeLessThanOrEqual(2 ** -24 * 8);
  });

  it('q8: a subnormal scale is rounded up, so that no value is clipped', () => {
    for (let most = 1e-6; most < 1e-2; most *= 1.07) {
      const values = random(1, most / 6, 3);
      values[7] = -most;
      const { values: back } = stored(values, 'q8');
      expect(Math.abs(back[7] - values[7])).toBeLessThanOrEqual(2 ** -25 + most / 250);
    }
  });

  it.each([
    ['q8', 8.4e6],
    ['q4', 6e5],
  ] as const)('%s: a value that no f16 scale reaches is refused with its place', (dtype, value) => {
    const values = random(3);
    values[40] = -value;
    expect(() => stored(values, dtype)).toThrow(`'w' holds a value at element 1040 that ${dtype} cannot hold (above `);
    values[40] = value / 1.2;
    expect(Math.abs(stored(values, dtype).values[40] / values[40] - 1)).toBeLessThan(0.1);
  });
});
