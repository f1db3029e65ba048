import { DeviceFaultError, DeviceLostError, WebGPUUnavailableError } from '../api/errors';
import { advice, noWebgpu } from './browser';
import { STORAGE } from './buffers';
import { type AdapterInfo, type AskedProfile, deviceDescriptor, type Profile, profileOf } from './profile';

/** A matrix product that one subgroup computes: left [m, k] · right [k, n] of type `component`, summed in f32. */
export interface SubgroupMatrix {
  component: 'f16' | 'f32';
  m: number;
  n: number;
  k: number;
  /** Threads of four subgroups. */
  threads: number;
}

/** An open device and what the kernels need to know about it. */
export interface Gpu {
  device: GPUDevice;
  info: AdapterInfo;
  /** What is chosen for this device. */
  profile: Profile;
  limits: GPUSupportedLimits;
  hasF16: boolean;
  /** Threads per subgroup, if the device supports subgroups and they all have the same size. */
  subgroupSize?: number;
  hasTimestamps: boolean;
  /** The matrix product that the kernels use, if the device has a suitable one. */
  subgroupMatrix?: SubgroupMatrix;
  /** A small buffer for bindings that a kernel variant does not read. */
  none: GPUBuffer;
  /** Set once the device is lost; `guarded` throws it. */
  lost?: DeviceLostError;
  /** Called when the device is lost. */
  onLost: Set<(error: DeviceLostError) => void>;
}

/** Chromium only, behind a flag. */
const SUBGROUP_MATRIX = 'chromium-experimental-subgroup-matrix' as GPUFeatureName;

/**
 * The GPU objects ever used. In Node, Dawn (webgpu 0.6.2) looks for finished work in a timer that does not hold its GPU object: if one is collected
 * whose device was just destroyed, the process crashes.
 */
const kept = new Set<GPU>();

/** The high-performance adapter. Throws WebGPUUnavailableError if there is no WebGPU or no adapter. */
export async function findAdapter(gpu: GPU | undefined): Promise<GPUAdapter> {
  if (!gpu) throw new WebGPUUnavailableError(noWebgpu());
  kept.add(gpu);
  const adapter = await gpu.requestAdapter({ powerPreference: 'high-performance' });
  if (adapter) return adapter;
  throw new WebGPUUnavailableError(
    `WebGPU found no graphics adapter. The driver may be missing, outdated or blocklisted.${advice()}`,
  );
}

/**
 * Opens a device with every feature and limit that the kernels can use, or those of the profile asked for. Throws WebGPUUnavailableError if the
 * adapter gives none, a RangeError for an unknown profile.
 */
export async function openDevice(adapter: GPUAdapter, profile: AskedProfile = {}): Promise<Gpu> {
  const { vendor, architecture, device: model, description, subgroupMinSize, subgroupMaxSize } = adapter.info;
  const info = { vendor, architecture, device: model, description };
  const device = await adapter.requestDevice(deviceDescriptor(adapter, profile)).catch((cause: unknown) => {
    throw new WebGPUUnavailableError(`The graphics adapter gives no device (${cause}).${advice()}`, { cause });
  });
  const subgroupSize =
    device.features.has('subgroups') && subgroupMinSize === subgroupMaxSize ? subgroupMinSize : undefined;
  const opened: Gpu = {
    device,
    info,
    profile: profileOf(adapter.info, subgroupSize, profile),
    limits: device.limits,
    hasF16: device.features.has('shader-f16'),
    subgroupSize,
    hasTimestamps: device.features.has('timestamp-query'),
    subgroupMatrix: device.features.has(SUBGROUP_MATRIX) ? subgroupMatrixOf(adapter.info as MatrixInfo) : undefined,
    none: device.createBuffer({ label: 'none', size: 256, usage: STORAGE }),
    onLost: new Set(),
  };
  void device.lost.then(({ message }) => {
    opened.lost ??= new DeviceLostError(`The GPU device was lost (${message || 'no reason given'}).`);
    for (const tell of opened.onLost) tell(opened.lost);
  });
  return opened;
}

