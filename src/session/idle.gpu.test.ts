import { mkdtempSync, readdirSync, readFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, describe, expect, it, vi } from 'vitest';
import type { Model, ModelSource } from '../api/types';
import { TEST_PROFILE, withBytes } from '../gpu/fixtures';
import { checkpointFolder, maxDifference, publicModel, readGolden } from '../model/fixtures/golden';
import { folderOf, RUNS, readCase } from '../reference/calls';
import { folderFiles } from '../sources/folder';
import { folderStore } from '../store/folder';
import { loadModel } from './client';
import type { OpenOptions } from './load-runtime';
import { openModel } from './open';
import type { Adapters } from './opener';
import { closePorts, workerDouble } from './worker-double';

const models: Model[] = [];
afterEach(async () => {
  for (const model of models.splice(0)) await model.dispose();
  closePorts();
});

async function open(
  gpu: GPU,
  source: ModelSource = checkpointFolder('tiny-mlm'),
  options: OpenOptions & Adapters = {},
) {
  const common = { gpu, folder: folderFiles, autotune: false, selfCheck: false, profile: TEST_PROFILE };
  const model = await openModel(source, { ...common, dtype: 'f32', ...options });
  models.push(model);
  return model;
}

const golden = readGolden('tiny-mlm');
const forward = (model: Model) => model.forward(golden.batch, { outputs: ['last_hidden_state'] });
const isRight = ({ last_hidden_state }: Awaited<ReturnType<typeof forward>>) =>
  maxDifference(last_hidden_state!.data, golden.floats('last_hidden_state').data) <= 2e-4;
/** Waits until the model has let go; the test's own limit of time ends it. */
const released = async (model: Model) => {
  while (model.memory().weights > 0) await new Promise((resolve) => setTimeout(resolve, 5));
};

