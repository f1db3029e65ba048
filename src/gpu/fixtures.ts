/** For tests on a GPU: the adapter that the test project names. */
import { create } from 'webgpu';
import { type Gpu, openGpu } from './device';

/** Opens the GPU with the driver of the test project. */
export const openTestGpu = (): Promise<Gpu> => openGpu(create([]));

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
