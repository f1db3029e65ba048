/** The scheduler against a GPU that loses passes, fails and computes NaN, by calls that abort, throw and make further calls, all at random. */
import { expect, it } from 'vitest';
import { DeviceLostError, NumericError } from '../api/errors';
import { pooledEmbedding } from '../model/heads/embeddings';
import { lastHiddenState } from '../model/heads/hidden';
import { seededRandom } from '../seeded-random';
import type { Item } from './pass-items';
import type { PassResult } from './runtime';
import { createScheduler, type SchedulerOptions } from './scheduler';

const SEEDS = Number(process.env.SEEDS ?? 100);
const POOLED = pooledEmbedding({ pooling: ['mean'], normalize: false });

const turns = async (n: number) => {
  for (let i = 0; i < n; i++) await Promise.resolve();
};
const sumOf = (ids: Iterable<number>): number => [...ids].reduce((a, b) => a + b, 0);
const sorted = (values: Iterable<number>) => Float32Array.from(values).sort();

/** First ids of sequences that come out as NaN; those that 3 divides only if they are not run precisely. */
const isBad = ([id]: Uint32Array, precise: boolean) => id < 1000 && !(precise && id % 3 === 0);

async function run(seed: number): Promise<{ problems: string[]; outcomes: string[] }> {
  const next = seededRandom(seed);
  const chance = (of: number) => next() < of;
  const int = (below: number) => Math.floor(next() * below);
  const problems: string[] = [];
  const outcomes: string[] = [];
  const limit = 4 + int(20);
  const losses = chance(0.5) ? 0.1 : 0;
  const failures = chance(0.3) ? 0.1 : 0;
  let inFlight = 0;
  let isBeginning = false;

  const pass: SchedulerOptions['run'] = async (sequences, requests, { hiddenRows, onSubmitted }, precise) => {
    const tokens = sequences.reduce((sum, { length }) => sum + length, 0);
    if (tokens > limit || tokens === 0) problems.push(`a pass of ${tokens} tokens, the limit is ${limit}`);
    if (isBeginning) problems.push('a pass began before the one before it was submitted');
    if (++inFlight > 2) problems.push(`${inFlight} passes in flight`);
    isBeginning = true;
    try {
      await turns(int(4));
      isBeginning = false;
      if (chance(losses)) throw new DeviceLostError('lost');
      onSubmitted();
      await turns(int(12));
      if (chance(losses)) throw new DeviceLostError('lost');
      if (chance(failures)) throw new Error('failed');
    } finally {
      inFlight--;
    }
    // A NaN gets into some of the other sequences.
    const some = sequences.some((ids) => isBad(ids, precise));
    const spoilt = sequences.map((ids, i) => isBad(ids, precise) || (some && i % 3 === 0));
    const stream = sequences.flatMap((ids, i) => Array.from(ids, (id) => (spoilt[i] ? Number.NaN : id)));
    const sums = sequences.map((ids, i) => (spoilt[i] ? Number.NaN : sumOf(ids)));
    const state = hiddenRows && Float32Array.from(hiddenRows, (row) => stream[row]);
    return {
      heads: requests.map(({ head, indices }) => ({
        data: Float32Array.from(indices, (i) => (head.by === 'row' ? stream : sums)[i]),
        width: 1,
      })),
      hidden_states: state && [state, state.map((x) => -x)],
    } as unknown as PassResult;
  };
  const scheduler = createScheduler({
    run: pass,
    maxTokensPerPass: () => limit,
    isWorthAnother: (error) => error instanceof DeviceLostError,
    wrongAnswer: (_, problem, precise) => (precise ? new NumericError(problem) : undefined),
  });

  const calls: Promise<void>[] = [];
  let left = 3 + int(25);
  const call = () => {
    if (left-- <= 0) return;
    const wanted: number[] = [];
    const got: number[] = [];
    const take = (data: Iterable<number>) => void got.push(...data);
    const items = Array.from({ length: int(8) }, (): Item => {
      const ids = Uint32Array.from({ length: 1 + int(limit) }, () => 1000 + int(100_000));
      if (chance(0.1)) ids[0] = int(1000);
      const rows = Uint32Array.from({ length: 1 + int(3) }, () => int(ids.length));
      const item: Item = { ids, wanted: [{ head: POOLED, deliver: take }] };
      wanted.push(sumOf(ids));
      if (chance(0.5)) {
        item.wanted.push({ head: lastHiddenState, rows, deliver: take });
        wanted.push(...Array.from(rows, (row) => ids[row]));
      }
      if (chance(0.2)) {
        item.hidden = { rows, deliver: (stages) => stages.forEach(take) };
        wanted.push(...Array.from(rows, (row) => ids[row]), ...Array.from(rows, (row) => -ids[row]));
      }
      return item;
    });
    const controller = new AbortController();
    const onProgress = () => {
      if (chance(0.04)) throw new Error('thrown by onProgress');
      if (chance(0.08)) controller.abort();
      if (chance(0.12)) call();
    };
    const answered = () => {
      outcomes.push('right');
      const [right, own] = [sorted(wanted), sorted(got)];
      if (own.length !== right.length || own.some((x, i) => x !== right[i])) problems.push('a wrong answer');
    };
    const submitted = scheduler.submit(items, { signal: controller.signal, onProgress });
    calls.push(submitted.then(answered, (error: Error) => void outcomes.push(error.name)));
    if (chance(0.2)) void turns(int(60)).then(() => controller.abort());
  };
  if (chance(0.05)) void turns(int(100)).then(() => scheduler.stop(new RangeError('stopped')));
  while (left > 0) {
    call();
    await turns(int(20));
  }
  for (let i = 0; i < calls.length; i++) await calls[i];
  if (outcomes.length !== calls.length) problems.push(`${calls.length} calls ended ${outcomes.length} times`);
  return { problems, outcomes };
}

it('every call ends once, with its own answers or an error', async () => {
  const seen = new Set<string>();
  for (let seed = 1; seed <= SEEDS; seed++) {
    const { problems, outcomes } = await run(seed);
    expect(problems, `seed ${seed}`).toEqual([]);
    for (const outcome of outcomes) seen.add(outcome);
  }
  expect([...seen].sort()).toEqual(['AbortError', 'DeviceLostError', 'Error', 'NumericError', 'RangeError', 'right']);
});
