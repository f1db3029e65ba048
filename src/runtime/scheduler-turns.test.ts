import { describe, expect, it } from 'vitest';
import { fakeGpu, item, settled } from './fixtures';

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
