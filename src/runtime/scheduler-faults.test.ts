import { describe, expect, it } from 'vitest';
import { DeviceLostError, NumericError } from '../api/errors';
import { fakeGpu, item } from './fixtures';
import type { Item } from './pass-items';
import type { PassResult } from './runtime';
import type { SchedulerOptions } from './scheduler';

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
