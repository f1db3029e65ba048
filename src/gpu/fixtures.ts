/** For tests on a GPU: the adapter that the test project names. */
import { create } from 'webgpu';
import { type Gpu, openGpu } from './device';

/** The GPU of the project's driver. */
export const openTestGpu = (): Promise<Gpu> => openGpu(create([]));

/**
 * A GPU whose bindings are small, so that tables come in pieces. What it hands out is the real device's.
 */
export function withSmallBindings(bytes: number): GPU {
  const wrap = <T extends object>(target: T, replaced: Record<string, unknown>): T =>
    new Proxy(target, {
      get(_, name) {
        if (name in replaced) return replaced[String(name)];
        const value: unknown = Reflect.get(target, name);
        return typeof value === 'function' ? value.bind(target) : value;
      },
    });
  const gpu = create([]);
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
