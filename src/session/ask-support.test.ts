/** isSupported of a page, whose worker is the real session behind a MessageChannel. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { nullGpu } from '../gpu/fixtures';
import { isSupported } from '../index';
import { publicModel } from '../model/fixtures/golden';
import { folderFiles } from '../sources/folder';
import { supportOf } from './support';
import { closePorts, echoModel, workerDouble } from './worker-double';

const gpu = nullGpu();
const FILES = ['config.json', 'tokenizer.json', 'tokenizer_config.json', 'model.safetensors'];
const NANO = new Map(FILES.map((name) => [name, new Blob([readFileSync(join(publicModel('nano'), name))])]));
const page = { href: 'https://example.org/app/', origin: 'https://example.org' };
afterEach(() => {
  closePorts();
  vi.unstubAllGlobals();
});

/** A page, with WebGPU or without, and a function that makes its workers, with WebGPU or without. */
function pageWith({ inPage, inWorker }: { inPage: boolean; inWorker: boolean }) {
  vi.stubGlobal('location', page);
  vi.stubGlobal('navigator', { userAgent: '', ...(inPage && { gpu }) });
  const asked: unknown[][] = [];
  const worker = vi.fn(() =>
    workerDouble(
      async () => echoModel().model,
      (source, options) => {
        asked.push([source, options]);
        return supportOf(source, { ...options, gpu: inWorker ? gpu : undefined, folder: folderFiles });
      },
    ),
  );
  return { worker, asked };
}

describe('in a worker', () => {
  it('asks it, and ends it', async () => {
    const { worker, asked } = pageWith({ inPage: true, inWorker: true });
    const { supported, adapter } = await isSupported(undefined, { worker });
    expect([supported, adapter?.device]).toEqual([true, 'null-backend']);
    expect(asked).toEqual([[undefined, { signal: expect.any(AbortSignal) }]]);
    expect(worker).toHaveBeenCalledOnce();
    expect(worker.mock.results[0].value.terminate).toHaveBeenCalledOnce();
  });

  it('sends absolute addresses, and the options that can be sent', async () => {
    const { worker, asked } = pageWith({ inPage: true, inWorker: true });
    const onProgress = vi.fn();
    vi.stubGlobal('fetch', async () => new Response(null, { status: 404 }));
    const options = { worker, onProgress, dtype: 'q8', hubUrl: '/mirror', maxLength: 7 } as const;
    const { supported, reason } = await isSupported('./none/', options);
    expect([supported, reason]).toEqual([false, 'model-not-supported']);
    expect(asked).toMatchObject([
      ['https://example.org/app/none/', { dtype: 'q8', hubUrl: 'https://example.org/mirror', maxLength: 7 }],
    ]);
    expect(asked[0][1]).not.toHaveProperty('worker');
    expect(onProgress).not.toHaveBeenCalled();
  });

  it('a worker of the caller goes on to load a model', async () => {
    const { worker } = pageWith({ inPage: true, inWorker: true });
    const own = worker();
    expect(await isSupported(NANO, { worker: own })).toMatchObject({
      supported: true,
      model: { task: 'mlm' },
    });
    expect(own.terminate).not.toHaveBeenCalled();
    const { loadModel } = await import('../index');
    const model = await loadModel('./nano', { worker: own });
    expect(await model.embed('a')).toEqual(['embed', 'a']);
    await model.dispose();
  });

  it('the page has WebGPU, its workers do not', async () => {
    const { worker } = pageWith({ inPage: true, inWorker: false });
    expect(await isSupported(undefined, { worker })).toEqual({
      supported: false,
      reason: 'worker-without-webgpu',
      message: expect.stringMatching(/This page has WebGPU, but its workers do not.*worker: false/),
    });
    expect(await isSupported(undefined, { worker: false })).toMatchObject({ supported: true });
  });

  it('no WebGPU anywhere: no worker is started for that alone', async () => {
    const { worker } = pageWith({ inPage: false, inWorker: false });
    expect(await isSupported(undefined, { worker })).toMatchObject({ supported: false, reason: 'no-webgpu' });
    vi.stubGlobal('isSecureContext', false);
    expect((await isSupported(undefined, { worker })).reason).toBe('insecure-context');
    expect(worker).not.toHaveBeenCalled();
    vi.stubGlobal('isSecureContext', true);
    expect((await isSupported(NANO, { worker })).reason).toBe('no-webgpu');
    expect(worker).toHaveBeenCalledOnce(); // a table of tokens would need none
  });

  it('rejects for wrong options, by its signal, and if the worker does not start; the worker is ended', async () => {
    const { worker } = pageWith({ inPage: true, inWorker: true });
    await expect(isSupported('./a', { wroker: true } as never)).rejects.toThrow("isSupported has no option 'wroker'");
    await expect(isSupported('./a', { worker, gpu })).rejects.toThrow('worker: false');
    await expect(isSupported(NANO, { worker, dtype: 'f8' as never })).rejects.toThrow(RangeError);
    const reason = new Error('gone');
    await expect(isSupported('./a', { worker, signal: AbortSignal.abort(reason) })).rejects.toBe(reason);
    const refused = () => {
      throw new Error('blocked');
    };
    await expect(isSupported('./a', { worker: refused })).rejects.toMatchObject({ name: 'WorkerError' });
    const dead = worker();
    const dying = () => {
      setTimeout(() => dead.dispatchEvent(new Event('error')));
      return dead;
    };
    await expect(isSupported(NANO, { worker: dying })).rejects.toThrow('could not be loaded');
    for (const { value } of worker.mock.results) expect(value.terminate).toHaveBeenCalled();
  });
});

it('in this thread: with its own GPU or another', async () => {
  pageWith({ inPage: false, inWorker: false });
  expect((await isSupported(undefined, { worker: false })).reason).toBe('no-webgpu');
  expect(await isSupported(undefined, { worker: false, gpu })).toMatchObject({ supported: true });
});
