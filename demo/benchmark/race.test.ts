import { expect, it } from 'vitest';
import type { Contender } from '../../bench/peer/contenders';
import { type Runner, race } from './race';

const signal = new AbortController().signal;
const order: string[] = [];

/** A runner whose runs take these times; a text there makes it fail. */
function runner(contender: Contender, times: (number | string)[], data = [1, 0]): Runner {
  return {
    contender,
    load: async () => 'a device',
    async embed() {
      order.push(contender);
      const ms = times.shift()!;
      if (typeof ms === 'string') throw new Error(ms);
      return { ms, dim: 2, data };
    },
    end() {},
  };
}

it('warms up, takes turns, gives medians and compares', async () => {
  const runners = [
    runner('modernbert-webgpu', [100, 3, 1, 2]),
    runner('transformers.js wasm', [100, 30, 10, 20], [3, 4]),
  ];
  const [own, peer] = await race(runners, {
    texts: ['a'],
    tokens: 10,
    rounds: 3,
    budget: 1e9,
    signal,
    onProgress() {},
  });
  expect(order.splice(0)).toEqual(Array.from({ length: 4 }, () => runners.map(({ contender }) => contender)).flat());
  expect(own).toMatchObject({ device: 'a device', runs_ms: [3, 1, 2], median_ms: 2, tokens_per_s: 5000 });
  expect(peer).toMatchObject({ runs_ms: [30, 10, 20], median_ms: 20, tokens_per_s: 500 });
  expect(peer.cosine).toBeCloseTo(0.6);
});

it('goes on without one that fails, whose times before stay', async () => {
  const runners = [
    runner('modernbert-webgpu', [1, 1, 1, 1]),
    runner('transformers.js webgpu', [1, 5, 'out of memory']),
  ];
  const lines: string[] = [];
  const results = await race(runners, {
    texts: ['a'],
    tokens: 1,
    rounds: 3,
    budget: 1e9,
    signal,
    onProgress: (contender, step, done) => void lines.push(`${contender} ${step} ${done}`),
  });
  expect(results.map(({ runs_ms, failure }) => [runs_ms, failure])).toEqual([
    [[1, 1, 1], undefined],
    [[5], 'out of memory'],
  ]);
  expect(lines).toContain('modernbert-webgpu embedding 2');
});

it('stops when asked to', async () => {
  const controller = new AbortController();
  const options = { texts: ['a'], tokens: 1, rounds: 3, budget: 1e9, signal: controller.signal };
  const racing = race([runner('modernbert-webgpu', [1, 1])], {
    ...options,
    onProgress: (_contender, _step, done) => done === 1 && controller.abort(),
  });
  await expect(racing).rejects.toThrow(expect.objectContaining({ name: 'AbortError' }));
});

it('begins no further round once its time is over, and runs one in any case', async () => {
  const roundsOf = async (budget: number) => {
    let ms = 0;
    const slow: Runner = {
      ...runner('modernbert-webgpu', []),
      async embed() {
        ms += 1000;
        return { ms: 1000, dim: 1, data: [1] };
      },
    };
    const options = { texts: ['a'], tokens: 1, rounds: 5, budget, signal, onProgress() {}, now: () => ms };
    return (await race([slow], options))[0].runs_ms.length;
  };
  expect(await roundsOf(0)).toBe(1);
  expect(await roundsOf(2500)).toBe(3);
  expect(await roundsOf(1e9)).toBe(5);
});
