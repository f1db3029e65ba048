import { DeviceLostError, WebGPUUnavailableError } from '../api/errors';

/** left [m, k] · right [k, n] of `component`, summed up in f32 by a subgroup. */
export interface SubgroupMatrix {
  component: 'f16' | 'f32';
  m: number;
  n: number;
  k: number;
  /** Four subgroups' threads. */
  threads: number;
}

/** An open device and what the kernels need to know of it. */
export interface Gpu {
  device: GPUDevice;
  /** Held for as long as the device: Dawn in Node goes down with its GPU object. */
  instance: GPU;
  info: { vendor: string; architecture: string; device: string; description: string };
  limits: GPUSupportedLimits;
  hasF16: boolean;
  /** Threads of a subgroup, where the device has such and all have as many. */
  subgroupSize?: number;
  hasTimestamps: boolean;
  /** Matrices that the device multiplies, where it offers such of a kind that the kernels can use. */
  subgroupMatrix?: SubgroupMatrix;
  /** The "GPU" is the processor (SwiftShader, llvmpipe, WARP): long shaders compile slowly there and gain nothing. */
  isSoftware: boolean;
  /** A small buffer to bind where a kernel variant reads nothing. */
  none: GPUBuffer;
  /** Set once the device is lost; `checkDevice` throws it. */
  lost?: DeviceLostError;
}

/** Chromium's, behind a flag. */
const SUBGROUP_MATRIX = 'chromium-experimental-subgroup-matrix' as GPUFeatureName;
const WANTED_FEATURES: GPUFeatureName[] = ['shader-f16', 'subgroups', 'timestamp-query', SUBGROUP_MATRIX];
const WANTED_LIMITS = [
  'maxBufferSize',
  'maxStorageBufferBindingSize',
  'maxComputeWorkgroupStorageSize',
  'maxComputeInvocationsPerWorkgroup',
  'maxComputeWorkgroupSizeX',
] as const;

/**
 * Opens the best adapter of `gpu` with every feature and limit that the kernels can use.
 * Throws WebGPUUnavailableError if there is no WebGPU or no adapter.
 */
export async function openGpu(gpu: GPU | undefined): Promise<Gpu> {
  if (!gpu) {
    throw new WebGPUUnavailableError(
      'This environment has no WebGPU (navigator.gpu is missing). Use Chrome or Edge 113+, Safari 26+ or Firefox 141+ on a page ' +
        "served over https or from localhost; in Node import 'modernbert-webgpu/node' and install the npm package 'webgpu'.",
    );
  }
  const adapter = await gpu.requestAdapter({ powerPreference: 'high-performance' });
  if (!adapter) {
    throw new WebGPUUnavailableError(
      'WebGPU found no graphics adapter. The driver may be missing, too old or on the blocklist (see chrome://gpu).',
    );
  }
  const requiredFeatures = WANTED_FEATURES.filter((name) => adapter.features.has(name));
  const requiredLimits = Object.fromEntries(WANTED_LIMITS.map((name) => [name, adapter.limits[name]]));
  const device = await adapter.requestDevice({ requiredFeatures, requiredLimits });
  const { vendor, architecture, device: model, description, subgroupMinSize, subgroupMaxSize } = adapter.info;
  const opened: Gpu = {
    device,
    instance: gpu,
    info: { vendor, architecture, device: model, description },
    limits: device.limits,
    hasF16: device.features.has('shader-f16'),
    subgroupSize: device.features.has('subgroups') && subgroupMinSize === subgroupMaxSize ? subgroupMinSize : undefined,
    hasTimestamps: device.features.has('timestamp-query'),
    subgroupMatrix: device.features.has(SUBGROUP_MATRIX) ? subgroupMatrixOf(adapter.info as MatrixInfo) : undefined,
    isSoftware: /swiftshader|llvmpipe|basic render/i.test(`${architecture} ${model} ${description}`),
    none: device.createBuffer({ label: 'none', size: 256, usage: STORAGE }),
  };
  void device.lost.then((info) => {
    opened.lost = new DeviceLostError(
      info.reason === 'destroyed'
        ? 'The model was disposed: its GPU device is gone. Load the model again.'
        : `The GPU device was lost (${info.message || 'no reason given'}). Load the model again.`,
    );
  });
  return opened;
}

const STORAGE = 0x80;

/** The experimental part of Chromium's GPUAdapterInfo. */
interface MatrixInfo {
  subgroupMinSize: number;
  subgroupMaxSize: number;
  subgroupMatrixConfigs?: { componentType: string; resultComponentType: string; M: number; N: number; K: number }[];
}

/**
 * The matrices to use: f16 ones with sums in f32, else f32 ones; f16 sums overflow. gemm_matrix.wgsl deals with subgroups of any size and is
 * fastest with four of them: of 32 threads (NVIDIA, Apple), of the largest size where none is smaller (AMD).
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
 * Runs `work` and turns a device error in it (out of memory, a lost device) into a thrown error. `submitted` tells it what errors there
 * were until then, before the GPU has done the work, and after that other work may begin: a device has one stack of error scopes.
 */
export async function guarded<T>(gpu: Gpu, work: (submitted: () => Promise<void>) => Promise<T>): Promise<T> {
  if (gpu.lost) throw gpu.lost;
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
  if (thrown) await gpu.device.queue.onSubmittedWorkDone().catch(() => {}); // by then the loss of a device has been heard of
  if (gpu.lost) throw gpu.lost;
  if (thrown) throw thrown;
  return result as T;
}

async function popErrors(gpu: Gpu): Promise<void> {
  const [validation, memory] = await Promise.all([gpu.device.popErrorScope(), gpu.device.popErrorScope()]);
  if (gpu.lost) throw gpu.lost;
  if (memory) throw new RangeError(`The GPU is out of memory: ${memory.message}`);
  if (validation) throw new Error(`WebGPU refused the work: ${validation.message}`);
}
