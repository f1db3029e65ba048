import { afterEach, expect, it, vi } from 'vitest';
import type { Gpu } from '../gpu/device';
import { profileOf } from '../gpu/profile';
import type { GemmSpec } from './gemm-spec';
import { planKey } from './tune';

const spec: GemmSpec = {
  label: 'Wi',
  n: 128,
  k: 64,
  bias: false,
  epilogue: { kind: 'store' },
  dtype: 'f16',
  a: 'f32',
  out: 'f32',
};
const gpuOf = (device: string) => {
  const info = { vendor: '', architecture: '', device, description: '' };
  return { info, profile: profileOf(info, undefined), limits: { maxComputeWorkgroupStorageSize: 32768 } } as Gpu;
};

afterEach(() => vi.unstubAllGlobals());

it('a plan of an adapter without names is known by the version of the browser that hides them', () => {
  const keys = ['Firefox/152.0', 'Firefox/153.0', 'Firefox/153.0'].map((userAgent) => {
    vi.stubGlobal('navigator', { userAgent });
    return planKey(gpuOf(''), spec);
  });
  expect(keys[1]).toContain('Firefox/153.0');
  expect(keys[1]).toBe(keys[2]);
  expect(keys[0]).not.toBe(keys[1]);
  expect(planKey(gpuOf('a card'), spec)).not.toContain('Firefox');
});
