/** For tests on a GPU: the driver, Dawn's toggles and the profile that the test project names. */
import { create } from 'webgpu';
import { type Gpu, openGpu } from './device';
import type { AskedProfile } from './profile';

const { GPU_DESIGNS, GPU_PROFILE, GPU_UNROLL } = process.env;

/**
 * The profile of the test project. lavapipe's compiler takes 30 s for a kernel whose inner loops are written out 16 times, so its projects limit
 * that; on a card all of it runs.
 */
export const TEST_PROFILE: AskedProfile = {
  ...(GPU_PROFILE && { name: GPU_PROFILE as AskedProfile['name'] }),
  ...(GPU_UNROLL && { unroll: Number(GPU_UNROLL) }),
};

const toggles = (process.env.DAWN_TOGGLES ?? '').split(',').filter(Boolean);
const dawn = create(toggles.map((name) => `enable-dawn-features=${name}`));

/** WebGPU by Dawn, with the toggles of the environment variable DAWN_TOGGLES (`a,b`). */
export const testGpu = (): GPU => dawn;

/** Opens the test project's GPU. */
export const openTestGpu = (): Promise<Gpu> => openGpu(testGpu(), TEST_PROFILE);

/** Whether to test only the designs that software adapters choose: their own compilers take seconds or minutes for those of cards. */
export const SOFTWARE_DESIGNS_ONLY = GPU_DESIGNS === 'software';

/** `target` with some properties replaced. */
function wrap<T extends object>(target: T, replaced: Record<string, unknown>): T {
  return new Proxy(target, {
    get(_, name) {
      if (name in replaced) return replaced[String(name)];
      const value: unknown = Reflect.get(target, name);
      return typeof value === 'function' ? value.bind(target) : value;
    },
  });
}

/** The test project's GPU, or another, with its device changed. */
function withDevice(change: (device: GPUDevice) => GPUDevice, gpu = dawn): GPU {
  return wrap(gpu, {
    async requestAdapter(options?: GPURequestAdapterOptions) {
      const adapter = (await gpu.requestAdapter(options))!;
      const requestDevice = async (descriptor?: GPUDeviceDescriptor) => change(await adapter.requestDevice(descriptor));
      return wrap(adapter, { requestDevice });
    },
  });
}

/**
 * Dawn's null backend, which allocates and validates as others do, and computes nothing: bytes and dispatches are the same. It leaves in its buffers
 * what was in their memory, so what is read back is made zeros.
 */
export const nullGpu = (): GPU =>
  withDevice(
    (device) => {
      const make = device.createBuffer.bind(device);
      device.createBuffer = (descriptor) => {
        const buffer = make(descriptor);
        buffer.getMappedRange = (_, bytes = descriptor.size) => new ArrayBuffer(bytes);
        return buffer;
      };
      return device;
    },
    create(['backend=null']),
  );

/** A GPU that reports a small maxStorageBufferBindingSize, so that tables are split into pieces; all else is the real device's. */
export const withSmallBindings = (bytes: number, gpu = dawn): GPU =>
  withDevice((device) => wrap(device, { limits: wrap(device.limits, { maxStorageBufferBindingSize: bytes }) }), gpu);

/** A GPU whose driver compiles something else than the shader that it is given. */
export const withShaders = (change: (code: string) => string, gpu = dawn): GPU =>
  withDevice(
    (device) =>
      wrap(device, {
        createShaderModule: ({ code, ...rest }: GPUShaderModuleDescriptor) =>
          device.createShaderModule({ ...rest, code: change(code) }),
      }),
    gpu,
  );

/** What a device does that may find it lost, in the order of its calls. */
const STEPS = [
  'createBuffer',
  'createShaderModule',
  'createComputePipelineAsync',
  'createBindGroup',
  'createCommandEncoder',
  'popErrorScope',
];

/**
 * A GPU whose device is destroyed at its call `at` (counted over the calls that load or compute something, from 0), and so are the devices after it
 * at the calls in `later`. `calls()`: how many calls the present device had.
 */
export function withLosses(...losses: number[]): { gpu: GPU; calls(): number; lose(): void } {
  const left = [...losses];
  let calls = 0;
  let present: GPUDevice;
  const gpu = withDevice((device) => {
    present = device;
    calls = 0;
    const at = left.shift() ?? Infinity;
    const counted =
      (run: (...args: never[]) => unknown) =>
      (...args: never[]) => {
        if (calls++ === at) device.destroy();
        return run(...args);
      };
    const queue = wrap(device.queue, {
      writeBuffer: counted(device.queue.writeBuffer.bind(device.queue) as never),
      submit: counted(device.queue.submit.bind(device.queue) as never),
    });
    const own = Object.fromEntries(
      STEPS.map((name) => [name, counted((device[name as never] as () => void).bind(device))]),
    );
    return wrap(device, { ...own, queue });
  });
  return { gpu, calls: () => calls, lose: () => present.destroy() };
}

/** A GPU that reports that it had no memory for its buffer number `at`. */
export const withoutMemoryAt = (at: number): GPU =>
  withDevice((device) => {
    let buffers = 0;
    return refusing(device, () => (buffers++ === at ? `no room for buffer ${at}` : undefined));
  });

/** A device that reports what `refused` says of a buffer that was just made as out of memory. */
function refusing(device: GPUDevice, refused: () => string | undefined): GPUDevice {
  const scopes: GPUErrorFilter[] = [];
  let message: string | undefined;
  return wrap(device, {
    createBuffer(descriptor: GPUBufferDescriptor) {
      const buffer = device.createBuffer(descriptor);
      message ??= refused();
      return buffer;
    },
    pushErrorScope(filter: GPUErrorFilter) {
      scopes.push(filter);
      device.pushErrorScope(filter);
    },
    async popErrorScope() {
      const reported = scopes.pop() === 'out-of-memory' ? message : undefined;
      if (reported) message = undefined;
      const error = await device.popErrorScope();
      return reported ? { message: reported } : error;
    },
  });
}

/**
 * A GPU with `most` bytes for the buffers of all its devices together, which reports what goes beyond that as out of memory. `bytes()`: how many are
 * in use; `pipelines()`: how many were compiled.
 */
export function withBytes(most = Infinity): { gpu: GPU; bytes(): number; pipelines(): number } {
  const devices = new Set<Map<GPUBuffer, number>>();
  let pipelines = 0;
  const bytes = () => [...devices].flatMap((own) => [...own.values()]).reduce((sum, size) => sum + size, 0);
  const gpu = withDevice((device) => {
    const buffers = new Map<GPUBuffer, number>();
    devices.add(buffers);
    const counted = wrap(device, {
      createBuffer(descriptor: GPUBufferDescriptor) {
        const buffer = device.createBuffer(descriptor);
        buffers.set(buffer, descriptor.size);
        const destroy = buffer.destroy.bind(buffer);
        buffer.destroy = () => {
          buffers.delete(buffer);
          return destroy();
        };
        return buffer;
      },
      createComputePipelineAsync(descriptor: GPUComputePipelineDescriptor) {
        pipelines++;
        return device.createComputePipelineAsync(descriptor);
      },
      destroy() {
        devices.delete(buffers);
        return device.destroy();
      },
    });
    return refusing(counted, () => (bytes() > most ? `${bytes()} bytes of ${most} are in use` : undefined));
  });
  return { gpu, bytes, pipelines: () => pipelines };
}
