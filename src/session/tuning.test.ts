import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { DeviceLostError } from '../api/errors';
import type { Turn } from '../kernels/tune';
import type { Runtime } from '../runtime/runtime';
import { createEngine, type EngineOptions, type Loaded } from './engine';

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());
const elapse = (ms: number) => vi.advanceTimersByTimeAsync(ms);
const wait = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));

/** What the device does, in order: passes and pieces of measuring, each with the millisecond of its beginning. */
let log: string[];
beforeEach(() => {
  log = [];
});

/** A model whose passes take 10 ms, and whose tuning takes five pieces of 3 ms. */
function fakeModel(name: string, start: number, piece = () => wait(3)): Loaded {
  const note = (what: string) => log.push(`${name} ${what} ${Math.round(performance.now() - start)}`);
  const gpu: Partial<Runtime['gpu']> = {
    onLost: new Set(),
    device: {
      pushErrorScope() {},
      popErrorScope: async () => null,
      queue: { onSubmittedWorkDone: async () => {} },
    } as unknown as GPUDevice,
  };
  const runtime = {
    gpu,
    dispose: () => {
      gpu.lost ??= new DeviceLostError('destroyed');
      for (const tell of gpu.onLost!) tell(gpu.lost);
    },
    async run() {
      note('pass');
      await wait(10);
      if (gpu.lost) throw gpu.lost;
      return { heads: [] };
    },
  };
  const tune = async (turn: Turn) => {
    for (let i = 0; i < 5; i++) {
      await turn(() => {
        note('piece');
        return piece();
      });
    }
    note('tuned');
  };
  return { runtime: runtime as unknown as Runtime, tune };
}

function open(options: EngineOptions = {}, piece?: () => Promise<void>) {
  const start = performance.now();
  const models = [fakeModel('first', start, piece)];
  const load = async () => {
    models.push(fakeModel(`load ${models.length}`, start, piece));
    return models.at(-1)!;
  };
  const engine = createEngine(models[0], load, options);
  const pass = () => engine.run([], [], { onSubmitted: () => {} }, false);
  return { engine, pass, models };
}
const last = () => log.at(-1)!.replace(/ \d+$/, '');
const times = () => log.map((entry) => Number(entry.split(' ').at(-1)));

it('measures nothing before the first result, and then only after a second without a use', async () => {
  const { pass } = open();
  await elapse(5000);
  expect(log).toEqual([]);
  const first = pass();
  await elapse(10);
  await first;
  await elapse(500);
  const second = pass();
  await elapse(10);
  await second;
  await elapse(999);
  expect(log).toEqual(['first pass 5000', 'first pass 5510']);
  await elapse(100);
  expect(last()).toBe('first tuned');
  expect(times()[2]).toBeGreaterThanOrEqual(6520);
});

it('a pass waits for one piece at the most, and measuring then for another second', async () => {
  const { pass } = open();
  void pass();
  await elapse(1011); // the first piece has begun
  expect(last()).toBe('first piece');
  const query = pass();
  await elapse(13);
  await query;
  expect(log.map((entry) => entry.split(' ')[1])).toEqual(['pass', 'piece', 'pass']);
  const [, piece, after] = times();
  expect(after - piece).toBeLessThanOrEqual(3);
  await elapse(980);
  expect(log).toHaveLength(3);
  await elapse(100);
  expect(last()).toBe('first tuned');
});

it('is done once for each device', async () => {
  const { pass } = open();
  for (let i = 0; i < 2; i++) {
    void pass();
    await elapse(3000);
  }
  expect(log.filter((entry) => entry.includes('tuned'))).toHaveLength(1);
});

