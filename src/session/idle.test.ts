import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { after, createIdle } from './idle';

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

/** Something that takes so many milliseconds. */
const takes = (ms: number) => () => new Promise<void>((resolve) => setTimeout(resolve, ms));
const elapse = (ms: number) => vi.advanceTimersByTimeAsync(ms);

describe('what is idle', () => {
  it('is let go after so long without a use, counted from the start', async () => {
    const letGo = vi.fn();
    createIdle(1000, letGo);
    await elapse(999);
    expect(letGo).not.toHaveBeenCalled();
    await elapse(1);
    expect(letGo).toHaveBeenCalledOnce();
    await elapse(10_000);
    expect(letGo).toHaveBeenCalledOnce();
  });

  it('is let go after the last of overlapping uses, however long they take', async () => {
    const letGo = vi.fn();
    const { using } = createIdle(1000, letGo);
    await elapse(900);
    void using(takes(5000));
    await elapse(3000);
    void using(takes(5000));
    await elapse(5000 + 999);
    expect(letGo).not.toHaveBeenCalled();
    await elapse(1);
    expect(letGo).toHaveBeenCalledOnce();
  });

  it('is let go once more after another use', async () => {
    const letGo = vi.fn();
    const { using } = createIdle(1000, letGo);
    await elapse(1000);
    void using(takes(10));
    await elapse(1010);
    expect(letGo).toHaveBeenCalledTimes(2);
  });

  it('is let go after a use that fails, which fails as it would', async () => {
    const letGo = vi.fn();
    const { using } = createIdle(1000, letGo);
    await expect(using(() => Promise.reject(new RangeError('no')))).rejects.toThrow('no');
    await expect(
      using(() => {
        throw new TypeError('not even that');
      }),
    ).rejects.toThrow('not even that');
    await elapse(1000);
    expect(letGo).toHaveBeenCalledOnce();
  });

  it.each([Infinity, 2 ** 31, 1e12])('stays for ever with %d', async (keepAlive) => {
    const letGo = vi.fn();
    const { using } = createIdle(keepAlive, letGo);
    await using(() => 1);
    expect(vi.getTimerCount()).toBe(0);
    expect(letGo).not.toHaveBeenCalled();
  });

  it('is let go after each use with 0, but not after the load or what prepares a use', async () => {
    const letGo = vi.fn();
    const { using } = createIdle(0, letGo);
    await elapse(1000);
    await using(() => using(() => 1), true);
    await elapse(1000);
    expect(letGo).not.toHaveBeenCalled();
    await using(() => 1);
    await elapse(0);
    expect(letGo).toHaveBeenCalledOnce();
  });

  it('is not let go any more once that is stopped, whatever is still under way', async () => {
    const letGo = vi.fn();
    const { using, stop } = createIdle(1000, letGo);
    void using(takes(10));
    stop();
    await elapse(5000);
    expect(letGo).not.toHaveBeenCalled();
  });
});

describe('a release', () => {
  it('is done in this turn if nothing is under way', async () => {
    const letGo = vi.fn();
    const { release } = createIdle(Infinity, letGo);
    const released = release();
    expect(letGo).toHaveBeenCalledOnce();
    await released;
  });

  it('waits for what is under way, and for what begins before that has ended', async () => {
    const letGo = vi.fn();
    const { using, release } = createIdle(Infinity, letGo);
    void using(takes(100));
    const released = release();
    await elapse(50);
    void using(takes(100));
    await elapse(99);
    expect(letGo).not.toHaveBeenCalled();
    await elapse(1);
    await released;
    expect(letGo).toHaveBeenCalledOnce();
  });

  it('comes between two uses of which the second begins when the first has ended', async () => {
    const seen: string[] = [];
    const { using, release } = createIdle(Infinity, () => void seen.push('let go'));
    const uses = (async () => {
      await using(takes(10));
      seen.push('first');
      await using(() => seen.push('second'));
    })();
    const released = release();
    await elapse(10);
    await Promise.all([uses, released]);
    expect(seen).toEqual(['let go', 'first', 'second']);
  });
});

it('no timer keeps a Node process alive', () => {
  vi.useRealTimers();
  const set = vi.spyOn(globalThis, 'setTimeout');
  const { stop } = createIdle(60_000, () => {});
  expect(set.mock.results[0].value.hasRef()).toBe(false);
  stop();
  set.mockRestore();
});

it('says how long it takes until nothing will have used it for so long', async () => {
  const { using, restOf } = createIdle(Infinity, () => {});
  expect(restOf(1000)).toBe(1000);
  await elapse(600);
  expect(restOf(1000)).toBe(400);
  void using(takes(5000));
  await elapse(4000);
  expect(restOf(1000)).toBe(1000);
  await elapse(1500);
  expect([restOf(1000), restOf(300)]).toEqual([500, 0]);
});

it('its timers keep no Node process alive', () => {
  vi.useRealTimers();
  const timer = after(100_000, () => {});
  expect((timer as unknown as NodeJS.Timeout).hasRef()).toBe(false);
  clearTimeout(timer);
});
