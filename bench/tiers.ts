import type { Arithmetic, Compute, Dtype } from '../src/api/types';

/** How weights are stored and what multiplies them: options of loadModel. */
export const TIERS = [
  { name: 'f32', dtype: 'f32', arithmetic: 'f32' },
  { name: 'f16-storage', dtype: 'f16', arithmetic: 'f32' },
  { name: 'shader-f16', dtype: 'f16', arithmetic: 'f16' },
  { name: 'q8', dtype: 'q8', arithmetic: 'f32' },
  { name: 'q4', dtype: 'q4', arithmetic: 'f32' },
  { name: 'int8', dtype: 'q8', arithmetic: 'f32', compute: 'int8' },
] as const satisfies { name: string; dtype: Dtype; arithmetic: Arithmetic; compute?: Compute }[];

/** Run where nothing else is asked for. */
export const USUAL_TIERS: TierName[] = ['f32', 'f16-storage', 'shader-f16'];

export type Tier = (typeof TIERS)[number];
export type TierName = Tier['name'];
