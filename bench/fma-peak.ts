import { COPY_DST, STORAGE } from '../src/gpu/buffers';
import type { Gpu } from '../src/gpu/device';
import { bind, createKernel } from '../src/gpu/kernel';
import source from './fma.wgsl?raw';

const CHAINS = [2, 4, 8]; // what suits a device depends on its registers and the latency of its FMAs
const WORKGROUPS = 16384;
const THREADS = 64;
const STEPS = 8;
const MEASURED_MS = 60;
const RUNS = 4;

/** The most f32 GFLOP/s (two an FMA) that the device reaches, with no memory in the way: the best of several runs. */
export async function fmaPeak(gpu: Gpu): Promise<number> {
  const { device } = gpu;
  const factors = device.createBuffer({ size: 48, usage: STORAGE | COPY_DST });
  const out = device.createBuffer({ size: 16, usage: STORAGE });
  let best = 0;
  for (const chains of CHAINS) {
    const kernel = await createKernel(gpu, { label: `fma ${chains}`, source, constants: { CHAINS: chains } });
    const bindGroup = bind(gpu, kernel, { factors, out });
    const run = async (iterations: number, workgroups: number) => {
      // The fixed point of x m + c is 1: values stay normal numbers.
      device.queue.writeBuffer(factors, 0, Float32Array.from([...four(0.5), ...four(0.5), iterations, 0, 0, 0]));
      await device.queue.onSubmittedWorkDone();
      const start = performance.now();
      const encoder = device.createCommandEncoder();
      const pass = encoder.beginComputePass();
      pass.setPipeline(kernel.pipeline);
      pass.setBindGroup(0, bindGroup);
      pass.dispatchWorkgroups(workgroups);
      pass.end();
      device.queue.submit([encoder.finish()]);
      await device.queue.onSubmittedWorkDone();
      const ms = performance.now() - start;
      return { ms, gflops: (2 * 4 * chains * STEPS * iterations * workgroups * THREADS) / ms / 1e6 };
    };
    // Small first: a software driver is a thousand times slower than a card, and no driver likes work of many seconds.
    let workgroups = 64;
    let iterations = 16;
    for (let { ms } = await run(iterations, workgroups); ms < MEASURED_MS; { ms } = await run(iterations, workgroups)) {
      if (workgroups < WORKGROUPS) workgroups *= 2;
      else iterations *= 2;
    }
    for (let i = 0; i < RUNS; i++) best = Math.max(best, (await run(iterations, workgroups)).gflops);
  }
  factors.destroy();
  out.destroy();
  return best;
}

const four = (value: number) => [value, value, value, value];