describe('ends with the model', () => {
  it('that is released, by hand or because it is idle; the next load begins anew', async () => {
    const { engine, pass } = open({ keepAlive: 1006 });
    void pass();
    await elapse(1012);
    await elapse(5000); // released in the second piece
    expect(log.filter((entry) => entry.startsWith('first piece'))).toHaveLength(2);
    void pass();
    await elapse(1012);
    expect(last()).toBe('load 1 piece');
    await engine.release();
    await elapse(5000);
    expect(log.some((entry) => entry.includes('tuned'))).toBe(false);
  });

  it('that is disposed of', async () => {
    const { engine, pass } = open();
    void pass();
    await elapse(1011);
    engine.dispose();
    await elapse(5000);
    expect(log).toHaveLength(2);
  });

  it('whose device is lost; the pass that finds that out has its answer', async () => {
    const { pass, models } = open();
    void pass();
    await elapse(1011);
    models[0].runtime.dispose(); // as a loss
    await elapse(5000);
    expect(log).toHaveLength(2);
    const answer = pass();
    await elapse(10);
    expect((await answer).heads).toEqual([]);
    await elapse(2000);
    expect(last()).toBe('load 1 tuned');
  });
});

it('leaves the model as it is if measuring fails', async () => {
  const { pass } = open({}, () => Promise.reject(new RangeError('The GPU is out of memory')));
  void pass();
  await elapse(2000);
  expect(log).toHaveLength(2);
  const answer = pass();
  await elapse(10);
  expect((await answer).heads).toEqual([]);
});

it('is given up for a pass that has no memory beside it', async () => {
  const { pass, models } = open();
  const { runtime, tune } = models[0];
  let isHeld = false;
  models[0].tune = async (turn) => {
    isHeld = true;
    await tune!(turn).finally(() => {
      isHeld = false;
    });
  };
  const { run } = runtime;
  let isLarge = false;
  runtime.run = async (...args) => {
    if (isHeld && isLarge) throw new RangeError('The GPU is out of memory');
    return run(...args);
  };
  void pass();
  await elapse(1011); // the first piece has begun
  isLarge = true;
  const answers = Promise.all([pass(), pass()]);
  await elapse(30);
  expect((await answers).map(({ heads }) => heads)).toEqual([[], []]);
  await elapse(5000);
  expect(log.map((entry) => entry.split(' ')[1])).toEqual(['pass', 'piece', 'pass', 'pass']);
});

it('is not done on a device that is lost by it again and again', async () => {
  const { pass, models } = open();
  for (let i = 0; i < 3; i++) {
    void pass();
    await elapse(1011);
    if (i < 2) models[i].runtime.dispose(); // as a loss, in the first piece
    await elapse(15_000);
  }
  expect(log.filter((entry) => entry.includes('piece')).map((entry) => entry.split(' piece')[0])).toEqual([
    'first',
    'load 1',
  ]);
  expect(log.filter((entry) => entry.includes('pass'))).toHaveLength(3);
});

it('what makes the runtime that overflows nothing takes its turn: a pass beside it would take its errors', async () => {
  const { engine, pass, models } = open();
  const [{ runtime }] = models;
  let isMade = false;
  models[0].precise = async () => {
    log.push('making 0');
    await wait(20);
    isMade = true;
    return runtime;
  };
  const { run } = runtime;
  let beside = 0;
  runtime.run = async (...args) => {
    if (!isMade) beside++;
    return run(...args);
  };
  const answers = Promise.all([engine.run([], [], { onSubmitted: () => {} }, true), pass()]);
  await elapse(100);
  await answers;
  expect(log.map((entry) => entry.split(' ').at(-2))).toEqual(['making', 'pass', 'pass']);
  expect(beside).toBe(0);
});

describe('tuned', () => {
  it('measures at once, also what waits for the model to be idle; passes come in between', async () => {
    const { engine, pass } = open();
    void pass();
    await elapse(10);
    const warm = engine.using(() => engine.tuned());
    void pass();
    await elapse(40);
    await warm;
    expect(log.map((entry) => entry.split(' ')[1]).filter((what) => what !== 'piece')).toEqual([
      'pass',
      'pass',
      'tuned',
    ]);
    expect(times().at(-1)).toBeLessThan(50);
  });

  it('resolves if there is nothing to measure or measuring fails, and rejects if the model is disposed of', async () => {
    const failing = open({}, () => Promise.reject(new Error('no')));
    await failing.engine.tuned();
    void failing.pass();
    await elapse(10);
    await failing.engine.tuned();
    const { engine, pass } = open();
    void pass();
    await elapse(10);
    const disposed = expect(engine.tuned()).rejects.toThrow('disposed');
    engine.dispose();
    await elapse(10);
    await disposed;
  });
});
