import type { Gpu } from './device';
import { createTimestamps } from './timestamps';

/** Times every dispatch of a forward pass with timestamp queries; each dispatch then gets its own compute pass. */
export interface Profiler {
  /** Returns the timestampWrites for the next dispatch, named `label`; undefined once MOST dispatches are recorded. */
  next(label: string, flops: number): GPUComputePassTimestampWrites | undefined;
  /** Returns sums by label, times in milliseconds, over the dispatches since the last call. Wait for the queue first. */
  collect(): Promise<Map<string, { ms: number; count: number; flops: number }>>;
}

/** Dispatches between two calls of `collect` that are timed; later ones are not. */
const MOST = 2048;

/** Throws a TypeError if the device has no timestamps. */
export function createProfiler(gpu: Gpu): Profiler {
  if (!gpu.hasTimestamps)
    throw new TypeError('This device does not support timestamp-query, so kernels cannot be timed individually.');
  const timestamps = createTimestamps(gpu, MOST);
  let recorded: { label: string; flops: number }[] = [];

  return {
    next(label, flops) {
      const i = recorded.push({ label, flops }) - 1;
      return i < MOST ? timestamps.writes(i) : undefined;
    },
    async collect() {
      const timed = recorded.slice(0, MOST);
      const sums = new Map<string, { ms: number; count: number; flops: number }>();
      if (timed.length === 0) return sums;
      const times = await timestamps.read(timed.length);
      for (const [i, { label, flops }] of timed.entries()) {
        const sum = sums.get(label) ?? { ms: 0, count: 0, flops: 0 };
        sum.ms += times[i];
        sum.count += 1;
        sum.flops += flops;
        sums.set(label, sum);
      }
      recorded = [];
      return sums;
    },
  };
}
