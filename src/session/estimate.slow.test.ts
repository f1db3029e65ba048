/** What isSupported says of memory, against what loads and passes allocate on Dawn's null backend. */
import { existsSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest';
import shapes from '../../bench/shapes/base.json';
import type { Dtype, Model } from '../api/types';
import { nullGpu, withSmallBindings } from '../gpu/fixtures';
import { publicModel } from '../model/fixtures/golden';
import { writeZeros } from '../model/fixtures/zeros';
import { topK } from '../model/heads/top-k';
import { isSupported, loadModel, type NodeLoadOptions } from '../node';
import { CASES, folderOf } from '../reference/calls';
import { folderFiles } from '../sources/folder';
import { loadRuntime } from './load-runtime';

const gpu = nullGpu();
const load = (folder: string, options: NodeLoadOptions = {}) =>
  loadModel(folder, { gpu, selfCheck: false, ...options });

const CONFIGS = ['config.json', 'modules.json', 'gliner_config.json', 'adapter_config.json'];
const isCheckpoint = (folder: string) => CONFIGS.some((name) => existsSync(join(folder, name)));

/** The built-in models and all reference checkpoints, some of which share a folder. */
const FOLDERS = [publicModel('nano'), publicModel('nano-embed')].concat(
  CASES.map(folderOf).flatMap((folder) =>
    isCheckpoint(folder)
      ? [folder]
      : readdirSync(folder)
          .map((name) => join(folder, name))
          .filter(isCheckpoint),
  ),
);

it('says of every checkpoint what its load does: the weights to the byte, or the error', async () => {
  let refused = 0;
  for (const folder of FOLDERS) {
    if (existsSync(join(folder, 'adapter_config.json'))) continue; // see below
    const { supported, reason, message, model: said } = await isSupported(folder, { gpu });
    const model = await load(folder).catch((error: Error) => error);
    if (model instanceof Error) {
      expect([supported, reason, message], folder).toEqual([false, 'model-not-supported', model.message]);
      refused++;
      continue;
    }
    const { task, dtype, maxTokens } = model.info;
    const isTable = said?.architecture === 'StaticEmbedding';
    expect([supported, said], folder).toMatchObject([
      true,
      {
        task,
        dtype,
        maxTokens: isTable ? undefined : maxTokens,
        weightBytes: model.memory().weights,
        cached: false,
        downloadBytes: 0,
      },
    ]);
    await model.dispose();
  }
  expect(FOLDERS.length).toBeGreaterThan(100);
  expect(refused).toBeLessThan(5);
}, 180_000);

it('says of an adapter what it says of its base', async () => {
  const lora = folderOf('peft-lora');
  const { supported, model } = await isSupported(join(lora, 'adapter'), { gpu });
  expect(supported).toBe(true);
  expect(model).toEqual((await isSupported(join(lora, 'base'), { gpu })).model);
  expect(await isSupported(join(lora, 'base'), { gpu, adapter: join(lora, 'adapter') })).toMatchObject({ model });
  expect(await isSupported(join(folderOf('st-lora'), 'adapter'), { gpu })).toMatchObject({ supported: true });
});

describe('the activations of a full pass are within 10%', () => {
  /** Enough for several passes. */
  const texts = ({ info }: Model) =>
    Array<string>(Math.ceil((8 * info.maxTokensPerPass) / Math.min(info.maxTokens, 64))).fill(
      'a '.repeat(info.maxTokens),
    );
  const truncate = true;
  /** Calls that fill passes. */
  const calls: Record<string, (model: Model) => Promise<unknown>> = {
    mlm: (model) =>
      model.fillMask(
        texts(model).map((each) => `${model.info.maskToken} ${each}`),
        { truncate },
      ),
    seqcls: (model) => model.classify(texts(model), { truncate }),
    tokcls: (model) => model.classifyTokens(texts(model), { truncate }),
    gliner: (model) => model.entities(texts(model), ['a'], { truncate }),
    sparse: (model) => model.embedSparse(texts(model), { truncate }),
    colbert: (model) => model.embedMultiVector(texts(model), { kind: 'document', truncate }),
    encoder: (model) => model.embed(texts(model), { truncate }),
  };

  // As many tokens per pass as its longest texts fill, and few, for a slow machine; a text of 8192 is a pass of its own.
  it.each([
    ['nano', 'mlm', undefined],
    ['nano-embed', 'encoder', undefined],
    ['bert', 'encoder', 512],
    ['bert-mlm', 'mlm', 512],
    ['deberta-v3', 'encoder', 512],
    ['eurobert', 'encoder', 512],
    ['mpnet', 'encoder', 512],
    ['xlm-roberta-reranker', 'seqcls', 512],
    ['cross-encoder-logit-score', 'seqcls', 512],
    ['token-classifier', 'tokcls', 512],
    ['st-layers-all', 'encoder', 512],
    ['st-token-dense', 'encoder', 512],
    ['mv-colbert', 'colbert', 512],
    ['pylate-default', 'colbert', 4 * 180],
    ['splade-max', 'sparse', 512],
    ['splade-untied-limit', 'sparse', 1024],
    ['gliner-uni-span', 'gliner', 512],
    ['gliner-bi-token', 'gliner', 512],
  ])('%s (%s)', async (name, call, maxTokensPerPass) => {
    const folder = name.startsWith('nano') ? publicModel(name as 'nano') : folderOf(name);
    const { model: said } = await isSupported(folder, { gpu, maxTokensPerPass });
    const model = await load(folder, { maxTokensPerPass });
    await calls[call](model);
    const { activations } = model.memory();
    await model.dispose();
    const estimate = said!.gpuBytes - said!.weightBytes;
    expect(activations).toBeGreaterThan(1e5);
    expect(estimate / activations).toBeGreaterThan(0.9);
    expect(estimate / activations).toBeLessThan(1.1);
  });
});

describe("ModernBERT-base's shape", () => {
  const folder = mkdtempSync(join(tmpdir(), 'support-'));
  beforeAll(() => writeZeros(folder, shapes.config));
  afterAll(() => rmSync(folder, { recursive: true }));

  it.each(['f16', 'q8', 'q4'] as Dtype[])('%s: weights and activations are as loaded', async (dtype) => {
    const { model: said } = await isSupported(folder, { gpu, dtype });
    const options = { gpu, dtype, selfCheck: false, folder: folderFiles };
    const { runtime } = await loadRuntime(folder, options);
    const { weights } = runtime.memoryUse();
    await runtime.run([new Uint32Array(8192)], [{ head: topK(5), indices: Uint32Array.of(3) }]);
    const { activations } = runtime.memoryUse();
    runtime.dispose();
    expect(said).toMatchObject({ dtype, task: 'mlm', maxTokens: 8192, weightBytes: weights });
    expect(said!.gpuBytes).toBe(weights + activations);
  });
});

describe('too little memory', () => {
  afterEach(() => void vi.unstubAllGlobals());
  const nano = publicModel('nano');

  it('a tensor above the limits of the device: the message of the load', async () => {
    const small = withSmallBindings(64 << 10, gpu);
    const { supported, reason, message, adapter, model } = await isSupported(nano, { gpu: small });
    expect([supported, reason, model]).toEqual([false, 'too-little-memory', undefined]);
    expect(message).toMatch(
      /GPU buffer '.+' needs \d+ bytes, but this device allows 65536\. Load the model with dtype/,
    );
    expect(adapter?.maxStorageBufferBindingSize).toBe(65536);
    await expect(load(nano, { gpu: small })).rejects.toThrow(message);
  });

  it('passes that a device cannot hold', async () => {
    const small = withSmallBindings(8 << 20, gpu);
    const { model } = await isSupported(nano, { gpu: small });
    const loaded = await load(nano, { gpu: small });
    const { maxTokensPerPass } = loaded.info;
    await loaded.dispose();
    expect(maxTokensPerPass).toBeLessThan(8192);
    expect(model?.maxTokens).toBe(8192);
    const at = (tokens: number) => isSupported(nano, { gpu: small, maxTokensPerPass: tokens });
    expect(await at(maxTokensPerPass)).toMatchObject({ supported: true, model });
    expect(await at(maxTokensPerPass + 1)).toMatchObject({
      supported: false,
      reason: 'too-little-memory',
      message: expect.stringContaining(`can have ${maxTokensPerPass} tokens (maxTokensPerPass)`),
    });
    await expect(at(0.5)).rejects.toThrow('maxTokensPerPass must be a positive integer');
  });

  it("weights above a quarter of the machine's memory, where a browser reports it", async () => {
    const asked = { gpu, dtype: 'f32' } as const; // 32 MB
    vi.stubGlobal('navigator', { deviceMemory: 0.1 }); // a quarter: 27 MB
    expect(await isSupported(nano, asked)).toMatchObject({
      supported: false,
      reason: 'too-little-memory',
      message: expect.stringMatching(
        /take 3\d MiB as f32, more than a quarter of this machine's 0.1 GiB.*'q8' or 'q4'/,
      ),
    });
    expect(await isSupported(nano, { gpu })).toMatchObject({ supported: true, model: { dtype: 'f16' } });
    vi.stubGlobal('navigator', { deviceMemory: 0.25 });
    expect(await isSupported(nano, asked)).toMatchObject({ supported: true });
  });

  it(`tells nothing of what ${basename(nano)} cannot know: a browser reports no more than 8 GiB`, async () => {
    vi.stubGlobal('navigator', {});
    expect(await isSupported(nano, { gpu, dtype: 'f32' })).toMatchObject({ supported: true });
  });
});
