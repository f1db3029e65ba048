/** Loading by modernbert-webgpu/fallback: which of the two ways it takes, from where, and what it refuses. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { env } from '@huggingface/transformers';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { Model, Progress } from '../api/types';
import { type FallbackOptions, loadModel } from '../fallback';
import { checkpoint, hub, useHub } from './test-hub';

const noFile = undefined;
const MODULE = 'sentence_transformers.models';
const listed = (...kinds: string[]) =>
  kinds.map((kind, i) => ({ path: i === 0 ? '' : `${i}_${kind}`, type: `${MODULE}.${kind}` }));

useHub({
  'org/bert': { of: 'bert-mlm' },
  'org/labels': { of: 'bert-classifier' },
  'org/embed': { of: 'nano-embed' },
  'org/no-onnx': {
    of: 'bert-mlm',
    files: { 'onnx/model.onnx': noFile },
    change: { 'transformers.js_config': undefined },
  },
  'org/export': { of: 'bert-mlm', files: { 'tokenizer.json': noFile, 'model.safetensors': noFile } },
  'org/unlabelled': { of: 'bert-mlm', change: { architectures: ['BertForSequenceClassification'] } },
  'org/answers': { of: 'bert-answers' },
  'org/nan': { of: 'bert-classifier', files: { 'onnx/model.onnx_data': nan('bert-classifier') } },
  'org/table': { of: 'bert-mlm', files: { 'modules.json': listed('StaticEmbedding') } },
  'org/layers': {
    of: 'bert-mlm',
    change: { output_hidden_states: true },
    files: {
      'modules.json': listed('Transformer', 'WeightedLayerPooling', 'Pooling'),
      '1_WeightedLayerPooling/config.json': { num_hidden_layers: 2, layer_start: 0, word_embedding_dimension: 32 },
      '2_Pooling/config.json': { pooling_mode_mean_tokens: true },
    },
  },
  'org/splade': {
    of: 'bert-mlm',
    files: { 'modules.json': listed('Transformer', 'SpladePooling'), '1_SpladePooling/config.json': {} },
  },
});

/** The checkpoint's weights, of which the last numbers are none. */
function nan(name: string): Uint8Array {
  const bytes = Uint8Array.from(readFileSync(join(checkpoint(name).folder, 'model.safetensors')));
  return bytes.fill(255, bytes.length - 4096);
}

beforeEach(() => {
  hub.requests.splice(0);
});
const loaded: Model[] = [];
afterEach(async () => {
  for (const model of loaded.splice(0)) await model.dispose();
});

const load = async (source: Parameters<typeof loadModel>[0], options: Partial<FallbackOptions> = {}) => {
  const usual = { fallback: 'transformers.js', force: true, dtype: 'f32', hubUrl: hub.url } as const;
  const model = await loadModel(source, { ...usual, ...options });
  loaded.push(model);
  return model;
};
const onnxRequests = () => hub.requests.filter((request) => request.includes('/onnx/'));
const noGpu = { requestAdapter: async () => null } as unknown as GPU;

describe('which way', () => {
  it('transformers.js where there is no adapter', async () => {
    const model = await load('org/bert', { force: false, worker: false, gpu: noGpu, cache: 'none' });
    expect(model.info).toMatchObject({ fallback: 'transformers.js', task: 'mlm', dtype: 'f32', maxTokens: 128 });
    const [{ candidates }] = await model.fillMask(`a ${model.info.maskToken} b`);
    expect(candidates).toHaveLength(5);
  });

  it('no second try for errors that have other reasons', async () => {
    const missing = load('org/nothing', { force: false, worker: false, gpu: noGpu, cache: 'none' });
    await expect(missing).rejects.toMatchObject({ name: 'ModelFileError' });
    expect(onnxRequests()).toEqual([]);
  });

  it('has to be chosen', async () => {
    for (const fallback of [undefined, 'none', true] as unknown as 'transformers.js'[]) {
      await expect(load('org/bert', { fallback })).rejects.toThrow(/needs the option fallback: 'transformers.js'/);
    }
    await expect((loadModel as (source: string) => Promise<Model>)('org/bert')).rejects.toThrow(/needs the option/);
    await expect(load('org/bert', { forced: true } as object)).rejects.toThrow(
      /no option 'forced'. Did you mean 'force'/,
    );
  });

  it('says so if transformers.js is not installed', async () => {
    vi.doMock('@huggingface/transformers', () => {
      throw new Error('Cannot find package');
    });
    const error = await load('org/bert').catch((error) => error);
    vi.doUnmock('@huggingface/transformers');
    expect(error.name).toBe('WebGPUUnavailableError');
    expect(error.message).toMatch(/could not be loaded: npm install @huggingface\/transformers/);
  });
});

