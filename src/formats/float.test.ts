import { describe, expect, it } from 'vitest';
import { checkElements, convertChunk, type FloatDtype, f16ToF32, f32ToF16, isFloatDtype } from './float';

const ALL_F16 = Uint16Array.from({ length: 0x10000 }, (_, i) => i);
const isNaN16 = (bits: number) => (bits & 0x7fff) > 0x7c00;
const bytesOf = (array: Float32Array | Uint16Array | Uint32Array) => new Uint8Array(array.buffer);
const f32 = (...values: number[]) => bytesOf(Float32Array.from(values));
/** bf16 bits of values that bf16 holds exactly. */
const bf16 = (...values: number[]) =>
  bytesOf(Uint16Array.from(new Uint32Array(Float32Array.from(values).buffer), (bits) => bits >>> 16));

/** Rounds to nearest even by trying the neighbours: slow, and independent of the bit tricks. */
function nearestF16(value: number): number {
  const sign = value < 0 || Object.is(value, -0) ? 0x8000 : 0;
  const magnitude = Math.abs(value);
  if (magnitude >= 65520) return sign | 0x7c00;
  let low = 0;
  let high = 0x7bff;
  while (low < high) {
    const middle = (low + high + 1) >> 1;
    if (f16ToF32(middle) <= magnitude) low = middle;
    else high = middle - 1;
  }
  const below = magnitude - f16ToF32(low);
  const above = low === 0x7bff ? 65536 - magnitude : f16ToF32(low + 1) - magnitude;
  return sign | (below < above || (below === above && low % 2 === 0) ? low : low + 1);
}

describe('f16', () => {
  it('has the values of IEEE 754 binary16', () => {
    const known: [number, number][] = [
      [0x0000, 0],
      [0x8000, -0],
      [0x0001, 2 ** -24],
      [0x03ff, 1023 * 2 ** -24],
      [0x0400, 2 ** -14],
      [0x3555, 0.333251953125],
      [0x3c00, 1],
      [0xc000, -2],
      [0x7bff, 65504],
      [0x7c00, Infinity],
      [0xfc00, -Infinity],
      [0x7e00, NaN],
    ];
    for (const [bits, value] of known) {
      expect(f16ToF32(bits)).toBe(value);
      expect(f32ToF16(value)).toBe(bits);
    }
  });

  it('comes back from f32 unchanged, all 65,536 of them', () => {
    for (const bits of ALL_F16) {
      const back = f32ToF16(f16ToF32(bits));
      if (isNaN16(bits) ? !isNaN16(back) : back !== bits)
        expect.fail(`0x${bits.toString(16)} → 0x${back.toString(16)}`);
    }
  });

  it('rounds to the nearest, ties to even, at and beside every halfway point', () => {
    for (let bits = 0; bits < 0x7c00; bits++) {
      const next = bits === 0x7bff ? 65536 : f16ToF32(bits + 1);
      const half = (f16ToF32(bits) + next) / 2; // exact in f32: one bit more than f16 has
      const even = bits % 2 === 0 ? bits : bits + 1;
      const halfBits = new Uint32Array(Float32Array.of(half).buffer)[0];
      const [before, after] = new Float32Array(Uint32Array.of(halfBits - 1, halfBits + 1).buffer);
      const got = [before, half, after, -before, -half, -after].map(f32ToF16);
      const expected = [bits, even, bits + 1, 0x8000 | bits, 0x8000 | even, 0x8000 | (bits + 1)];
      if (got.some((value, i) => value !== expected[i])) expect(got, `0x${bits.toString(16)}`).toEqual(expected);
    }
  });

  it('agrees with a search for the nearest value over the whole range', () => {
    let state = 1;
    for (let i = 0; i < 50_000; i++) {
      state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
      const value = new Float32Array(Uint32Array.of(state).buffer)[0];
      if (Number.isNaN(value)) continue;
      if (f32ToF16(value) !== nearestF16(value)) expect(f32ToF16(value), `${value}`).toBe(nearestF16(value));
    }
  });
});

