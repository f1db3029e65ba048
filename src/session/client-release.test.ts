import { afterAll, afterEach, describe, expect, it, vi } from 'vitest';
import type { LoadOptions, Model } from '../api/types';
import { loadModel } from './client';
import { closePorts, echoModel, workerDouble } from './worker-double';

// In Node there is no page: relative addresses need one.
vi.stubGlobal('location', { href: 'https://example.org/app/index.html' });
afterAll(() => void vi.unstubAllGlobals());
afterEach(closePorts);

describe('a model that lets go of its memory', () => {
  /** In a worker; `setMemory` is what it has, of which it tells the page with `release`. */
  async function start(options: LoadOptions) {
    let weights = 7;
    let onRelease = () => {};
    const own = echoModel({ memory: () => ({ weights, activations: 0, peak: 9 }) });
    const worker = workerDouble(async (_, options) => {
      onRelease = (options as { onRelease: () => void }).onRelease;
      return own.model;
    });
    const remote = await loadModel('./nano', { worker, ...options });
    const release = () => {
      weights = 0;
      onRelease();
    };
    const load = () => {
      weights = 7;
    };
    return { ...own, remote, worker, release, load };
  }
  const until = (remote: Model, weights: number) => vi.waitFor(() => expect(remote.memory().weights).toBe(weights));

  it('says so to the page, each time', async () => {
    const { remote, release, load } = await start({ keepAlive: 1000 });
    expect(remote.memory().weights).toBe(7);
    release();
    await until(remote, 0);
    load();
    await remote.classify('a');
    expect(remote.memory().weights).toBe(7);
    release();
    await until(remote, 0);
    await remote.dispose();
  });

  it('says so also if the page had not asked yet', async () => {
    const { remote, release, load } = await start({ keepAlive: 0 });
    release();
    load();
    release(); // before the page hears of the first one
    await until(remote, 0);
  });

  it('does so by hand, and is warmed by hand', async () => {
    const { remote, seen, release, load } = await start({});
    release(); // what the model's own release does
    await remote.release();
    expect(remote.memory().weights).toBe(0);
    load();
    await remote.warm();
    expect(remote.memory().weights).toBe(7);
    expect(seen).toEqual([['release'], ['warm']]);
  });

  it('is one in the worker that takes over, too', async () => {
    const releases: (() => void)[] = [];
    let weights = 7;
    const started: Worker[] = [];
    const worker = () => {
      const own = workerDouble(async (_, options) => {
        releases.push((options as { onRelease: () => void }).onRelease);
        expect(options.keepAlive).toBe(1000);
        return echoModel({ memory: () => ({ weights, activations: 0, peak: 9 }) }).model;
      });
      started.push(own);
      return own;
    };
    const remote = await loadModel('./nano', { worker, keepAlive: 1000 });
    started[0].dispatchEvent(Object.assign(new Event('error'), { message: 'crash', filename: 'w.js', lineno: 1 }));
    await remote.classify('a');
    weights = 0;
    releases[1]();
    await until(remote, 0);
  });
});
