import { afterAll, afterEach, describe, expect, it, vi } from 'vitest';
import { ModelFileError } from '../api/errors';
import type { LoadOptions, Progress } from '../api/types';
import { loadModel } from './client';
import { absoluteSource } from './to-worker';
import { closePorts, echoModel, info, load, workerDouble } from './worker-double';

// In Node there is no page: relative addresses need one.
vi.stubGlobal('location', { href: 'https://example.org/app/index.html' });
afterAll(() => void vi.unstubAllGlobals());
afterEach(closePorts);

describe('loading', () => {
  it('sends the source and the cloneable options, and returns a model with info and memory', async () => {
    const calls: unknown[][] = [];
    const worker = workerDouble(async (...args) => {
      calls.push(args);
      return echoModel().model;
    });
    const files = new Map([['config.json', new Blob(['{}'])]]);
    const model = await loadModel(files, { worker, dtype: 'f16', hubUrl: '/mirror' });
    const [source, options] = calls[0] as [Map<string, Blob>, LoadOptions];
    expect(await source.get('config.json')?.text()).toBe('{}');
    expect(options).toMatchObject({ dtype: 'f16', hubUrl: 'https://example.org/mirror' });
    expect(model.info).toEqual(info);
    expect(model.memory()).toEqual({ weights: 7, activations: 0, peak: 9 });
  });

  it('sends adapters with absolute addresses, but the name of one as it is; a change brings its info', async () => {
    const calls: LoadOptions[] = [];
    const one = { ...info, loraAdapter: 'one', labels: ['a'] };
    const worker = () =>
      workerDouble(async (_, options) => {
        calls.push(options);
        return echoModel({ setAdapter: async (name) => ({ ...one, loraAdapter: name }) }).model;
      });
    await loadModel('org/base', { worker: worker(), adapter: './adapter' });
    const adapters = { './one': '/one', two: new URL('https://example.org/two'), three: 'org/three' };
    const model = await loadModel('org/base', { worker: worker(), adapters, adapter: './one' });
    expect(calls).toMatchObject([
      { adapter: 'https://example.org/app/adapter' },
      {
        adapter: './one',
        adapters: { './one': 'https://example.org/one', two: 'https://example.org/two', three: 'org/three' },
      },
    ]);
    expect(await model.setAdapter('two')).toBe(model.info);
    expect(model.info).toMatchObject({ loraAdapter: 'two', labels: ['a'] });
    await model.setAdapter();
    expect(model.info.loraAdapter).toBeUndefined();
  });

  it('makes relative addresses absolute and leaves Hub ids alone', () => {
    expect(absoluteSource('./models/nano')).toBe('https://example.org/app/models/nano');
    expect(absoluteSource('../nano')).toBe('https://example.org/nano');
    expect(absoluteSource('models/nano/')).toBe('https://example.org/app/models/nano/');
    expect(absoluteSource('..')).toBe('https://example.org/');
    expect(absoluteSource('/nano')).toBe('https://example.org/nano');
    expect(absoluteSource('answerdotai/ModernBERT-base')).toBe('answerdotai/ModernBERT-base');
    expect(absoluteSource('https://other.org/m/')).toBe('https://other.org/m/');
    expect(absoluteSource(new URL('https://other.org/m/'))).toBe('https://other.org/m/');
  });

  it('throttles progress but always sends the last report of each file', async () => {
    const worker = workerDouble(async (_source, { onProgress }) => {
      for (let loaded = 1; loaded <= 1000; loaded++) onProgress?.({ file: 'a', loaded, total: 1000 });
      for (let loaded = 1; loaded <= 500; loaded++) onProgress?.({ file: 'b', loaded, total: undefined });
      return echoModel().model;
    });
    const reports: Progress[] = [];
    await loadModel('./nano', { worker, onProgress: (progress) => reports.push(progress) });
    expect(reports.filter(({ file }) => file === 'a').at(-1)?.loaded).toBe(1000);
    expect(reports.filter(({ file }) => file === 'b').at(-1)?.loaded).toBe(500);
    expect(reports.length).toBeLessThan(20);
  });

  it('rejects with the error of the progress callback and frees the model', async () => {
    const { model } = echoModel();
    const worker = workerDouble(async (_source, { onProgress }) => {
      onProgress?.({ file: 'a', loaded: 1, total: 1 });
      return model;
    });
    const onProgress = () => {
      throw new RangeError('no room for a bar');
    };
    await expect(loadModel('./nano', { worker, onProgress })).rejects.toThrow('no room for a bar');
    expect(model.dispose).toHaveBeenCalledOnce();
  });

  it('refuses what is no signal and no callback, and can be disposed of after that', async () => {
    const worker = workerDouble(async () => echoModel().model);
    const model = await loadModel('./nano', { worker });
    const controller = new AbortController() as unknown as AbortSignal;
    await expect(model.classify('a', { signal: controller })).rejects.toThrow('its signal, controller.signal');
    await expect(model.classify('a', { onProgress: 5 as never })).rejects.toThrow('onProgress must be a function');
    await expect(loadModel('./nano', { signal: controller })).rejects.toThrow('its signal, controller.signal');
    await expect(loadModel('./nano', { worker: 'yes' as never })).rejects.toThrow(
      'The option worker must be true, false',
    );
    await model.dispose();
    expect(worker.terminate).toHaveBeenCalled();
  });

  it('says what to import where there are no workers', async () => {
    await expect(loadModel('./nano')).rejects.toThrow('In Node and Deno import modernbert-webgpu/node');
  });

  it('keeps the class of the error and ends the worker', async () => {
    const worker = workerDouble(async () => {
      throw new ModelFileError('model.safetensors ends early');
    });
    const failure = await loadModel('./nano', { worker }).catch((error: unknown) => error);
    expect(failure).toBeInstanceOf(ModelFileError);
    expect(worker.terminate).toHaveBeenCalled();
  });

  it('rejects at once when aborted, tells the worker and ends it', async () => {
    const aborted = vi.fn();
    const worker = workerDouble(
      (_source, { signal }) =>
        new Promise((_, reject) => {
          signal?.addEventListener('abort', () => {
            aborted();
            reject(signal.reason);
          });
        }),
    );
    const controller = new AbortController();
    const reason = new Error('the user went elsewhere');
    setTimeout(() => controller.abort(reason), 20);
    await expect(loadModel('./nano', { worker, signal: controller.signal })).rejects.toBe(reason);
    expect(worker.terminate).toHaveBeenCalled();
    await vi.waitFor(() => expect(aborted).toHaveBeenCalled());
  });

  it('does not start if the signal is already aborted', async () => {
    const load = vi.fn();
    const worker = workerDouble(load);
    await expect(loadModel('./nano', { worker, signal: AbortSignal.abort() })).rejects.toMatchObject({
      name: 'AbortError',
    });
    expect(load).not.toHaveBeenCalled();
  });

  it('refuses a second model in the same worker', async () => {
    const { worker } = await load();
    await expect(loadModel('./nano', { worker })).rejects.toThrow('already holds a model');
  });

  it('refuses the option gpu, which cannot be sent to a worker', async () => {
    await expect(loadModel('./nano', { gpu: {} as GPU })).rejects.toThrow('worker: false');
  });

  it("rejects when the worker's script does not load", async () => {
    const worker = workerDouble(() => new Promise(() => {}));
    const loading = loadModel('./nano', { worker });
    worker.dispatchEvent(new Event('error'));
    await expect(loading).rejects.toThrow('could not be loaded');
  });
});

describe('dispose', () => {
  it('frees the model, rejects waiting and later calls, and ends the worker', async () => {
    const { remote, model, worker } = await load();
    const waiting = remote.classify('wait');
    const disposed = remote.dispose();
    await expect(waiting).rejects.toMatchObject({ name: 'AbortError', message: /disposed/ });
    await disposed;
    expect(model.dispose).toHaveBeenCalledOnce();
    expect(worker.terminate).toHaveBeenCalled();
    await expect(remote.classify('b')).rejects.toThrow('disposed');
    await remote.dispose();
  });

  it('ends a worker that does not answer, within a second', async () => {
    const { remote, worker } = await load({ dispose: () => new Promise<void>(() => {}) });
    const waiting = remote.classify('wait');
    const disposed = remote.dispose();
    await expect(waiting).rejects.toMatchObject({ name: 'AbortError' });
    await disposed;
    expect(worker.terminate).toHaveBeenCalled();
  });

  it('does not reject if freeing the model fails', async () => {
    const failing = async () => {
      throw new Error('no');
    };
    const { remote, worker } = await load({ dispose: failing });
    await remote.dispose();
    expect(worker.terminate).toHaveBeenCalled();
  });
});
