import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { DeviceLostError, ModelFileError, WebGPUUnavailableError } from '../api/errors';
import type { Runtime } from '../runtime/runtime';
import { createEngine, type EngineOptions, type Loaded } from './engine';

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());
const elapse = (ms: number) => vi.advanceTimersByTimeAsync(ms);

/** A runtime whose passes take 10 ms, and are lost with it. */
function fakeRuntime(name: string) {
  const gpu: { lost?: DeviceLostError } = {};
  let weights = 100;
  const runtime = {
    gpu,
    memoryUse: () => ({ weights, activations: 0, peak: 100 }),
    dispose: vi.fn(() => {
      weights = 0;
      gpu.lost ??= new DeviceLostError('destroyed');
    }),
    async run(_: unknown, __: unknown, { onSubmitted }: { onSubmitted: () => void }) {
      onSubmitted();
      await new Promise((resolve) => setTimeout(resolve, 10));
      if (gpu.lost) throw gpu.lost;
      return { heads: [name] };
    },
  };
  return runtime as unknown as Runtime & { dispose: typeof runtime.dispose };
}

/** An engine whose loads take 50 ms, and fail with the `failures` first. */
function start(options: EngineOptions = {}, failures: Error[] = []) {
  const runtimes = [fakeRuntime('first')];
  const load = vi.fn(async (): Promise<Loaded> => {
    await new Promise((resolve) => setTimeout(resolve, 50));
    const failure = failures.shift();
    if (failure) throw failure;
    runtimes.push(fakeRuntime(`load ${runtimes.length}`));
    return { runtime: runtimes.at(-1)! };
  });
  const engine = createEngine({ runtime: runtimes[0] }, load, options);
  const pass = async () => {
    const result = await engine.run([], [], { onSubmitted: () => {} }, false);
    return (result.heads as unknown as string[])[0];
  };
  return { engine, pass, load, runtimes };
}

describe('an idle model', () => {
  it('lets go of its memory, says so, and is loaded again by the next pass', async () => {
    const onRelease = vi.fn();
    const { engine, pass, load, runtimes } = start({ keepAlive: 1000, onRelease });
    await elapse(1000);
    expect(onRelease).toHaveBeenCalledOnce();
    expect(engine.memory()).toEqual({ weights: 0, activations: 0, peak: 100 });
    const answers = Promise.all([pass(), pass()]);
    await elapse(70);
    expect(await answers).toEqual(['load 1', 'load 1']);
    expect(load).toHaveBeenCalledOnce();
    expect(engine.memory().weights).toBe(100);
    await elapse(1000);
    expect(runtimes[1].dispose).toHaveBeenCalledOnce();
    expect(onRelease).toHaveBeenCalledTimes(2);
  });

  it('is not one with a call that still has no pass, or with a pass whose call was aborted', async () => {
    const { engine, pass, runtimes } = start({ keepAlive: 5 });
    const { call } = engine.counted({ call: () => new Promise((resolve) => setTimeout(resolve, 100)) });
    void call();
    await elapse(100);
    expect(runtimes[0].dispose).not.toHaveBeenCalled();
    const answer = pass(); // 10 ms, no call counts it
    await elapse(14);
    expect(await answer).toBe('first');
    expect(runtimes[0].dispose).not.toHaveBeenCalled();
    await elapse(1);
    expect(runtimes[0].dispose).toHaveBeenCalledOnce();
  });

  it('is loaded again whether or not it is recovered after a loss', async () => {
    const { engine, pass } = start({ keepAlive: 1000, recover: false });
    await engine.release();
    const answer = pass();
    await elapse(60);
    expect(await answer).toBe('load 1');
  });

  it('whose load fails rejects with the reason, and the next call tries again', async () => {
    const { engine, pass } = start({}, [new ModelFileError('There is no network.')]);
    await engine.release();
    const failed = expect(pass()).rejects.toThrow(new ModelFileError('There is no network.'));
    await elapse(50);
    await failed;
    const answer = pass();
    await elapse(60);
    expect(await answer).toBe('load 1');
  });

  it('whose load is lost, or finds no adapter, is loaded once more', async () => {
    const { engine, pass, load } = start({}, [new DeviceLostError('lost'), new WebGPUUnavailableError('none')]);
    await engine.release();
    const answer = pass();
    await elapse(3000);
    expect(await answer).toBe('load 1');
    expect(load).toHaveBeenCalledTimes(3);
  });

  it('whose load is lost without recovery rejects', async () => {
    const { engine, pass, load } = start({ recover: false }, [new DeviceLostError('lost')]);
    await engine.release();
    const failed = expect(pass()).rejects.toThrow('lost');
    await elapse(3000);
    await failed;
    expect(load).toHaveBeenCalledOnce();
  });
});

describe('a release by hand', () => {
  it('waits for the passes under way', async () => {
    const { engine, pass, runtimes } = start();
    const answer = pass();
    const released = engine.release();
    await elapse(9);
    expect(runtimes[0].dispose).not.toHaveBeenCalled();
    await elapse(1);
    expect(await answer).toBe('first');
    await released;
    expect(runtimes[0].dispose).toHaveBeenCalledOnce();
    await engine.release();
    expect(runtimes[0].dispose).toHaveBeenCalledOnce();
  });

  it('is no loss: one that comes soon after is the first, and is recovered from', async () => {
    const { engine, pass, runtimes } = start();
    await engine.release();
    const answer = pass();
    await elapse(60);
    expect(await answer).toBe('load 1');
    const lost = new DeviceLostError('a real one');
    Object.assign(runtimes[1].gpu, { lost });
    expect(engine.isWorthAnother(lost)).toBe(true);
    const again = pass();
    await elapse(60);
    expect(await again).toBe('load 2');
  });

  it('does not bring back a model whose loss is final', async () => {
    const { engine, pass, runtimes, load } = start({ recover: false });
    Object.assign(runtimes[0].gpu, { lost: new DeviceLostError('lost') });
    await engine.release();
    const failed = expect(pass()).rejects.toThrow('lost');
    await elapse(10);
    await failed;
    expect(load).not.toHaveBeenCalled();
  });

  it('ends as a disposal if the model is disposed of meanwhile or before', async () => {
    const { engine, pass } = start();
    const answer = expect(pass()).rejects.toThrow('destroyed');
    const released = expect(engine.release()).rejects.toMatchObject({ name: 'AbortError', message: /disposed/ });
    engine.dispose();
    await elapse(10);
    await answer;
    await released;
    await expect(engine.release()).rejects.toThrow('disposed');
  });

  it('during the load after another waits for its pass', async () => {
    const { engine, pass, runtimes } = start();
    await engine.release();
    const answer = pass();
    await elapse(20);
    const released = engine.release();
    await elapse(40);
    expect(await answer).toBe('load 1');
    await released;
    expect(runtimes[1].dispose).toHaveBeenCalledOnce();
  });
});

it('a disposed model is not let go again, and a load that was under way leaves nothing behind', async () => {
  const onRelease = vi.fn();
  const { engine, pass, runtimes } = start({ keepAlive: 1000, onRelease });
  await engine.release();
  const answer = expect(pass()).rejects.toThrow();
  await elapse(20);
  engine.dispose();
  await elapse(5000);
  await answer;
  expect(runtimes[1].dispose).toHaveBeenCalled();
  expect(onRelease).toHaveBeenCalledOnce();
});
