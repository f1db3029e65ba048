import { afterAll, afterEach, describe, expect, it, vi } from 'vitest';
import { ModelFileError } from '../api/errors';
import type { LoadOptions, Model, ModelSource } from '../api/types';
import { closePorts, echoModel, info, workerDouble } from '../session/worker-double';
import { pipeline, Tensor } from '../transformers';
import type { PipelineOptions, ProgressInfo } from './types';

vi.stubGlobal('location', { href: 'https://example.org/app/index.html' });
afterAll(() => void vi.unstubAllGlobals());
afterEach(closePorts);

type Load = (source: ModelSource, options: LoadOptions) => Promise<Model>;

/** A pipeline whose model a stand-in for the worker loads, and what that was asked for. */
async function loaded(options: PipelineOptions, load: Load = async () => echoModel().model, source = 'org/name') {
  const asked: [ModelSource, LoadOptions][] = [];
  const worker = workerDouble((...args) => {
    asked.push(args);
    return load(...args);
  });
  const fill = await pipeline('fill-mask', source, { ...options, worker });
  return { fill, source: asked[0][0], options: asked[0][1] };
}

describe('loading', () => {
  it.each([
    [undefined, 'f32'],
    ['auto', 'auto'],
    ['fp16', 'f16'],
    ['uint8', 'q8'],
    ['q4f16', 'q4'],
  ] as const)('dtype %s is %s', async (dtype, own) => {
    const { fill, source, options } = await loaded({ dtype, revision: 'v1', token: 'secret', device: 'webgpu' });
    expect(source).toBe('org/name');
    expect(options).toMatchObject({ dtype: own, revision: 'v1', token: 'secret' });
    expect(options).not.toHaveProperty('device');
    expect([fill.task, fill.model.info]).toEqual(['fill-mask', info]);
  });

  it('options that are null, or false where that means nothing, are none', async () => {
    const nothing = { config: null, cache_dir: null, local_files_only: false, dtype: null, progress_callback: null };
    const { options } = await loaded(nothing as object);
    expect(Object.keys(options).sort()).toEqual(['dtype', 'onProgress', 'onRelease', 'signal']);
  });

  it('reports progress as transformers.js does', async () => {
    const reports: ProgressInfo[] = [];
    await loaded({ progress_callback: (report) => reports.push(report) }, async (_, { onProgress }) => {
      onProgress?.({ file: 'config.json', loaded: 10, total: 10 });
      onProgress?.({ file: 'model.safetensors', loaded: 5, total: undefined });
      return echoModel().model;
    });
    const name = 'org/name';
    const config = { loaded: 10, total: 10 };
    const weights = { loaded: 5, total: 5 };
    expect(reports).toEqual([
      { status: 'initiate', name, file: 'config.json' },
      { status: 'download', name, file: 'config.json' },
      { status: 'progress_total', name, ...config, progress: 100, files: { 'config.json': config } },
      { status: 'progress', name, file: 'config.json', ...config, progress: 100 },
      { status: 'done', name, file: 'config.json' },
      { status: 'initiate', name, file: 'model.safetensors' },
      { status: 'download', name, file: 'model.safetensors' },
      {
        status: 'progress_total',
        name,
        loaded: 15,
        total: 15,
        progress: 100,
        files: { 'config.json': config, 'model.safetensors': weights },
      },
      { status: 'progress', name, file: 'model.safetensors', ...weights, progress: 100 },
      { status: 'done', name, file: 'model.safetensors' },
      { status: 'ready', task: 'fill-mask', model: name },
    ]);
  });

  it('says where the files of an ONNX copy are', async () => {
    const missing = async () => {
      throw new ModelFileError('There is no model.safetensors.');
    };
    await expect(loaded({}, missing, 'onnx-community/name-ONNX')).rejects.toThrow(
      'There is no model.safetensors. The repositories of onnx-community and Xenova hold ONNX copies: name the one that this copy was made from',
    );
    await expect(loaded({}, missing, 'org/name')).rejects.toThrow(/safetensors\.$/);
  });
});

describe('a loaded model', () => {
  const { model } = echoModel();

  it('is taken as it is', async () => {
    const reports: ProgressInfo[] = [];
    const report = (info: ProgressInfo) => reports.push(info);
    const classify = await pipeline('sentiment-analysis', model, { device: 'auto', progress_callback: report });
    expect([classify.task, classify.model]).toEqual(['text-classification', model]);
    expect(reports).toEqual([{ status: 'ready', task: 'text-classification', model: 'the given files' }]);
    await classify.dispose();
    expect(model.dispose).toHaveBeenCalledOnce();
  });

  it('takes no options for loading', async () => {
    await expect(pipeline('ner', model, { dtype: 'q8' })).rejects.toThrow(
      "The model is loaded already: pass the option 'dtype' to loadModel.",
    );
  });
});

it.each([
  [{ device: 'wasm' }, "device must be one of webgpu, gpu, auto; it is 'wasm'. Models run on WebGPU only."],
  [{ dtype: 'bnb4' }, "dtype must be one of auto, fp32, fp16, q8, int8, uint8, q4, q4f16; it is 'bnb4'."],
  [{ dtype: { model: 'q4' } }, 'dtype must be one of'],
  [{ session_options: {} }, "pipeline has no option 'session_options' here: it is about ONNX files"],
  [{ local_files_only: true }, "pipeline has no option 'local_files_only' here: the source decides"],
  [{ cache_dir: '/tmp' }, 'cacheFolder'],
  [{ progres_callback: () => {} }, "pipeline has no option 'progres_callback'. Did you mean 'progress_callback'?"],
  [{ onProgress: () => {} }, "pipeline has no option 'onProgress'."],
] as [object, string][])('refuses %j', async (options, message) => {
  await expect(
    pipeline('fill-mask', 'org/name', { ...options, worker: workerDouble(async () => echoModel().model) }),
  ).rejects.toThrow(message);
});

it('refuses unknown tasks, no model, and a source where no worker starts', async () => {
  await expect(pipeline('summarization' as 'ner', 'org/name')).rejects.toThrow(
    "task must be one of feature-extraction, fill-mask, text-classification, token-classification, zero-shot-classification, question-answering, embeddings, sentiment-analysis, ner; it is 'summarization'.",
  );
  await expect(pipeline('ner', undefined as never)).rejects.toThrow("pipeline('ner') has no default model: name one.");
  await expect(pipeline('ner', 'org/name')).rejects.toThrow('load the model by loadModel of modernbert-webgpu/node');
});

it('a tensor of one dimension', () => {
  const tensor = new Tensor(Float32Array.of(1, 2, 3), [3]);
  expect([tensor.type, tensor.size, tensor.tolist(), [...tensor]]).toEqual(['float32', 3, [1, 2, 3], [1, 2, 3]]);
  expect([tensor[1].dims, [...tensor[1].data]]).toEqual([[], [2]]);
  expect(() => tensor[3]).toThrow("The tensor's first dimension is 3: there is no row 3.");
  tensor.dispose();
});
