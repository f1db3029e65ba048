import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { describe, expect, it } from 'vitest';
import { DeviceLostError } from '../api/errors';
import { type Gpu, guarded, openGpu, subgroupMatrixOf } from './device';

const config = (componentType: string, resultComponentType: string, M: number, N: number, K: number) => ({
  componentType,
  resultComponentType,
  M,
  N,
  K,
});

describe('subgroupMatrixOf', () => {
  it('prefers f16 matrices with f32 sums, and uses four subgroups', () => {
    const subgroupMatrixConfigs = [
      config('f16', 'f16', 16, 16, 16),
      config('f32', 'f32', 8, 8, 8),
      config('f16', 'f32', 16, 8, 16),
    ];
    const expected = { component: 'f16', m: 16, n: 8, k: 16, threads: 128 };
    expect(subgroupMatrixOf({ subgroupMinSize: 32, subgroupMaxSize: 32, subgroupMatrixConfigs })).toEqual(expected);
    const amd = { subgroupMinSize: 32, subgroupMaxSize: 64, subgroupMatrixConfigs };
    expect(subgroupMatrixOf(amd)).toEqual({ ...expected, threads: 256 });
  });

  it('falls back to f32 matrices', () => {
    const subgroupMatrixConfigs = [config('f16', 'f16', 8, 8, 8), config('f32', 'f32', 8, 8, 8)];
    const apple = { subgroupMinSize: 4, subgroupMaxSize: 64, subgroupMatrixConfigs };
    expect(subgroupMatrixOf(apple)).toEqual({ component: 'f32', m: 8, n: 8, k: 8, threads: 128 });
  });

  it('returns undefined for sizes that do not divide the tiles, or if the adapter lists no matrices', () => {
    const sizes = { subgroupMinSize: 32, subgroupMaxSize: 32 };
    expect(subgroupMatrixOf({ ...sizes, subgroupMatrixConfigs: [config('f16', 'f32', 16, 16, 64)] })).toBeUndefined();
    expect(subgroupMatrixOf(sizes)).toBeUndefined();
  });
});

it('GPU objects are never collected: Dawn in Node crashes if one is', async () => {
  setFlagsFromString('--expose-gc');
  const collectGarbage = runInNewContext('gc') as () => void;
  const unused = new WeakRef({ requestAdapter: () => Promise.resolve(null) });
  const used = await (async () => {
    const gpu = { requestAdapter: () => Promise.resolve(null) };
    await expect(openGpu(gpu as unknown as GPU)).rejects.toThrow('no graphics adapter');
    return new WeakRef(gpu);
  })();
  await new Promise((resolve) => setTimeout(resolve, 0));
  collectGarbage();
  expect(unused.deref()).toBeUndefined();
  expect(used.deref()).toBeDefined();
});

it('a device that reports no errors any more counts as lost, so that the model is loaded again', async () => {
  const device = {
    lost: new Promise(() => {}),
    pushErrorScope() {},
    popErrorScope: () => Promise.reject(new Error('the instance is gone')),
  };
  const gpu = { device, onLost: new Set() } as unknown as Gpu;
  const work = () => guarded(gpu, async () => 1);
  const error = await work().catch((thrown: unknown) => thrown);
  expect(error).toBeInstanceOf(DeviceLostError);
  expect(gpu.lost).toBe(error);
  await expect(work()).rejects.toBe(error);
});
