import { describe, expect, it } from 'vitest';
import type { CallProgress } from '../api/calls';
import { fakeGpu, gateOf, HIDDEN, item, POOLED, settled } from './fixtures';
import type { Item } from './pass-items';

describe('the scheduler', () => {
  it('runs calls made in the same turn in one pass, one request for each kind of head', async () => {
    const { submit, passes, requested } = fakeGpu();
    const [a, b, c] = [item([1, 2]), item([3, 4, 5], HIDDEN, [2, 0]), item([6, 7])];
    await Promise.all([submit([a]), submit([b, c])]);
    expect(passes).toEqual([
      [
        [1, 2],
        [3, 4, 5],
        [6, 7],
      ],
    ]);
    expect(requested[0].map(({ head, indices }) => [head, [...indices]])).toEqual([
      [POOLED, [0, 2]],
      [HIDDEN, [4, 2]],
    ]);
    expect([a.got, b.got, c.got]).toEqual([[3], [5, 3], [13]]);
  });

  it('gives every item its own rows whatever passes they fall into', async () => {
    const { submit, passes } = fakeGpu({ limit: 7 });
    const items = [5, 1, 7, 2, 2, 6, 3, 4].map((length, s) =>
      item(
        Array.from({ length }, (_, i) => 100 * s + i),
        HIDDEN,
        [length - 1, 0],
      ),
    );
    await submit(items);
    expect(passes.length).toBeGreaterThan(3);
    for (const pass of passes) expect(pass.flat().length).toBeLessThanOrEqual(7);
    items.forEach(({ ids, got }, s) => {
      expect(got).toEqual([100 * s + ids.length - 1, 100 * s]);
    });
  });

  it('gives hidden states of every stage to those who asked', async () => {
    const { submit } = fakeGpu();
    const stages: number[][][] = [[], []];
    const asking = (ids: number[], rows: number[], slot: number): Item => ({
      ids: Uint32Array.from(ids),
      wanted: [],
      hidden: {
        rows: Uint32Array.from(rows),
        deliver: (all) =>
          void stages.splice(
            slot,
            1,
            all.map((stage) => [...stage]),
          ),
      },
    });
    const other = item([9]);
    await Promise.all([submit([asking([1, 2, 3], [2, 1], 0)]), submit([other]), submit([asking([4, 5], [1], 1)])]);
    expect(stages).toEqual([
      [
        [3, 2],
        [-3, -2],
      ],
      [[5], [-5]],
    ]);
    expect(other.got).toEqual([9]);
  });

  it("runs a small call before the rest of a large one, and what waits together shares the smaller call's pass", async () => {
    const { gate, open } = gateOf();
    const { submit, passes } = fakeGpu({ limit: 4, gate });
    const large = submit(Array.from({ length: 6 }, (_, s) => item([s, s, s, s])));
    await settled(); // its first pass runs
    const query = item([50, 51]);
    const done: string[] = [];
    const all = [large.then(() => done.push('large')), submit([query]).then(() => done.push('query'))];
    open();
    await Promise.all(all);
    expect(passes[1]).toEqual([[50, 51]]);
    expect(done).toEqual(['query', 'large']);
    expect(query.got).toEqual([101]);
  });

  it('resolves at once for nothing to run', async () => {
    const { submit, passes } = fakeGpu();
    await submit([]);
    expect(passes).toEqual([]);
  });

  it('does not start with a signal that is aborted', async () => {
    const { submit, passes } = fakeGpu();
    const attempt = async () => submit([item([1])], { signal: AbortSignal.abort() });
    await expect(attempt()).rejects.toThrow(expect.objectContaining({ name: 'AbortError' }));
    await settled();
    expect(passes).toEqual([]);
  });

  it('drops a waiting call that is aborted, with its reason', async () => {
    const { gate, open } = gateOf();
    const { submit, passes } = fakeGpu({ limit: 2, gate });
    const first = submit([item([1, 1])]);
    await settled();
    const controller = new AbortController();
    const waiting = item([2, 2]);
    const second = submit([waiting], controller);
    const third = submit([item([3, 3])]);
    controller.abort(new Error('not wanted any more'));
    await expect(second).rejects.toThrow('not wanted any more'); // before any pass ends
    open();
    await Promise.all([first, third]);
    expect(passes).toEqual([[[1, 1]], [[3, 3]]]);
    expect(waiting.got).toEqual([]);
  });

  it('rejects an aborted call while its pass runs, delivers nothing, starts no further pass of it', async () => {
    const { gate, open } = gateOf();
    const { submit, passes } = fakeGpu({ limit: 4, gate });
    const controller = new AbortController();
    const items = [item([1, 1, 1]), item([2, 2, 2])];
    const aborted = submit(items, controller);
    const kept = item([3]);
    const shared = submit([kept]);
    await settled();
    expect(passes).toHaveLength(1);
    controller.abort();
    await expect(aborted).rejects.toThrow(expect.objectContaining({ name: 'AbortError' }));
    open();
    await shared;
    await settled();
    expect(kept.got).toEqual([3]);
    expect(items.map(({ got }) => got)).toEqual([[], []]);
    expect(passes.flat()).not.toHaveLength(3);
  });

  it('reports how far each call is after each of its passes', async () => {
    const { submit, passes } = fakeGpu({ limit: 4 });
    const reports: [string, CallProgress][] = [];
    const report = (name: string) => ({ onProgress: (progress: CallProgress) => void reports.push([name, progress]) });
    await Promise.all([
      submit([item([1, 1, 1]), item([2, 2]), item([3])], report('a')),
      submit([item([4])], report('b')),
      submit([item([5])]),
    ]);
    expect(passes.length).toBeGreaterThan(1);
    expect(reports.filter(([name]) => name === 'b')).toEqual([['b', { done: 1, total: 1, tokens: 1, totalTokens: 1 }]]);
    const own = reports.filter(([name]) => name === 'a').map(([, progress]) => progress);
    expect(own.length).toBeGreaterThan(1);
    expect(own.at(-1)).toEqual({ done: 3, total: 3, tokens: 6, totalTokens: 6 });
    for (const [i, { tokens }] of own.entries()) expect(tokens).toBeGreaterThan(own[i - 1]?.tokens ?? 0);
  });

  it('rejects a call whose onProgress throws, and no other', async () => {
    const { submit } = fakeGpu();
    const kept = item([2]);
    const onProgress = () => {
      throw new Error('no room for a bar');
    };
    const results = await Promise.allSettled([submit([item([1])], { onProgress }), submit([kept])]);
    expect(results.map(({ status }) => status)).toEqual(['rejected', 'fulfilled']);
    expect(kept.got).toEqual([2]);
  });

  it('rejects a call that fails to take its answer, and no other', async () => {
    const { submit } = fakeGpu();
    const kept = item([2]);
    const deliver = () => {
      throw new RangeError('offset is out of bounds');
    };
    const failing: Item = { ids: Uint32Array.of(1), wanted: [{ head: POOLED, deliver }] };
    const results = await Promise.allSettled([submit([failing]), submit([kept])]);
    expect(results.map(({ status }) => status)).toEqual(['rejected', 'fulfilled']);
    expect(kept.got).toEqual([2]);
  });

  it('ignores an abort after the end', async () => {
    const { submit } = fakeGpu();
    const controller = new AbortController();
    await submit([item([1])], controller);
    controller.abort();
    const next = item([2]);
    await submit([next]);
    expect(next.got).toEqual([2]);
  });

  it('a pass that fails takes its calls with it and no others', async () => {
    const { submit, passes } = fakeGpu({ limit: 4, fails: (ids) => ids.includes(13) });
    const [bad, good] = [item([13, 13, 13, 13]), item([5, 5, 5, 5])];
    const results = await Promise.allSettled([submit([bad, item([7, 7, 7, 7])]), submit([good])]);
    expect(results.map(({ status }) => status)).toEqual(['rejected', 'fulfilled']);
    expect(results[0]).toMatchObject({ reason: new Error('the GPU said no') });
    expect(good.got).toEqual([20]);
    await settled();
    const later = item([6]);
    await submit([later]);
    expect(later.got).toEqual([6]);
    expect(passes.length).toBeLessThanOrEqual(4);
  });

  it('rejects every call when it is stopped', async () => {
    const { gate, open } = gateOf();
    const { submit, stop, passes } = fakeGpu({ limit: 2, gate });
    const calls = [submit([item([1, 1])]), submit([item([2, 2])])];
    await settled();
    stop(new Error('gone'));
    for (const call of calls) await expect(call).rejects.toThrow('gone');
    open();
    await settled();
    expect(passes).toHaveLength(1);
  });
});

