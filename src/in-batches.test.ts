import { describe, expect, it } from 'vitest';
import type { Vectors } from './api/embeddings';
import { inBatches } from './in-batches';

/** Numbers from 0, and how far they were read and whether they were ended. */
function numbers(count: number) {
  const state = { read: 0, ended: false };
  async function* generate() {
    try {
      for (; state.read < count; state.read++) yield state.read;
    } finally {
      state.ended = true;
    }
  }
  return Object.assign(state, { inputs: generate() });
}

async function listOf<T>(results: AsyncIterable<T>): Promise<T[]> {
  const list: T[] = [];
  for await (const result of results) list.push(result);
  return list;
}

const squares = async (batch: number[]) => batch.map((x) => x * x);

describe('results in batches', () => {
  it('are those of all inputs, in order, whichever batch is done first', async () => {
    const sizes: number[] = [];
    const call = async (batch: number[]) => {
      sizes.push(batch.length);
      await new Promise((resolve) => setTimeout(resolve, batch[0] === 0 ? 20 : 0));
      return squares(batch);
    };
    expect(await listOf(inBatches(numbers(10).inputs, call, { size: 4 }))).toEqual(
      Array.from({ length: 10 }, (_, i) => i * i),
    );
    expect(sizes).toEqual([4, 4, 2]);
    expect(await listOf(inBatches([], call))).toEqual([]);
    expect(await listOf(inBatches(new Set([3]), call))).toEqual([9]);
  });

  it('are the rows of embeddings', async () => {
    const call = async (batch: string[]): Promise<Vectors> => {
      const data = Float32Array.from(batch.flatMap((text) => [text.length, 1]));
      return { data, rows: batch.length, dim: 2, row: (i) => data.subarray(2 * i, 2 * i + 2) };
    };
    const rows = await listOf(inBatches(['a', 'bb', 'ccc'], call, { size: 2 }));
    expect(rows.map((row) => [...row])).toEqual([
      [1, 1],
      [2, 1],
      [3, 1],
    ]);
  });

  it('need no more inputs in memory than a few batches, and two calls at a time', async () => {
    const source = numbers(2000);
    let running = 0;
    let most = 0;
    const call = async (batch: number[]) => {
      most = Math.max(most, ++running);
      await new Promise((resolve) => setTimeout(resolve, 1));
      running--;
      return batch;
    };
    let got = 0;
    for await (const _ of inBatches(source.inputs, call, { size: 10 })) {
      got++;
      expect(source.read - got).toBeLessThanOrEqual(20);
    }
    expect([got, most]).toEqual([2000, 2]);
  });

  it('end the inputs and the calls under way when the loop is left', async () => {
    const source = numbers(1000);
    const signals: AbortSignal[] = [];
    const call = async (batch: number[], { signal }: { signal: AbortSignal }) => {
      signals.push(signal);
      return batch;
    };
    for await (const result of inBatches(source.inputs, call, { size: 2 })) if (result === 5) break;
    expect(source.ended).toBe(true);
    expect(signals.map(({ aborted }) => aborted)).not.toContain(false);
  });

  it('throw the error of a call in its turn, of the inputs, and the reason of the signal', async () => {
    const got: number[] = [];
    const failing = async (batch: number[]) => {
      if (batch.includes(4)) throw new RangeError('Text 0 is empty.');
      return batch;
    };
    const loop = async (results: AsyncIterable<number>) => {
      for await (const result of results) got.push(result);
    };
    await expect(loop(inBatches(numbers(100).inputs, failing, { size: 2 }))).rejects.toThrow('Text 0 is empty.');
    expect(got).toEqual([0, 1, 2, 3]);
    async function* broken() {
      yield 1;
      throw new Error('the file ends');
    }
    await expect(loop(inBatches(broken(), squares))).rejects.toThrow('the file ends');
    const signal = AbortSignal.abort(new Error('enough'));
    await expect(loop(inBatches([1], squares, { signal }))).rejects.toThrow('enough');
    await expect(loop(inBatches([1], squares, { size: 0 }))).rejects.toThrow(RangeError);
  });

  it('ends by its signal although the inputs stall', async () => {
    const controller = new AbortController();
    async function* inputs() {
      yield 'a';
      await new Promise(() => {});
    }
    const loop = async () => {
      for await (const _ of inBatches(inputs(), async (batch: string[]) => batch, { signal: controller.signal }));
    };
    const ended = loop();
    setTimeout(() => controller.abort(new Error('not wanted any more')));
    await expect(ended).rejects.toThrow('not wanted any more');
  });
});
