import type { Arithmetic, Dtype } from '../api/types';
import type { KernelSpec } from '../gpu/kernel';

const BITS = { f32: 32, f16: 16, q8: 8, q4: 4 } as const satisfies Record<Dtype, number>;

/** Shader constants that say how to load four weights stored as `dtype`. */
export const weightConstants = (dtype: Dtype): KernelSpec['constants'] => ({
  ...(dtype === 'f16' ? { w_t: 'vec2<u32>', W_LANES: 2 } : { w_t: 'vec4<u32>', W_LANES: 4 }),
  W_BITS: BITS[dtype],
});

/** Bytes of `count` weights, not counting the scales of quantised ones. */
export const weightBytes = (count: number, dtype: Dtype): number => (count * BITS[dtype]) / 8;

export const bytesOf = (type: Arithmetic | 'int8'): number => ({ f32: 4, f16: 2, int8: 1 })[type];

/** The largest finite f16. f16 output is clamped to it so that no infinity reaches the next kernel. */
export const F16_MAX = 65504;

export const roundUp = (value: number, multiple: number): number => Math.ceil(value / multiple) * multiple;
