import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import type { Model } from '../../src/index';
import { measureWhenIdle, runBegins, runEnds } from './idle-speed';

const measureSpeed = vi.hoisted(() => vi.fn());
vi.mock('./speed', () => ({ measureSpeed }));
beforeEach(() => vi.useFakeTimers());
afterEach(() => vi.useRealTimers());

it('measures once nothing has run for a while, and again what a run has stopped', async () => {
  const model = {} as Model;
  const signals: AbortSignal[] = [];
  measureSpeed.mockImplementation(async (_model: Model, _source: string, signal: AbortSignal) => {
    signals.push(signal);
    await new Promise((resolve) => setTimeout(resolve, 1000));
    signal.throwIfAborted();
  });
  runBegins();
  runBegins(); // such as a benchmark, which uses no picker
  measureWhenIdle(model, './models/a');
  runEnds();
  await vi.advanceTimersByTimeAsync(9000);
  expect(signals).toHaveLength(0);
  runEnds();
  await vi.advanceTimersByTimeAsync(2900);
  expect(signals).toHaveLength(0);
  await vi.advanceTimersByTimeAsync(200);
  expect(signals).toHaveLength(1);
  runBegins();
  expect(signals[0].aborted).toBe(true);
  runEnds();
  await vi.advanceTimersByTimeAsync(5000);
  expect(signals).toHaveLength(2);
  await vi.advanceTimersByTimeAsync(60_000);
  expect(signals).toHaveLength(2); // until the next run
});