describe('convertChunk', () => {
  const toF32 = (bytes: Uint8Array, from: FloatDtype) => {
    const to = new Float32Array(bytes.length / (from === 'F32' ? 4 : 2));
    return { ...convertChunk(bytes, from, to), values: [...to] };
  };
  const toF16 = (bytes: Uint8Array, from: FloatDtype) => {
    const to = new Uint16Array(bytes.length / (from === 'F32' ? 4 : 2));
    return { ...convertChunk(bytes, from, to), values: [...to].map(f16ToF32) };
  };

  it('converts every f16 like f16ToF32, and finds the first that is not finite', () => {
    const { values, nonFinite } = toF32(bytesOf(ALL_F16), 'F16');
    expect(values).toEqual([...ALL_F16].map(f16ToF32));
    expect(nonFinite).toBe(0x7c00);
  });

  it('copies f16 to f16 bit by bit, NaN payloads too', () => {
    const to = new Uint16Array(0x10000);
    expect(convertChunk(bytesOf(ALL_F16), 'F16', to)).toEqual({ nonFinite: 0x7c00, overflow: -1 });
    expect(to.every((bits, i) => bits === i)).toBe(true);
  });

  it('copies f32 to f32 bit by bit', () => {
    const bits = Uint32Array.of(0, 0x80000000, 1, 0x3f800001, 0x7f7fffff, 0x7fc12345, 0xff800000);
    const to = new Float32Array(7);
    expect(convertChunk(bytesOf(bits), 'F32', to).nonFinite).toBe(5);
    expect(new Uint32Array(to.buffer)).toEqual(bits);
  });

  it('widens every bf16 exactly', () => {
    const to = new Float32Array(0x10000);
    expect(convertChunk(bytesOf(ALL_F16), 'BF16', to).nonFinite).toBe(0x7f80);
    expect(new Uint32Array(to.buffer).every((bits, i) => bits === (i << 16) >>> 0)).toBe(true);
  });

  it('rounds f32 and bf16 to f16', () => {
    const values = [1, -0.1, 3.14159274, 1e-7, 65519, -65504];
    expect(toF16(f32(...values), 'F32')).toEqual({
      nonFinite: -1,
      overflow: -1,
      values: values.map((value) => f16ToF32(nearestF16(Math.fround(value)))),
    });
    expect(toF16(bf16(1, -2.5, 2 ** -20, 65280), 'BF16').values).toEqual([1, -2.5, 2 ** -20, 65280]);
  });

  it('distinguishes values that f16 cannot hold from values that are not finite in the file', () => {
    expect(toF16(f32(1, 65520, Infinity, 1e30, NaN), 'F32')).toEqual({
      nonFinite: 2,
      overflow: 1,
      values: [1, Infinity, Infinity, Infinity, NaN],
    });
    expect(toF16(f32(1, -NaN, -7e4), 'F32')).toMatchObject({ nonFinite: 1, overflow: 2 });
    expect(toF16(bf16(1, 1, -65536, -Infinity), 'BF16')).toMatchObject({ nonFinite: 3, overflow: 2 });
    expect(toF32(f32(1e30, Infinity), 'F32')).toMatchObject({ nonFinite: 1, overflow: -1 });
    expect(toF32(bf16(1, 2), 'BF16')).toMatchObject({ nonFinite: -1, overflow: -1 });
  });

  it('writes only at its place, and reads bytes at any alignment', () => {
    for (const from of ['F32', 'F16', 'BF16'] as const) {
      const source =
        from === 'F32'
          ? f32(1, 2, 3)
          : from === 'BF16'
            ? bf16(1, 2, 3)
            : bytesOf(Uint16Array.of(0x3c00, 0x4000, 0x4200));
      for (let shift = 0; shift < 4; shift++) {
        const shifted = new Uint8Array(source.length + shift + 3).fill(0xff);
        shifted.set(source, shift);
        const bytes = shifted.subarray(shift, shift + source.length);
        const wide = new Float32Array(8).fill(9).subarray(1, 7);
        expect(convertChunk(bytes, from, wide, 2)).toEqual({ nonFinite: -1, overflow: -1 });
        expect([...wide]).toEqual([9, 9, 1, 2, 3, 9]);
        const narrow = new Uint16Array(8).fill(9).subarray(1, 7);
        convertChunk(bytes, from, narrow, 2);
        expect([...narrow]).toEqual([9, 9, 0x3c00, 0x4000, 0x4200, 9]);
      }
    }
  });

  it('finds values that are not finite anywhere, inside and outside of groups of four pairs', () => {
    for (const [from, zero, infinite] of [
      ['F16', 0x7bff, 0xfc00],
      ['BF16', 0x7f7f, 0xff80],
    ] as const) {
      for (let start = 0; start < 2; start++) {
        for (let end = start + 1; end < 20; end++) {
          const all = new Uint16Array(20).fill(zero);
          const bytes = bytesOf(all).subarray(2 * start, 2 * end);
          expect(convertChunk(bytes, from, new Float32Array(20)).nonFinite).toBe(-1);
          for (let at = start; at < end; at++) {
            all.fill(zero)[at] = infinite;
            expect(convertChunk(bytes, from, new Float32Array(20)).nonFinite).toBe(at - start);
          }
        }
      }
    }
    const elements = { file: 'f', tensor: 't', index: 10 };
    checkElements(elements, bytesOf(new Uint16Array(6).fill(0x7bff)), 'F16');
    expect(() => checkElements(elements, bytesOf(Uint16Array.of(1, 2, 0x7e00)), 'F16')).toThrow('at element 12');
    expect(() => checkElements(elements, f32(1, -Infinity), 'F32')).toThrow('at element 11');
  });

  it('refuses partial elements and targets that are too short', () => {
    expect(() => convertChunk(new Uint8Array(6), 'F32', new Float32Array(9))).toThrow(RangeError);
    expect(() => convertChunk(new Uint8Array(3), 'F16', new Uint16Array(9))).toThrow(RangeError);
    expect(() => convertChunk(new Uint8Array(8), 'F32', new Float32Array(2), 1)).toThrow(RangeError);
  });

  it('knows the dtypes by their names in the file', () => {
    expect(['F32', 'F16', 'BF16', 'F64', 'I64', 'toString', 'f32'].filter(isFloatDtype)).toEqual([
      'F32',
      'F16',
      'BF16',
    ]);
  });
});
