import { COPY_DST, COPY_SRC, MAP_MODE_READ, MAP_READ, QUERY_RESOLVE } from './buffers';
import type { Gpu } from './device';

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
export function createProfiler({ device, hasTimestamps }: Gpu): Profiler {
  if (!hasTimestamps)
    throw new TypeError('This device does not support timestamp-query, so kernels cannot be timed individually.');
  const querySet = device.createQuerySet({ type: 'timestamp', count: MOST * 2 });
  const resolved = device.createBuffer({ size: MOST * 16, usage: QUERY_RESOLVE | COPY_SRC });
  const readback = device.createBuffer({ size: MOST * 16, usage: COPY_DST | MAP_READ });
  let recorded: { label: string; flops: number }[] = [];
  return {
    next(label, flops) {
      const i = recorded.push({ label, flops }) - 1;
      if (i >= MOST) return undefined;
      return { querySet, beginningOfPassWriteIndex: 2 * i, endOfPassWriteIndex: 2 * i + 1 };
    },
    async collect() {
      const count = Math.min(recorded.length, MOST);
      const sums = new Map<string, { ms: number; count: number; flops: number }>();
      if (count === 0) return sums;
      const commands = device.createCommandEncoder();
      commands.resolveQuerySet(querySet, 0, count * 2, resolved, 0);
      commands.copyBufferToBuffer(resolved, 0, readback, 0, count * 16);
      device.queue.submit([commands.finish()]);
      await readback.mapAsync(MAP_MODE_READ, 0, count * 16);
      const times = new BigUint64Array(readback.getMappedRange(0, count * 16));
      for (let i = 0; i < count; i++) {
        const { label, flops } = recorded[i];
        const sum = sums.get(label) ?? { ms: 0, count: 0, flops: 0 };
        sum.ms += Number(times[2 * i + 1] - times[2 * i]) / 1e6;
        sum.count += 1;
        sum.flops += flops;
        sums.set(label, sum);
      }
      readback.unmap();
      recorded = [];
      return sums;
    },
  };
}
