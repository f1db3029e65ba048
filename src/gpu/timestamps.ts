import { COPY_DST, COPY_SRC, MAP_MODE_READ, MAP_READ, QUERY_RESOLVE } from './buffers';
import type { Gpu } from './device';
import { settled } from './firefox';

/** A stopwatch for up to `count` compute passes at a time, by the GPU's own clock. */
export interface Timestamps {
  /** What the `i`-th pass needs to be timed. */
  writes(i: number): GPUComputePassTimestampWrites;
  /** Returns the milliseconds that each of the first `n` passes took. Submit them first. */
  read(n: number): Promise<number[]>;
}

/** Needs the device feature timestamp-query. Chrome rounds its times to 0.07 or 0.1 ms. */
export function createTimestamps({ device }: Gpu, count: number): Timestamps {
  const querySet = device.createQuerySet({ type: 'timestamp', count: 2 * count });
  const resolved = device.createBuffer({ size: 16 * count, usage: QUERY_RESOLVE | COPY_SRC });
  const readback = device.createBuffer({ size: 16 * count, usage: COPY_DST | MAP_READ });
  return {
    writes: (i) => ({ querySet, beginningOfPassWriteIndex: 2 * i, endOfPassWriteIndex: 2 * i + 1 }),
    async read(n) {
      const commands = device.createCommandEncoder();
      commands.resolveQuerySet(querySet, 0, 2 * n, resolved, 0);
      commands.copyBufferToBuffer(resolved, 0, readback, 0, 16 * n);
      device.queue.submit([commands.finish()]);
      await settled(device.queue, readback.mapAsync(MAP_MODE_READ, 0, 16 * n));
      const times = new BigUint64Array(readback.getMappedRange(0, 16 * n).slice(0));
      readback.unmap();
      return Array.from({ length: n }, (_, i) => Number(times[2 * i + 1] - times[2 * i]) / 1e6);
    },
  };
}
