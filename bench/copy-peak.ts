import { COPY_DST, STORAGE } from '../src/gpu/buffers';
import type { Gpu } from '../src/gpu/device';
import { bind, createKernel } from '../src/gpu/kernel';
import source from './copy.wgsl?raw';

const PER_THREAD = 8;
const GROUP_BYTES = 256 * PER_THREAD * 16;
/** Beyond any cache of a graphics card; a processor's are smaller. */
const BYTES = { card: 512 << 20, software: 64 << 20 };
const MOST_WORKGROUPS = 65535;
const RUNS = 6;

/** The most bytes a second, in GB/s, read and written ones counted, that a plain copy from buffer to buffer moves: the best of several runs. */
export async function copyPeak(gpu: Gpu): Promise<number> {
  const { device, limits } = gpu;
  const most = Math.min(
    limits.maxStorageBufferBindingSize,
    limits.maxBufferSize,
    gpu.isSoftware ? BYTES.software : BYTES.card,
  );
  const workgroups = Math.min(MOST_WORKGROUPS, Math.floor(most / GROUP_BYTES));
  const size = workgroups * GROUP_BYTES;
  const [from, to] = [0, 1].map(() => device.createBuffer({ size, usage: STORAGE | COPY_DST }));
  const kernel = await createKernel(gpu, { label: 'copy', source, constants: { PER_THREAD } });
  const bindGroup = bind(gpu, kernel, { source: from, out: to });
  // A fast card copies half a gigabyte in a fifth of a millisecond: several in one submit hide what the submit costs.
  const copies = gpu.isSoftware ? 1 : 32;
  let best = 0;
  for (let i = 0; i < RUNS; i++) {
    const start = performance.now();
    const encoder = device.createCommandEncoder();
    const pass = encoder.beginComputePass();
    pass.setPipeline(kernel.pipeline);
    pass.setBindGroup(0, bindGroup);
    for (let n = 0; n < copies; n++) pass.dispatchWorkgroups(workgroups);
    pass.end();
    device.queue.submit([encoder.finish()]);
    await device.queue.onSubmittedWorkDone();
    best = Math.max(best, (2 * size * copies) / (performance.now() - start) / 1e6);
  }
  from.destroy();
  to.destroy();
  return best;
}
