import type { Arithmetic, Dtype } from '../src/api';

/** How weights are stored and what multiplies them. */
export const TIERS = [
  { name: 'f32', dtype: 'f32', arithmetic: 'f32' },
  { name: 'f16-storage', dtype: 'f16', arithmetic: 'f32' },
  { name: 'shader-f16', dtype: 'f16', arithmetic: 'f16' },
] as const satisfies { name: string; dtype: Dtype; arithmetic: Arithmetic }[];

export type Tier = (typeof TIERS)[number];
export type TierName = Tier['name'];