describe('sources', () => {
  it('a mirror of the Hub, with progress of the ONNX file', async () => {
    const files = new Map<string, Progress>();
    await load('org/labels', { onProgress: (progress) => files.set(progress.file, progress) });
    for (const file of ['tokenizer.json', 'onnx/model.onnx', 'onnx/model.onnx_data']) {
      const { loaded, total } = files.get(file)!;
      expect(loaded, file).toBe(total);
    }
    expect(env.remoteHost).toBe(`${hub.url}/`);
  });

  it('the revision counts for all files', async () => {
    await expect(load('org/bert', { revision: 'v1' })).rejects.toThrow(/config.json/);
    expect(hub.requests.filter((request) => /resolve\/(?!v1\/)/.test(request))).toEqual([]);
  });

  it('the ONNX files of another repository', async () => {
    const model = await load('org/no-onnx', { onnx: 'org/export' });
    expect(await model.fillMask(`a ${model.info.maskToken} b`)).toHaveLength(1);
    expect(onnxRequests().every((request) => request.includes('/org/export/'))).toBe(true);
    expect(hub.requests.some((request) => request.includes('/org/no-onnx/resolve/main/tokenizer.json'))).toBe(true);
  });

  it('without an ONNX file the error says what to do', async () => {
    const missing = {
      name: 'ModelFileError',
      message: /could not load onnx\/model.onnx of org\/no-onnx.*the option onnx/s,
    };
    await expect(load('org/no-onnx')).rejects.toMatchObject(missing);
    const quantized = load('org/bert', { dtype: 'auto' });
    await expect(quantized).rejects.toThrow(/could not load onnx\/model_quantized.onnx of org\/bert.*f32: model.onnx/s);
  });

  it.each([
    [new Map([['config.json', new Blob(['{}'])]]), /cannot run from picked files/],
    ['https://example.com/model/', /transformers.js reads from the Hub, from a mirror of it/],
    ['bert', /is not an absolute URL/],
  ])('not %s', async (source, message) => {
    await expect(load(source)).rejects.toMatchObject({ name: 'TypeError', message });
    expect(hub.requests).toEqual([]);
  });

  it('a folder of the page', async () => {
    vi.stubGlobal('location', { href: `${hub.url}/page/`, origin: hub.url });
    const { useFS, allowLocalModels } = env;
    Object.assign(env, { useFS: false }); // as in a browser
    try {
      const model = await load('/org/labels/resolve/main/', { hubUrl: undefined }).catch((error) => error);
      // In Node transformers.js gives ONNX Runtime paths of files, so that the load ends here; e2e/fallback.test.ts goes on.
      expect(hub.requests).toContain('GET /org/labels/resolve/main/tokenizer.json');
      expect(String(model)).toMatch(/onnx\/model.onnx of \/org\/labels\/resolve\/main/);
      expect(env.allowLocalModels).toBe(true);
    } finally {
      Object.assign(env, { useFS, allowLocalModels });
      vi.unstubAllGlobals();
    }
  });
});

describe('what is refused before anything large is loaded', () => {
  it.each([
    ['org/layers', {}, /modules \(WeightedLayerPooling, Pooling\)/],
    ['org/splade', {}, /modules \(SpladePooling\)/],
    ['org/table', {}, /is a table of tokens, which needs no WebGPU/],
    ['org/bert', { adapter: 'org/adapter' }, /LoRA adapters cannot be used/],
    ['org/bert', { token: 'hf_x' }, /need a token/],
    ['org/bert', { dtype: 'f8' as 'f32' }, /dtype must be one of/],
    ['org/bert', { maxLength: 500 }, /maxLength must be an integer from 1 to the model's 128/],
  ] as const)('%s %j', async (source, options, message) => {
    await expect(load(source, options)).rejects.toThrow(message);
    expect(onnxRequests()).toEqual([]);
  });
});

describe('an ONNX file of something else', () => {
  it('without the head of the checkpoint', async () => {
    const error = load('org/answers', { task: 'mlm' });
    await expect(error).rejects.toThrow(/returns start_logits, end_logits, not logits/);
  });

  it('of another width', async () => {
    const model = await load('org/labels', { onnx: 'org/export' });
    const rejects = {
      name: 'ModelFileError',
      message: /logits has \d+ numbers per row.*says 3. It is the export of another/,
    };
    await expect(model.classify('a')).rejects.toMatchObject(rejects);
  });

  it('numbers that are none', async () => {
    const model = await load('org/nan');
    await expect(model.classify('a')).rejects.toMatchObject({ name: 'NumericError', message: /^Text 0 has no answer/ });
  });
});

describe('the end', () => {
  it('an abort while the ONNX file comes', async () => {
    const end = new AbortController();
    const onProgress = ({ file }: Progress) => {
      if (file.startsWith('onnx/')) end.abort(new Error('enough'));
    };
    await expect(load('org/nan', { signal: end.signal, onProgress, dtype: 'f32' })).rejects.toThrow('enough');
    await expect(load('org/bert', { signal: end.signal })).rejects.toThrow('enough');
  });

  it('dispose ends waiting calls, and later ones', async () => {
    const model = await load('org/labels');
    const waiting = model.classify(Array(2000).fill('a b c'));
    const ended = expect(waiting).rejects.toMatchObject({ name: 'AbortError' });
    await new Promise((resolve) => setTimeout(resolve));
    await model.dispose();
    await ended;
    await expect(model.classify('a')).rejects.toMatchObject({ name: 'AbortError', message: /was disposed/ });
    await model.dispose();
  });
});
