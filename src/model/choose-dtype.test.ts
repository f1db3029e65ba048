import { describe, expect, it } from 'vitest';
import { chooseDtype, type DtypeFacts } from './choose-dtype';

const GIB = 2 ** 30;
const desktop = { isF32: true, maxBufferSize: 4 * GIB, deviceMemory: 8 };
const choose = (parameters: number, facts: Partial<DtypeFacts> = {}) =>
  chooseDtype('auto', { ...desktop, parameters, ...facts });

describe("dtype 'auto'", () => {
  it("takes the file's own precision, f32 up to 512 MiB", () => {
    expect(choose(8e6)).toBe('f32');
    expect(choose(8e6, { isF32: false })).toBe('f16');
    expect(choose(134_217_728)).toBe('f32');
    expect(choose(134_217_729)).toBe('f16');
  });

  it('keeps weights to a quarter of the memory that the browser tells', () => {
    const large = 395e6; // ModernBERT-large
    expect(choose(large)).toBe('f16');
    expect(choose(large, { deviceMemory: 4 })).toBe('f16');
    expect(choose(large, { deviceMemory: 2 })).toBe('q8');
    expect(choose(large, { deviceMemory: 1 })).toBe('q4');
    expect(choose(149e6, { deviceMemory: 1 })).toBe('q8');
    expect(choose(149e6, { deviceMemory: 2 })).toBe('f16');
  });

  it("keeps them to the device's largest buffer where the browser tells nothing, but trusts it with 512 MiB", () => {
    const unknown = { deviceMemory: undefined };
    expect(choose(149e6, { ...unknown, maxBufferSize: 2 ** 28 })).toBe('f16');
    expect(choose(395e6, { ...unknown, maxBufferSize: 2 ** 28 })).toBe('q8');
    expect(choose(1e9, { ...unknown, maxBufferSize: GIB })).toBe('q8');
    expect(choose(1.1e9, { ...unknown, maxBufferSize: GIB })).toBe('q4');
    expect(choose(1e9, unknown)).toBe('f16');
  });

  it('takes a converted file as it is', () => {
    expect(choose(1e12, { stored: 'q8' })).toBe('q8');
    expect(choose(1, { stored: 'q4' })).toBe('q4');
  });
});

describe('a dtype by name', () => {
  const facts = { ...desktop, parameters: 8e6 };
  it('is taken whatever the device says', () => {
    for (const dtype of ['f32', 'f16', 'q8', 'q4'] as const) {
      expect(chooseDtype(dtype, { ...facts, deviceMemory: 0.25, parameters: 1e12 })).toBe(dtype);
    }
  });

  it('is refused where the file was converted to another, or where there is none of that name', () => {
    expect(chooseDtype('q8', { ...facts, stored: 'q8' })).toBe('q8');
    expect(() => chooseDtype('f16', { ...facts, stored: 'q8' })).toThrow(/converted to q8.*cannot be loaded as f16/);
    expect(() => chooseDtype('q5' as 'q4', facts)).toThrow(
      /must be one of auto, f32, f16, q8, q4, fp32, .*; it is 'q5'/,
    );
  });
});
