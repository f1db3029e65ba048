/** For tests on a GPU: the driver, Dawn's toggles and the profile that the test project names. */
import { create } from 'webgpu';
import { type Gpu, openGpu } from './device';
import type { AskedProfile } from './profile';

const { GPU_PROFILE, GPU_UNROLL } = process.env;

/**
 * The profile of the test project. lavapipe's compiler takes 30 s for a kernel whose inner loops are written out 16 times, so its projects limit
 * that; on a card all of it runs.
 */
export const TEST_PROFILE: AskedProfile = {
  ...(GPU_PROFILE && { name: GPU_PROFILE as AskedProfile['name'] }),
  ...(GPU_UNROLL && { unroll: Number(GPU_UNROLL) }),
};

/** WebGPU by Dawn, with the toggles of the environment variable DAWN_TOGGLES (`a,b`). */
export const testGpu = (): GPU =>
  create((process.env.DAWN_TOGGLES ?? '').split(',').flatMap((name) => (name ? [`enable-dawn-features=${name}`] : [])));

/** Opens the test project's GPU. */
export const openTestGpu = (): Promise<Gpu> => openGpu(testGpu(), TEST_PROFILE);

/** A GPU that reports a small maxStorageBufferBindingSize, so that tables are split into pieces; all else is the real device's. */
export function withSmallBindings(bytes: number): GPU {
  const wrap = <T extends object>(target: T, replaced: Record<string, unknown>): T =>
    new Proxy(target, {
      get(_, name) {
        if (name in replaced) return replaced[String(name)];
        const value: unknown = Reflect.get(target, name);
        return typeof value === 'function' ? value.bind(target) : value;
      },
    });
  const gpu = testGpu();
  return wrap(gpu, {
    async requestAdapter(options?: GPURequestAdapterOptions) {
      const adapter = (await gpu.requestAdapter(options))!;
      return wrap(adapter, {
        async requestDevice(descriptor?: GPUDeviceDescriptor) {
          const device = await adapter.requestDevice(descriptor);
          return wrap(device, { limits: wrap(device.limits, { maxStorageBufferBindingSize: bytes }) });
        },
      });
    },
  });
}