describe('with a GPU that takes a pass while it works on another', () => {
  const four = () => [1, 2, 3, 4].map((id) => item([id, id]));
  const ofEach = (items: { got: number[] }[]) => items.map(({ got }) => got);

  it('has two passes in flight, no more, and delivers in order', async () => {
    const { submit, passes, finishes } = fakeGpu({ limit: 2, queues: true });
    const items = four();
    const done: number[] = [];
    const call = submit(items, { onProgress: (progress) => done.push(progress.done) });
    for (let i = 0; i < 4; i++) {
      await settled();
      expect(passes).toHaveLength(Math.min(4, i + 2));
      expect(done).toEqual(Array.from({ length: i }, (_, n) => n + 1));
      finishes[i]();
    }
    await call;
    expect(ofEach(items).flat().sort()).toEqual([2, 4, 6, 8]);
  });

  it('starts no pass of an aborted call, and goes on with others', async () => {
    const { submit, passes, finishes } = fakeGpu({ limit: 2, queues: true });
    const controller = new AbortController();
    const items = four();
    const aborted = submit(items, controller);
    await settled();
    controller.abort();
    await expect(aborted).rejects.toThrow(expect.objectContaining({ name: 'AbortError' }));
    const other = item([9, 9]);
    const kept = submit([other]);
    for (let i = 0; i < 3; i++) {
      finishes[i]();
      await settled();
    }
    await kept;
    expect(passes).toHaveLength(3);
    expect([other.got, ...ofEach(items)]).toEqual([[18], [], [], [], []]);
  });

  it('a second pass that fails leaves the first and the third alone', async () => {
    const { submit, passes, finishes } = fakeGpu({ limit: 2, queues: true, fails: (ids) => ids.includes(2) });
    const items = four().slice(0, 3);
    const calls = items.map((one) => submit([one]));
    await settled();
    finishes[1]();
    await expect(calls[1]).rejects.toThrow('the GPU said no');
    await settled();
    expect(passes).toHaveLength(3);
    finishes[0]();
    finishes[2]();
    await Promise.all([calls[0], calls[2]]);
    expect(ofEach(items)).toEqual([[2], [], [6]]);
  });
});
