// The device's limits, measured with kernels that do nothing but FMAs or nothing but copies.
import { COPY_DST, STORAGE } from '../src/gpu/buffers';
import type { Gpu } from '../src/gpu/device';
import { bind, createKernel } from '../src/gpu/kernel';
import { isSoftware } from '../src/gpu/profile';
import copySource from './copy.wgsl?raw';
import fmaSource from './fma.wgsl?raw';

const CHAINS = [2, 4, 8]; // which is best depends on the device's registers and FMA latency
const FMA_WORKGROUPS = 16384;
const THREADS = 64;
const STEPS = 8;
const MEASURED_MS = 60;
const FMA_RUNS = 4;

const PER_THREAD = 8;
const GROUP_BYTES = 256 * PER_THREAD * 16;
/** Beyond any cache of a graphics card; those of a CPU are smaller. */
const COPY_BYTES = { card: 512 << 20, software: 64 << 20 };
const MOST_WORKGROUPS = 65535;
const COPY_RUNS = 6;

/** Milliseconds from recording `count` dispatches of a kernel to their completion on the GPU. */
async function timeDispatches(
  { device }: Gpu,
  { pipeline }: { pipeline: GPUComputePipeline },
  bindGroup: GPUBindGroup,
  workgroups: number,
  count = 1,
): Promise<number> {
  const start = performance.now();
  const encoder = device.createCommandEncoder();
  const pass = encoder.beginComputePass();
  pass.setPipeline(pipeline);
  pass.setBindGroup(0, bindGroup);
  for (let n = 0; n < count; n++) pass.dispatchWorkgroups(workgroups);
  pass.end();
  device.queue.submit([encoder.finish()]);
  await device.queue.onSubmittedWorkDone();
  return performance.now() - start;
}

/** The highest f32 rate in GFLOP/s (an FMA counts as two) without memory access: the best of several runs. */
export async function fmaPeak(gpu: Gpu): Promise<number> {
  const { device } = gpu;
  const factors = device.createBuffer({ size: 48, usage: STORAGE | COPY_DST });
  const out = device.createBuffer({ size: 16, usage: STORAGE });
  let best = 0;
  for (const chains of CHAINS) {
    const kernel = await createKernel(gpu, {
      label: `fma ${chains}`,
      source: fmaSource,
      constants: { CHAINS: chains },
    });
    const bindGroup = bind(gpu, kernel, { factors, out });
    const run = async (iterations: number, workgroups: number) => {
      // The fixed point of x / 2 + 1 / 2 is 1: values stay normal numbers.
      const halves = Array.from({ length: 8 }, () => 0.5);
      device.queue.writeBuffer(factors, 0, Float32Array.from([...halves, iterations, 0, 0, 0]));
      await device.queue.onSubmittedWorkDone();
      const ms = await timeDispatches(gpu, kernel, bindGroup, workgroups);
      return { ms, gflops: (2 * 4 * chains * STEPS * iterations * workgroups * THREADS) / ms / 1e6 };
    };
    // Start small: a software driver is a thousand times slower than a card, and drivers may kill work that takes seconds.
    let workgroups = 64;
    let iterations = 16;
    for (let { ms } = await run(iterations, workgroups); ms < MEASURED_MS; { ms } = await run(iterations, workgroups)) {
      if (workgroups < FMA_WORKGROUPS) workgroups *= 2;
      else iterations *= 2;
    }
    for (let i = 0; i < FMA_RUNS; i++) best = Math.max(best, (await run(iterations, workgroups)).gflops);
  }
  factors.destroy();
  out.destroy();
  return best;
}

/** The highest rate of a buffer-to-buffer copy in GB/s, reads plus writes: the best of several runs. */
export async function copyPeak(gpu: Gpu): Promise<number> {
  const { device, limits, info } = gpu;
  const most = Math.min(
    limits.maxStorageBufferBindingSize,
    limits.maxBufferSize,
    isSoftware(info) ? COPY_BYTES.software : COPY_BYTES.card,
  );
  const workgroups = Math.min(MOST_WORKGROUPS, Math.floor(most / GROUP_BYTES));
  const size = workgroups * GROUP_BYTES;
  const [from, to] = [0, 1].map(() => device.createBuffer({ size, usage: STORAGE | COPY_DST }));
  const kernel = await createKernel(gpu, { label: 'copy', source: copySource, constants: { PER_THREAD } });
  const bindGroup = bind(gpu, kernel, { source: from, out: to });
  // A fast card copies half a gigabyte in a fifth of a millisecond; several copies per submit hide the cost of submitting.
  const copies = isSoftware(info) ? 1 : 32;
  let best = 0;
  for (let i = 0; i < COPY_RUNS; i++) {
    const ms = await timeDispatches(gpu, kernel, bindGroup, workgroups, copies);
    best = Math.max(best, (2 * size * copies) / ms / 1e6);
  }
  from.destroy();
  to.destroy();
  return best;
}
