import { afterAll, afterEach, describe, expect, it, vi } from 'vitest';
import { WorkerError } from '../api/errors';
import type { LoadOptions, Model, ModelInfo } from '../api/types';
import { loadModel } from './client';
import { closePorts, echoModel, workerDouble } from './worker-double';

const started: (Worker & { terminate: () => void })[] = [];
let next: (options: LoadOptions) => Promise<Model> = async () => echoModel().model;
/** What the browser has: each new worker is a double. */
vi.stubGlobal('Worker', function startDouble() {
  const worker = workerDouble((_, options) => next(options));
  started.push(worker);
  return worker;
});

// In Node there is no page: relative addresses need one.
vi.stubGlobal('location', { href: 'https://example.org/app/index.html' });
afterAll(() => void vi.unstubAllGlobals());
afterEach(closePorts);

describe('a worker that crashes', () => {
  const crash = (worker = started.at(-1)!) =>
    worker.dispatchEvent(Object.assign(new Event('error'), { message: 'out of memory', filename: 'w.js', lineno: 1 }));
  afterEach(() => {
    started.length = 0;
    next = async () => echoModel().model;
  });

  it('is replaced, and what was under way is done by the new one', async () => {
    const remote = await loadModel('./nano');
    const reached: string[] = [];
    const classify = async (text: string) => [text, reached.push(text)] as never;
    next = async () => echoModel({ classify } as object).model;
    const calls = [remote.classify('wait a'), remote.classify('wait b')];
    crash();
    expect((await Promise.all(calls)).map(([text]) => text)).toEqual(['wait a', 'wait b']);
    expect(started).toHaveLength(2);
    await remote.dispose();
    expect(started[1].terminate).toHaveBeenCalled();
  });

  it('is replaced by another one of the function that made it, and not if it was passed itself', async () => {
    let made = 0;
    const worker = () => {
      made++;
      return new Worker('worker.js');
    };
    const remote = await loadModel('./nano', { worker });
    crash();
    expect(await remote.classify('a')).toEqual(['classify', 'a']);
    expect(made).toBe(2);
    await remote.dispose();

    const own = await loadModel('./nano', { worker: worker() });
    crash();
    await expect(own.classify('a')).rejects.toThrow(WorkerError);
    expect(made).toBe(3);
  });

  it('is replaced by one with the adapter that was in use', async () => {
    const loaded: LoadOptions['adapter'][] = [];
    next = async ({ adapter }) => {
      loaded.push(adapter);
      return echoModel({ setAdapter: async (name) => ({ loraAdapter: name }) as ModelInfo }).model;
    };
    const remote = await loadModel('./nano', { adapters: { one: 'org/one', two: 'org/two' }, adapter: 'one' });
    await remote.setAdapter('two');
    crash();
    await remote.classify('a');
    expect(loaded).toEqual(['one', 'two']);
    await remote.dispose();
  });

  it('between two calls is not noticed by the next', async () => {
    const remote = await loadModel('./nano');
    crash();
    expect(await remote.classify('a')).toEqual(['classify', 'a']);
    await remote.dispose();
  });

  it('while it loads is started once more, and then given up', async () => {
    let loads = 0;
    next = () => {
      loads++;
      setTimeout(crash);
      return new Promise(() => {});
    };
    await expect(loadModel('./nano')).rejects.toThrow(WorkerError);
    expect(loads).toBe(2);
  });

  it('twice within seconds rejects the calls under way; the next tries afresh', async () => {
    const remote = await loadModel('./nano');
    crash();
    await remote.classify('a');
    const waiting = remote.classify('wait');
    crash();
    await expect(waiting).rejects.toThrow(WorkerError);
    expect(await remote.classify('b')).toEqual(['classify', 'b']);
    await remote.dispose();
  });

  it('stays dead if the model is not to recover', async () => {
    const remote = await loadModel('./nano', { recover: false });
    crash();
    await expect(remote.classify('a')).rejects.toThrow(WorkerError);
    expect(started).toHaveLength(1);
  });

  it('holds no call that is aborted while another one loads', async () => {
    const remote = await loadModel('./nano');
    next = () => new Promise(() => {});
    crash();
    const controller = new AbortController();
    const waiting = remote.classify('a', { signal: controller.signal });
    await vi.waitFor(() => expect(started).toHaveLength(2));
    controller.abort(new Error('not wanted any more'));
    await expect(waiting).rejects.toThrow('not wanted any more');
    await remote.dispose();
  });

  it('is not waited for, and ended, if the model is disposed while it loads', async () => {
    const remote = await loadModel('./nano');
    next = () => new Promise(() => {});
    crash();
    const waiting = remote.classify('a');
    await vi.waitFor(() => expect(started).toHaveLength(2));
    await remote.dispose();
    await expect(waiting).rejects.toMatchObject({ name: 'AbortError', message: /disposed/ });
    expect(started[1].terminate).toHaveBeenCalled();
    await expect(remote.classify('b')).rejects.toMatchObject({ name: 'AbortError', message: /disposed/ });
    expect(started).toHaveLength(2);
  });

  it('is not replaced for a call that was aborted, or after the model was disposed', async () => {
    const remote = await loadModel('./nano');
    const waiting = remote.classify('wait');
    const disposed = remote.dispose();
    crash();
    await expect(waiting).rejects.toMatchObject({ name: 'AbortError' });
    await disposed;
    expect(started).toHaveLength(1);
  });
});
