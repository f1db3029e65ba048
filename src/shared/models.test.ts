import { describe, expect, it, vi } from 'vitest';
import type { LoadOptions, Model, ModelSource, Progress } from '../api/types';
import { echoModel } from '../session/worker-double';
import { shareModels } from './models';

/** Loads that end when the test says so. */
function manual() {
  const loads: {
    source: ModelSource;
    options: LoadOptions;
    model: Model;
    done(): void;
    fail(error: Error): void;
  }[] = [];
  const load = shareModels(
    (source, options) =>
      new Promise<Model>((resolve, reject) => {
        const { model } = echoModel();
        loads.push({ source, options, model, done: () => resolve(model), fail: reject });
        options.signal?.addEventListener('abort', () => reject(options.signal?.reason));
      }),
  );
  return { load, loads };
}

const report = (file: string, loaded: number): Progress => ({ file, loaded, total: 9 });

describe('models that are shared', () => {
  it('are loaded once for the same source and options, whatever their order', async () => {
    const { load, loads } = manual();
    const both = [
      load('org/a', { dtype: 'f16', cache: 'none' }),
      load('org/a', { cache: 'none', revision: undefined, dtype: 'f16' }),
    ];
    expect(loads).toHaveLength(1);
    expect(loads[0]).toMatchObject({ source: 'org/a', options: { dtype: 'f16', cache: 'none' } });
    loads[0].done();
    const [one, two] = await Promise.all(both);
    expect(one.info).toBe(two.info);
    expect(await two.classify('x')).toEqual(['classify', 'x']);
    await load('org/a', { dtype: 'f16', cache: 'none' });
    expect(loads).toHaveLength(1);
  });

  it('are others for another source and for other options', () => {
    const { load, loads } = manual();
    for (const [source, options] of [
      ['org/a', {}],
      ['org/b', {}],
      ['org/a', { dtype: 'q8' }],
      ['org/a', { dtype: 'q8', compute: 'int8' }],
    ] as const) {
      void load(source, options);
    }
    expect(loads).toHaveLength(4);
  });

  it('end with the last dispose, and count one dispose per user', async () => {
    const { load, loads } = manual();
    const both = [load('org/a', {}), load('org/a', {})];
    const [{ done, model }] = loads;
    done();
    const [one, two] = await Promise.all(both);
    await one.dispose();
    await one.dispose();
    expect(model.dispose).not.toHaveBeenCalled();
    await two.dispose();
    expect(model.dispose).toHaveBeenCalledOnce();
    void load('org/a', {});
    expect(loads).toHaveLength(2);
  });

  it('tell their progress to all who wait, and what there was to those who come later', async () => {
    const { load, loads } = manual();
    const early = vi.fn();
    const late = vi.fn();
    const first = load('org/a', { onProgress: early });
    const onProgress = loads[0].options.onProgress!;
    onProgress(report('a', 1));
    onProgress(report('a', 9));
    void load('org/a', { onProgress: late });
    onProgress(report('b', 2));
    expect(early.mock.calls).toEqual([[report('a', 1)], [report('a', 9)], [report('b', 2)]]);
    expect(late.mock.calls).toEqual([[report('a', 9)], [report('b', 2)]]);
    loads[0].done();
    await first;
    onProgress(report('b', 9));
    expect(early).toHaveBeenCalledTimes(3);
  });

  it('go on loading when one user aborts, and end when the last does', async () => {
    const { load, loads } = manual();
    const aborts = [new AbortController(), new AbortController()];
    const both = aborts.map(({ signal }) => load('org/a', { signal }));
    aborts[0].abort(new Error('first'));
    await expect(both[0]).rejects.toThrow('first');
    expect(loads[0].options.signal?.aborted).toBe(false);
    aborts[1].abort(new Error('second'));
    await expect(both[1]).rejects.toThrow('second');
    expect(loads[0].options.signal?.aborted).toBe(true);
    void load('org/a', {});
    expect(loads).toHaveLength(2);
  });

  it('are freed if all users aborted although the load went through', async () => {
    const { model } = echoModel();
    let done = (_: Model) => {};
    const load = shareModels(() => new Promise((resolve) => (done = resolve)));
    const abort = new AbortController();
    const loading = load('org/a', { signal: abort.signal });
    abort.abort(new Error('no'));
    await expect(loading).rejects.toThrow('no');
    done(model);
    await vi.waitFor(() => expect(model.dispose).toHaveBeenCalledOnce());
  });

  it('whose load fails tell all who wait, and the next one tries afresh', async () => {
    const { load, loads } = manual();
    const both = [load('org/a', {}), load('org/a', {})];
    loads[0].fail(new RangeError('broken'));
    for (const one of both) await expect(one).rejects.toThrow('broken');
    const again = load('org/a', {});
    loads[1].done();
    expect((await again).info).toBe(loads[1].model.info);
  });
});
