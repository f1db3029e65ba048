import { describe, expect, it } from 'vitest';
import type { CallProgress } from '../api/calls';
import { DeviceLostError, NumericError } from '../api/errors';
import { pooledEmbedding } from '../model/heads/embeddings';
import type { Head } from '../model/heads/head';
import { lastHiddenState } from '../model/heads/hidden';
import type { HeadRequest } from './head-runner';
import type { Item } from './pass-items';
import type { PassResult } from './runtime';
import { createScheduler, type SchedulerOptions } from './scheduler';

/**
 * A GPU that answers with what it was asked about: the token id of a row, the sum of the ids of a sequence; hidden states are the ids,
 * in two stages. A pass waits for `gate`, if there is one, and fails where `fails` says so. With `queues` the GPU takes the next pass at
 * once, and finishes the oldest one when `finishes[0]` is called and so on.
 */
function fakeGpu({
  limit = 10,
  gate,
  fails,
  queues = false,
  options = {},
}: {
  limit?: number;
  gate?: Promise<void>;
  fails?: (ids: number[]) => boolean;
  queues?: boolean;
  options?: Partial<SchedulerOptions>;
} = {}) {
  const finishes: (() => void)[] = [];
  const passes: number[][][] = [];
  const requested: HeadRequest[][] = [];
  const precisely: boolean[] = [];
  const run: SchedulerOptions['run'] = async (sequences, requests, { hiddenRows, onSubmitted }, precise) => {
    precisely.push(precise);
    passes.push(sequences.map((ids) => [...ids]));
    requested.push(requests);
    await gate;
    if (queues) {
      onSubmitted();
      await new Promise<void>((resolve) => finishes.push(resolve));
    }
    const stream = sequences.flatMap((ids) => [...ids]);
    if (fails?.(stream)) throw new Error('the GPU said no');
    const answer = ({ head, indices }: HeadRequest) =>
      Float32Array.from(indices, (i) => (head.by === 'row' ? stream[i] : sequences[i].reduce((a, b) => a + b, 0)));
    const states = hiddenRows && Float32Array.from(hiddenRows, (row) => stream[row]);
    return {
      heads: requests.map((request) => ({ data: answer(request), width: 1 })),
      hidden_states: states && [states, states.map((x) => -x)],
      dispatches: 0,
    } as unknown as PassResult;
  };
  const scheduler = createScheduler({
    run,
    maxTokensPerPass: () => limit,
    wrongAnswer: (_, problem) => new NumericError(problem),
    ...options,
  });
  return { ...scheduler, passes, requested, finishes, precisely };
}

const HIDDEN = lastHiddenState;
const POOLED = pooledEmbedding({ pooling: ['mean'], normalize: false });

/** An item of these ids and what was delivered for it. */
function item(ids: number[], head: Head = POOLED, rows?: number[]): Item & { got: number[] } {
  const got: number[] = [];
  const deliver = (data: Float32Array) => void got.push(...data);
  return { ids: Uint32Array.from(ids), wanted: [{ head, rows: rows && Uint32Array.from(rows), deliver }], got };
}

/** A promise and what settles it. */
function gateOf() {
  let open = () => {};
  const gate = new Promise<void>((resolve) => {
    open = resolve;
  });
  return { gate, open };
}

const settled = () => new Promise((resolve) => setTimeout(resolve, 0));

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