/** A device of the adapter that WebGPU finds. Throws what `findAdapter` and `openDevice` throw. */
export const openGpu = async (gpu: GPU | undefined, profile?: AskedProfile): Promise<Gpu> =>
  openDevice(await findAdapter(gpu), profile);

/** The experimental part of Chromium's GPUAdapterInfo. */
interface MatrixInfo {
  subgroupMinSize: number;
  subgroupMaxSize: number;
  subgroupMatrixConfigs?: { componentType: string; resultComponentType: string; M: number; N: number; K: number }[];
}

/**
 * Returns the matrix product to use: f16 operands with f32 sums if there is one, else all f32; f16 sums would overflow. gemm_matrix.wgsl works
 * with subgroups of any size and is fastest with four of them: of 32 threads (NVIDIA, Apple) or, if all have at least 32, of the largest size (AMD).
 */
export function subgroupMatrixOf(info: MatrixInfo): SubgroupMatrix | undefined {
  const { subgroupMinSize, subgroupMaxSize, subgroupMatrixConfigs = [] } = info;
  const threads = 4 * (subgroupMinSize < 32 ? 32 : subgroupMaxSize);
  for (const component of ['f16', 'f32'] as const) {
    const found = subgroupMatrixConfigs.find(
      ({ componentType, resultComponentType, M, N, K }) =>
        componentType === component &&
        resultComponentType === 'f32' &&
        [M, N, K].every((size) => size === 8 || size === 16),
    );
    if (found) return { component, m: found.M, n: found.N, k: found.K, threads };
  }
  return undefined;
}

/**
 * Runs `work` and throws the device errors that it causes: a RangeError if the GPU is out of memory, a DeviceLostError, or a DeviceFaultError if
 * WebGPU rejected a command. `work` may call `submitted` once it has submitted its commands, to get those errors before the GPU has finished; other
 * work may begin only after that, because a device has a single stack of error scopes.
 */
export async function guarded<T>(gpu: Gpu, work: (submitted: () => Promise<void>) => Promise<T>): Promise<T> {
  if (gpu.lost) throw gpu.lost;
  // Whatever waits for a lost device may wait for ever.
  let onLost: (error: DeviceLostError) => void;
  const lost = new Promise<never>((_, reject) => {
    onLost = reject;
    gpu.onLost.add(onLost);
  });
  try {
    return await Promise.race([inScopes(gpu, work), lost]);
  } finally {
    gpu.onLost.delete(onLost!);
  }
}

async function inScopes<T>(gpu: Gpu, work: (submitted: () => Promise<void>) => Promise<T>): Promise<T> {
  gpu.device.pushErrorScope('out-of-memory');
  gpu.device.pushErrorScope('validation');
  let checked: Promise<void> | undefined;
  const submitted = () => {
    checked ??= popErrors(gpu);
    return checked;
  };
  let result: T | undefined;
  let thrown: unknown;
  try {
    result = await work(submitted);
  } catch (error) {
    thrown = error;
  }
  await submitted();
  if (thrown) await gpu.device.queue.onSubmittedWorkDone().catch(() => {}); // gives a lost device time to be reported
  if (gpu.lost) throw gpu.lost;
  if (thrown) throw thrown;
  return result as T;
}

/** A device that fails to report errors is most likely lost; its loss is reported within so many milliseconds. */
const REPORT_TIME = 1000;

async function popErrors(gpu: Gpu): Promise<void> {
  const scopes = [gpu.device.popErrorScope(), gpu.device.popErrorScope()];
  const [validation, memory] = await Promise.all(scopes).catch(async (cause: unknown) => {
    const timeout = new Promise((resolve) => setTimeout(resolve, REPORT_TIME));
    await Promise.race([gpu.device.lost, timeout]);
    // Without error reports its results cannot be trusted, so it counts as lost even if no loss is reported.
    gpu.lost ??= new DeviceLostError(`The GPU device does not report errors any more (${cause}).`, { cause });
    throw gpu.lost;
  });
  if (gpu.lost) throw gpu.lost;
  if (memory) throw new RangeError(`The GPU is out of memory: ${memory.message}`);
  if (validation) throw new DeviceFaultError(`WebGPU rejected a command: ${validation.message}`);
}