describe('a release', () => {
  it('frees all GPU memory; info stays, and the next call computes the same', async () => {
    const { gpu, bytes } = withBytes();
    const model = await open(gpu);
    const info = structuredClone(model.info);
    await forward(model);
    const { weights, activations, peak } = model.memory();
    expect(bytes()).toBeGreaterThanOrEqual(weights + activations);
    await model.release();
    expect(bytes()).toBe(0);
    expect(model.memory()).toEqual({ weights: 0, activations: 0, peak });
    expect(isRight(await forward(model))).toBe(true);
    expect(model.memory().weights).toBe(weights);
    expect(model.memory().activations).toBeGreaterThan(0); // a busy machine cuts passes shorter
    expect(model.info).toEqual(info);
  });

  it('makes room for another model, which has it until it is released itself', async () => {
    const alone = withBytes();
    const first = await open(alone.gpu);
    await forward(first);
    const needed = alone.bytes();

    const { gpu } = withBytes(needed * 1.2);
    const model = await open(gpu);
    expect(isRight(await forward(model))).toBe(true);
    await expect(open(gpu).then(() => 'loaded')).rejects.toThrow(/out of memory/);
    await model.release();
    const other = await open(gpu);
    expect(isRight(await forward(other))).toBe(true);
    await expect(forward(model)).rejects.toThrow(/out of memory/);
    await other.release();
    expect(isRight(await forward(model))).toBe(true);
  });

  it('drops no call: those under way are answered before it, those that come meanwhile after it', async () => {
    const { gpu } = withBytes();
    const model = await open(gpu, undefined, { maxTokensPerPass: 256 });
    const order: string[] = [];
    const note = (name: string) => async (result: Awaited<ReturnType<typeof forward>>) => {
      order.push(name);
      return isRight(result);
    };
    const before = [forward(model).then(note('before')), forward(model).then(note('before'))];
    const release = model.release().then(() => void order.push('released'));
    expect(await Promise.all(before)).toEqual([true, true]);
    await release;
    expect(order.indexOf('released')).toBeGreaterThanOrEqual(1);
    const after = [forward(model), model.release(), forward(model)] as const;
    const [a, , b] = await Promise.all(after);
    expect([isRight(a), isRight(b)]).toEqual([true, true]);
  });

  it('is not hurt by a call that is aborted while the model loads again', async () => {
    const { gpu, bytes } = withBytes();
    const model = await open(gpu);
    await model.release();
    const controller = new AbortController();
    const call = model.forward(golden.batch, { signal: controller.signal });
    setTimeout(() => controller.abort(), 5);
    await expect(call).rejects.toMatchObject({ name: 'AbortError' });
    await model.release(); // waits for the pass that nobody wants any more
    expect(bytes()).toBe(0);
    expect(isRight(await forward(model))).toBe(true);
  });

  it('ends as a disposal if the model is disposed of', async () => {
    const { gpu, bytes } = withBytes();
    const model = await open(gpu);
    await model.release();
    const call = forward(model);
    await model.dispose();
    await expect(call).rejects.toMatchObject({ name: 'AbortError', message: /disposed/ });
    await expect(model.release()).rejects.toThrow('disposed');
    await expect(model.warm()).rejects.toThrow('disposed');
    expect(bytes()).toBe(0);
  });

  it('is one of both encoders of a model that has two', async () => {
    const { gpu, bytes } = withBytes();
    const model = await open(gpu, folderOf('gliner-bi-span'));
    const [call] = readCase('gliner-bi-span').calls;
    await RUNS.entities(model, call);
    await model.release();
    expect(bytes()).toBe(0);
    await RUNS.entities(model, call);
  });

  it('is one of all models that a Router sends texts to', async () => {
    const { gpu, bytes } = withBytes();
    const model = await open(gpu, folderOf('st-router-mapped'));
    const { calls } = readCase('st-router-mapped');
    for (const call of calls) await RUNS[call.call](model, call);
    await model.release();
    expect([bytes(), model.memory().weights]).toEqual([0, 0]);
    for (const call of calls) await RUNS[call.call](model, call);
  });

  it('keeps the adapter that is in use', async () => {
    const { gpu, bytes } = withBytes();
    const adapters = { one: folderOf('peft-lora/adapter') };
    const model = await open(gpu, folderOf('peft-lora/base'), { adapters });
    const batch = { inputIds: Uint32Array.of(3, 5, 7), lengths: Uint32Array.of(3) };
    const logits = async () => (await model.forward(batch, { outputs: ['last_hidden_state'] })).last_hidden_state!.data;
    const base = await logits();
    await model.setAdapter('one');
    const adapted = await logits();
    expect(maxDifference(adapted, base)).toBeGreaterThan(0);
    await model.release();
    expect(bytes()).toBe(0);
    expect(await logits()).toEqual(adapted);
  });

  it('of given files reads them again', async () => {
    const { gpu } = withBytes();
    const folder = checkpointFolder('tiny-mlm');
    const files = readdirSync(folder).map((name) => [name, new Blob([readFileSync(`${folder}/${name}`)])] as const);
    const model = await open(gpu, new Map(files));
    await model.release();
    expect(isRight(await forward(model))).toBe(true);
  });
});

it('a model that is kept on the device comes back without a request', async () => {
  const folder = checkpointFolder('tiny-mlm');
  const fetch = vi.fn(async (url: string) => {
    const name = new URL(url).pathname.slice('/tiny/'.length);
    return readdirSync(folder).includes(name)
      ? new Response(readFileSync(`${folder}/${name}`))
      : new Response(null, { status: 404 });
  });
  vi.stubGlobal('fetch', fetch);
  try {
    const { gpu } = withBytes();
    const store = folderStore(mkdtempSync(join(tmpdir(), 'modernbert-idle-')));
    const model = await open(gpu, 'https://example.org/tiny/', { store, folder: undefined });
    expect(model.info.cache.state).toBe('stored');
    await model.release();
    fetch.mockClear();
    expect(isRight(await forward(model))).toBe(true);
    expect(fetch).not.toHaveBeenCalled();
  } finally {
    vi.unstubAllGlobals();
  }
});