describe('when much waits', () => {
  const ofTokens = (tokens: number, id: number) => item(Array<number>(tokens).fill(id));
  /** The pass that an id is in, counted from 0. */
  const passOf = (passes: number[][][], id: number) => passes.findIndex((pass) => pass.flat().includes(id));

  it.each([1, 3])('a text of %i tokens starts within two passes of its arrival', async (length) => {
    const { submit, passes, finishes } = fakeGpu({ limit: 10, queues: true });
    const waiting = [submit(Array.from({ length: 60 }, (_, i) => ofTokens(1 + (i % 10), 1)))];
    for (let call = 0; call < 20; call++) waiting.push(submit([ofTokens(10, 2), ofTokens(9, 2)]));
    const arrivals: number[] = [];
    for (let pass = 0, end = 0; pass < 40; pass++) {
      await settled();
      // The next query comes once the last one has begun.
      if (arrivals.length === 0 || passOf(passes, 99 + arrivals.length) >= 0) {
        waiting.push(submit([ofTokens(length, 100 + arrivals.length)]));
        arrivals.push(passes.length);
      }
      while (end <= pass) finishes[end++]();
    }
    for (let end = 40; passes.length > end; end++) {
      finishes[end]();
      await settled();
    }
    await Promise.all(waiting);
    expect(arrivals.length).toBeGreaterThan(5);
    arrivals.forEach((before, query) => {
      expect(passOf(passes, 100 + query) - before).toBeLessThanOrEqual(1); // the next one, or the one after it
    });
  });

  it('a large call has its turn although smaller ones keep coming', async () => {
    const { submit, passes } = fakeGpu({ limit: 4 });
    const large = submit(Array.from({ length: 40 }, () => ofTokens(4, 7)));
    let isDone = false;
    void large.then(() => {
      isDone = true;
    });
    let small = 0;
    const next = async (): Promise<void> => {
      if (isDone) return;
      small++;
      await submit([ofTokens(4, 1)]);
      return next();
    };
    await Promise.all([large, next(), next(), next()]);
    expect(passes.filter((pass) => pass.flat().includes(7))).toHaveLength(40);
    expect(small).toBeLessThan(40 * 12);
  });

  it('a call has its turn although passes without it are fuller', async () => {
    const { submit, passes, finishes } = fakeGpu({ limit: 10, queues: true });
    let waiting = true;
    const large = submit([ofTokens(6, 7), ofTokens(6, 7)]).then(() => {
      waiting = false;
    });
    const small = async (): Promise<void> => {
      if (!waiting) return;
      await submit([ofTokens(5, 1)]);
      return small();
    };
    const others = Array.from({ length: 6 }, small);
    for (let end = 0; end < 60; end++) {
      await settled();
      finishes[end]?.();
    }
    expect(passes.filter((pass) => pass.flat().includes(7))).toHaveLength(2);
    await Promise.all([large, ...others]);
  });

  it('a sequence longer than a pass is an error, not a call without an end', async () => {
    const { submit, passes } = fakeGpu({ limit: 10 });
    const attempt = async () => submit([ofTokens(1, 1), { ...ofTokens(11, 2), name: 'Text 1' }]);
    await expect(attempt()).rejects.toThrow(
      new RangeError('Text 1 has 11 tokens, but one pass holds 10 (maxTokensPerPass).'),
    );
    await submit([ofTokens(10, 3)]);
    expect(passes).toHaveLength(1);
  });

  it('takes 200,000 sequences in one call, and keeps nothing of them', async () => {
    const { submit, passes } = fakeGpu({ limit: 1000 });
    const done: number[] = [];
    await submit(
      Array.from({ length: 200_000 }, () => item([1])),
      { onProgress: (progress) => void done.push(progress.done) },
    );
    expect(passes).toHaveLength(200);
    expect(done.at(-1)).toBe(200_000);
    await submit([item([2])]);
    expect(passes).toHaveLength(201);
  });

  it('a call that is aborted before its passes costs none', async () => {
    const { submit, passes } = fakeGpu({ limit: 1000 });
    const controller = new AbortController();
    const aborted = submit(
      Array.from({ length: 100_000 }, () => item([1])),
      controller,
    );
    controller.abort();
    await expect(aborted).rejects.toThrow('aborted');
    await submit([item([2])]);
    expect(passes).toEqual([[[2]]]);
  });
});

describe('when a pass is lost with its device', () => {
  const lostAt = (...lost: number[]) => {
    let pass = 0;
    return fakeGpu({
      limit: 4,
      options: {
        isWorthAnother: (error) => error instanceof DeviceLostError,
        async run(sequences, requests) {
          if (lost.includes(pass++)) throw new DeviceLostError('lost');
          const data = requests.map(({ indices }) => Float32Array.from(indices, (i) => sequences[i][0]));
          return { heads: data.map((own) => ({ data: own, width: 1 })) } as unknown as PassResult;
        },
      },
    });
  };

  it('runs it again, and the call gets its answers in their places', async () => {
    const { submit } = lostAt(1);
    const items = Array.from({ length: 6 }, (_, i) => item([i, i]));
    await submit(items);
    expect(items.map(({ got }) => got)).toEqual([[0], [1], [2], [3], [4], [5]]);
  });

  it('rejects its calls if that is lost too, and no others', async () => {
    const { submit } = lostAt(0, 1);
    const [first, second] = [submit([item([1, 1, 1])]), submit([item([2, 2, 2])])];
    const results = await Promise.allSettled([first, second]);
    expect(results.filter(({ status }) => status === 'rejected')).toHaveLength(1);
    expect(results.find(({ status }) => status === 'rejected')).toMatchObject({ reason: new DeviceLostError('lost') });
  });
});

describe('an answer that is not a number', () => {
  /** Sequences that begin with 13 come out as NaN, those with 14 only if they are not run precisely. */
  const overflowing = (options: Partial<SchedulerOptions>) =>
    fakeGpu({
      limit: 4,
      options: {
        async run(sequences, requests, _, precise) {
          const of = ([id]: Uint32Array) => (id === 13 || (id === 14 && !precise) ? Number.NaN : id);
          const data = requests.map(({ indices }) => Float32Array.from(indices, (i) => of(sequences[i])));
          return { heads: data.map((own) => ({ data: own, width: 1 })) } as unknown as PassResult;
        },
        ...options,
      },
    });

  it('rejects its call, says which, and leaves those alone that share its pass', async () => {
    const wrongAnswer = ({ name }: Item, problem: string) => new NumericError(`${name}: ${problem}`);
    const { submit } = overflowing({ wrongAnswer });
    const good = item([1]);
    const bad = { ...item([13, 0]), name: 'Text 7' };
    const results = await Promise.allSettled([submit([item([2]), bad]), submit([good])]);
    expect(results[0]).toMatchObject({ reason: new NumericError('Text 7: number 0 of its result is NaN') });
    expect(bad.got).toEqual([]);
    expect(good.got).toEqual([1]);
  });

  it('is computed once more precisely where that is possible', async () => {
    const wrongAnswer: SchedulerOptions['wrongAnswer'] = (_, problem, precise) =>
      precise ? new NumericError(problem) : undefined;
    const { submit } = overflowing({ wrongAnswer });
    const items = [item([14, 1]), item([5])];
    const hopeless = submit([item([13])]);
    await submit(items);
    expect(items.map(({ got }) => got)).toEqual([[14], [5]]);
    await expect(hopeless).rejects.toThrow(NumericError);
  });
});
