import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { settled } from './firefox';

const FIREFOX = 'Mozilla/5.0 (X11; Linux x86_64; rv:153.0) Gecko/20100101 Firefox/153.0';
const CHROME = 'Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/156.0.0.0 Safari/537.36';

const inBrowser = (userAgent: string) => vi.stubGlobal('navigator', { userAgent });
const submit = vi.fn();
const queue = { submit } as unknown as GPUQueue;

beforeEach(() => {
  vi.useFakeTimers();
  submit.mockClear();
});
afterEach(() => {
  vi.useRealTimers();
  vi.unstubAllGlobals();
});

/** A promise, and what settles it. */
function pending() {
  let resolve!: (value: string) => void;
  let reject!: (reason: Error) => void;
  const promise = new Promise<string>((a, b) => {
    resolve = a;
    reject = b;
  });
  return { promise, resolve, reject };
}

describe('settled', () => {
  it('submits nothing in particular until the GPU is done, and not afterwards', async () => {
    inBrowser(FIREFOX);
    const work = pending();
    const waiting = settled(queue, work.promise);
    await vi.advanceTimersByTimeAsync(10);
    expect(submit.mock.calls.length).toBeGreaterThan(3);
    expect(submit.mock.calls.flat()).toEqual(submit.mock.calls.map(() => []));
    work.resolve('done');
    expect(await waiting).toBe('done');
    submit.mockClear();
    await vi.advanceTimersByTimeAsync(1000);
    expect(submit).not.toHaveBeenCalled();
    expect(vi.getTimerCount()).toBe(0);
  });

  it('passes on an error, and submits no more', async () => {
    inBrowser(FIREFOX);
    const work = pending();
    const waiting = settled(queue, work.promise);
    const failed = expect(waiting).rejects.toThrow('lost');
    work.reject(new Error('lost'));
    await failed;
    expect(vi.getTimerCount()).toBe(0);
  });

  it('ends by itself after some two seconds, once its pauses are those of Firefox', async () => {
    inBrowser(FIREFOX);
    void settled(queue, pending().promise);
    await vi.advanceTimersByTimeAsync(3000);
    const submits = submit.mock.calls.length;
    expect(submits).toBeGreaterThan(60);
    expect(submits).toBeLessThan(90);
    await vi.advanceTimersByTimeAsync(60_000);
    expect(submit).toHaveBeenCalledTimes(submits);
    expect(vi.getTimerCount()).toBe(0);
  });

  it('does nothing in other browsers', async () => {
    inBrowser(CHROME);
    const work = pending();
    const waiting = settled(queue, work.promise);
    await vi.advanceTimersByTimeAsync(1000);
    work.resolve('done');
    expect(await waiting).toBe('done');
    expect(submit).not.toHaveBeenCalled();
  });
});