describe('keepAlive', () => {
  it('releases an idle model, which its next call loads again', async () => {
    const { gpu, bytes } = withBytes();
    const model = await open(gpu, undefined, { keepAlive: 30 });
    await released(model);
    expect(bytes()).toBe(0);
    expect(isRight(await forward(model))).toBe(true);
    expect(bytes()).toBeGreaterThan(0);
    await released(model);
  });

  it('of 0 releases it after each call, also without recovery, but not before the first', async () => {
    const { gpu } = withBytes();
    const model = await open(gpu, undefined, { keepAlive: 0, recover: false });
    await new Promise((resolve) => setTimeout(resolve, 20));
    expect(model.memory().weights).toBeGreaterThan(0);
    for (let i = 0; i < 3; i++) {
      expect(isRight(await forward(model))).toBe(true);
      await released(model);
    }
    await model.warm();
    await new Promise((resolve) => setTimeout(resolve, 20));
    expect(model.memory().weights).toBeGreaterThan(0);
  });

  it.each([-1, Number.NaN, '1000', null, -Infinity])('refuses %j before anything is read', async (keepAlive) => {
    const { gpu } = withBytes();
    const wrong = open(gpu, 'https://not.there.example/', { keepAlive: keepAlive as number });
    await expect(wrong).rejects.toThrow(RangeError);
    await expect(wrong).rejects.toThrow(/keepAlive must be milliseconds, 0 or more, or Infinity; it is/);
  });

  it('in a worker: the page hears of the release, and a call brings the model back', async () => {
    const { gpu, bytes } = withBytes();
    const worker = workerDouble((_, options) => open(gpu, publicModel('nano-embed'), options as OpenOptions));
    const model = await loadModel('org/stands-for-a-folder', { worker, keepAlive: 100 });
    const first = await model.embed('The Seine flows through Paris.');
    await released(model);
    expect(bytes()).toBe(0);
    const again = await model.embed('The Seine flows through Paris.');
    expect(again.data).toEqual(first.data);
    expect(model.memory().weights).toBeGreaterThan(0);
    await model.release();
    expect([bytes(), model.memory().weights]).toEqual([0, 0]);
    await model.warm();
    expect(model.memory().weights).toBeGreaterThan(0);
  });
});

describe('warm', () => {
  /** A folder, and the calls that must find everything there. */
  const KINDS: Record<string, { folder: string; calls: ((model: Model) => Promise<unknown>)[] }> = {
    'fill-mask': {
      folder: publicModel('nano'),
      calls: [(model) => model.fillMask('Paris is in [MASK].'), (model) => model.embed('Paris is in France.')],
    },
    embeddings: { folder: publicModel('nano-embed'), calls: [(model) => model.embed('Paris', { kind: 'query' })] },
    'a cross-encoder': {
      folder: folderOf('cross-encoder'),
      calls: [(model) => model.rerank('a query', ['one', 'two'])],
    },
    'scores of modules': {
      folder: folderOf('cross-encoder-logit-score'),
      calls: [(model) => model.rerank('a query', ['one'])],
    },
    'a token classifier': { folder: folderOf('token-classifier'), calls: [(model) => model.classifyTokens('Zoë')] },
    'question answering': {
      folder: folderOf('question-answering'),
      calls: [(model) => model.answer('Who?', 'Zoë said so.')],
    },
    GLiNER: { folder: folderOf('gliner-bi-token'), calls: [(model) => model.entities('Zoë is here.', ['person'])] },
    ColBERT: {
      folder: folderOf('mv-default'),
      calls: [(model) => model.embedMultiVector('a query', { kind: 'query' })],
    },
    SPLADE: { folder: folderOf('splade-max'), calls: [(model) => model.embedSparse('a query')] },
    'a Router with layers of its own': {
      folder: folderOf('st-router-dense'),
      calls: [
        (model) => model.embed('a query', { kind: 'query' }),
        (model) => model.embed('a text', { kind: 'document' }),
      ],
    },
    'token ids alone': {
      folder: checkpointFolder('tiny-mlm'),
      calls: [(model) => model.forward({ inputIds: Uint32Array.of(1, 2), lengths: Uint32Array.of(2) })],
    },
    'a table of tokens': { folder: folderOf('static-model2vec'), calls: [(model) => model.embed('a text')] },
  };

  it.each(Object.entries(KINDS))('%s: the first call compiles nothing', async (_, { folder, calls }) => {
    const { gpu, pipelines, bytes } = withBytes();
    const model = await open(gpu, folder);
    await model.warm();
    const compiled = pipelines();
    for (const call of calls) await call(model);
    expect(pipelines()).toBe(compiled);
    await model.release();
    expect(bytes()).toBe(0);
    await model.warm();
    const again = pipelines();
    for (const call of calls) await call(model);
    expect(pipelines()).toBe(again);
  });

  it('is needed: without it the first call of another head compiles that', async () => {
    const { gpu, pipelines } = withBytes();
    const model = await open(gpu, publicModel('nano'));
    const compiled = pipelines();
    await model.embed('Paris');
    expect(pipelines()).toBeGreaterThan(compiled);
  });
});
