import { once } from 'node:events';
import { createReadStream, existsSync, mkdtempSync, readdirSync, rmSync, statSync } from 'node:fs';
import type { ServerResponse } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, describe, expect, it, vi } from 'vitest';
import { advice } from '../gpu/browser';
import { nullGpu } from '../gpu/fixtures';
import { publicModel } from '../model/fixtures/golden';
import { isSupported, listCached, loadModel } from '../node';
import { folderOf } from '../reference/calls';
import { folderFiles } from '../sources/folder';
import { site, useServer } from '../sources/test-server';
import { openModel } from './open';
import { supportOf } from './support';

useServer();
afterEach(() => void vi.unstubAllGlobals());

const gpu = nullGpu();
const nano = publicModel('nano');
const TABLE = folderOf('static-normalize');
/** A GPU whose adapters are made by `change` of the null device's. */
const withAdapter = (change: (adapter: GPUAdapter) => object | null) => ({
  requestAdapter: async () => change((await gpu.requestAdapter())!),
});
/** The adapter with other properties. */
const changed = (adapter: GPUAdapter, properties: object) =>
  new Proxy(adapter, {
    get(target, name) {
      if (name in properties) return properties[name as never];
      const value: unknown = Reflect.get(target, name, target);
      return typeof value === 'function' ? value.bind(target) : value;
    },
  });
/** As a thread without WebGPU asks. */
const without = (source?: string, options = {}) => supportOf(source, { ...options, folder: folderFiles });

describe('without a source', () => {
  it('tells of the adapter and its device', async () => {
    expect(await isSupported(undefined, { gpu })).toEqual({
      supported: true,
      adapter: {
        vendor: '',
        architecture: '',
        device: 'null-backend',
        description: '',
        isSoftware: false,
        features: expect.arrayContaining(['shader-f16', 'subgroups']),
        maxBufferSize: expect.any(Number),
        maxStorageBufferBindingSize: expect.any(Number),
      },
    });
    const { adapter } = await isSupported(undefined, { gpu, profile: 'minimal' });
    expect(adapter).toMatchObject({ features: [], maxStorageBufferBindingSize: 128 << 20 }); // WebGPU's defaults
  });

  it('a software adapter is supported, and slow', async () => {
    const info = { vendor: 'google', architecture: 'swiftshader', device: '', description: 'SwiftShader' };
    const software = withAdapter((adapter) => changed(adapter, { info }));
    const { supported, adapter, message } = await isSupported(undefined, { gpu: software });
    expect([supported, adapter?.isSoftware]).toEqual([true, true]);
    expect(message).toMatch(/on the CPU here \(SwiftShader\): models are slow\. .*hardware acceleration/);
  });

  it.each([
    ['Chrome', 'Chrome/157.0.0.0', 'chrome://gpu'],
    ['Firefox', 'Firefox/160.0', 'about:config'],
  ])('no WebGPU in %s: where it can be turned on', async (_, userAgent, says) => {
    vi.stubGlobal('navigator', { userAgent });
    const { supported, reason, message } = await without();
    expect([supported, reason]).toEqual([false, 'no-webgpu']);
    expect(message).toMatch(/no WebGPU.*Chrome or Edge 127\+.*Safari 26\+/);
    expect(message).toContain(says);
  });

  it('a page that came over http', async () => {
    vi.stubGlobal('isSecureContext', false);
    vi.stubGlobal('location', { origin: 'http://intranet' });
    expect(await without()).toEqual({
      supported: false,
      reason: 'insecure-context',
      message: expect.stringMatching(/only on pages that came over https or from localhost.*http:\/\/intranet/),
    });
    vi.stubGlobal('isSecureContext', true);
    expect((await without()).reason).toBe('no-webgpu');
  });

  it('no adapter, or none that answers', async () => {
    expect(await isSupported(undefined, { gpu: withAdapter(() => null) })).toEqual({
      supported: false,
      reason: 'no-adapter',
      message: `WebGPU found no graphics adapter. The driver may be missing, outdated or blocklisted.${advice()}`,
    });
    const broken = { requestAdapter: () => Promise.reject(new Error('GPU process crashed')) };
    expect(await isSupported(undefined, { gpu: broken })).toEqual({
      supported: false,
      reason: 'no-adapter',
      message: 'GPU process crashed',
    });
  });

  it('no device', async () => {
    const requestDevice = () => Promise.reject(new TypeError('out of handles'));
    const { supported, reason, message } = await isSupported(undefined, {
      gpu: withAdapter((adapter) => changed(adapter, { requestDevice })),
    });
    expect([supported, reason]).toEqual([false, 'no-device']);
    expect(message).toContain('The graphics adapter gives no device (TypeError: out of handles)');
  });

  it('frees the device', async () => {
    const devices: GPUDevice[] = [];
    const requestDevice = async (adapter: GPUAdapter, descriptor: GPUDeviceDescriptor) => {
      const device = await adapter.requestDevice(descriptor);
      devices.push(device);
      return device;
    };
    const noting = withAdapter((adapter) =>
      changed(adapter, { requestDevice: (descriptor: GPUDeviceDescriptor) => requestDevice(adapter, descriptor) }),
    );
    await isSupported(undefined, { gpu: noting });
    await isSupported(nano, { gpu: noting });
    await isSupported(nano, { gpu: noting, maxTokensPerPass: 1e6 });
    expect(await Promise.all(devices.map(({ lost }) => lost))).toMatchObject(Array(3).fill({ reason: 'destroyed' }));
  });
});

describe('of a checkpoint', () => {
  it('a table of tokens needs no WebGPU', async () => {
    for (const support of [await without(TABLE), await isSupported(TABLE, { gpu: withAdapter(() => null) })]) {
      expect(support).toEqual({
        supported: true,
        model: {
          task: 'encoder',
          architecture: 'StaticEmbedding',
          dtype: 'f32',
          maxTokens: undefined,
          cached: false,
          downloadBytes: 0,
          weightBytes: 0,
          gpuBytes: 0,
        },
      });
    }
    expect((await without(TABLE, { maxLength: 99 })).model?.maxTokens).toBe(99);
    expect(await without(nano)).toMatchObject({ supported: false, reason: 'no-webgpu' });
  });

  it('what the options ask of the device', async () => {
    const options = { gpu, arithmetic: 'f16', profile: 'minimal' } as const;
    const { supported, reason, message } = await isSupported(nano, options);
    expect([supported, reason]).toEqual([false, 'no-device']);
    expect(message).toContain('needs the device feature shader-f16');
    await expect(loadModel(nano, options)).rejects.toThrow(message);
  });

  it('what cannot be loaded, in the words of the load', async () => {
    const files = (config: object) => ({ 'config.json': new Blob([JSON.stringify(config)]) });
    const cases = {
      model_type: files({ model_type: 'gpt2' }),
      'no weights': files({ model_type: 'bert' }),
      nothing: folderOf('..'),
    };
    for (const [name, source] of Object.entries(cases)) {
      const { supported, reason, message, model } = await isSupported(source, { gpu });
      expect([supported, reason, model], name).toEqual([false, 'model-not-supported', undefined]);
      await expect(loadModel(source, { gpu, selfCheck: false }), name).rejects.toThrow(message);
    }
  });

  it('rejects what is no source, no option or no value of one, and by its signal', async () => {
    const ask = (source: unknown, options: object) => isSupported(source as string, { gpu, ...options });
    await expect(ask(nano, { dtpye: 'f16' })).rejects.toThrow(
      "isSupported has no option 'dtpye'. Did you mean 'dtype'?",
    );
    await expect(ask(nano, { dtype: 'f8' })).rejects.toThrow(RangeError);
    await expect(ask(nano, { maxLength: 1e6 })).rejects.toThrow("from 1 to the model's 8192 positions");
    await expect(ask(nano, { profile: 'fast' })).rejects.toThrow('profile must be one of');
    await expect(ask(7, {})).rejects.toThrow(TypeError);
    const reason = new Error('gone');
    await expect(ask(nano, { signal: AbortSignal.abort(reason) })).rejects.toBe(reason);
  });

  it('the options of the load count', async () => {
    const { model } = await isSupported(nano, { gpu, dtype: 'q8', maxLength: 512, maxTokensPerPass: 1024 });
    const { model: whole } = await isSupported(nano, { gpu });
    expect(model).toMatchObject({ dtype: 'q8', maxTokens: 512 });
    expect(model!.weightBytes).toBeLessThan(0.6 * whole!.weightBytes);
    expect(model!.gpuBytes - model!.weightBytes).toBeLessThan(0.3 * (whole!.gpuBytes - whole!.weightBytes));
  });
});

/** Serves a folder; notes what goes over the wire. */
function serve(folder: string, { sizes = true } = {}) {
  const answers: { path: string; response: ServerResponse }[] = [];
  site.behave = ({ url = '' }, response) => {
    const path = url.slice(1);
    answers.push({ path, response });
    const file = join(folder, path);
    if (!existsSync(file) || statSync(file).isDirectory()) return void response.writeHead(404).end();
    if (sizes) response.setHeader('content-length', statSync(file).size);
    createReadStream(file).pipe(response);
  };
  return { paths: () => answers.map(({ path }) => path), answers };
}

const bytesOf = (folder: string, ...names: string[]) =>
  names.reduce((sum, name) => sum + statSync(join(folder, name)).size, 0);

describe('over a network', () => {
  const cacheFolder = mkdtempSync(join(tmpdir(), 'support-'));
  afterAll(() => rmSync(cacheFolder, { recursive: true }));
  const FILES = ['config.json', 'tokenizer.json', 'tokenizer_config.json', 'model.safetensors'];

  it('reads the small files and the start of the large ones, and says what a load would download', async () => {
    const { paths, answers } = serve(nano);
    const { supported, model } = await isSupported(site.origin, { gpu, cacheFolder });
    expect(supported).toBe(true);
    expect(model).toMatchObject({ cached: false, downloadBytes: bytesOf(nano, ...FILES) });
    expect(paths().toSorted()).toEqual([
      '1_Pooling/config.json',
      'config.json',
      'config_sentence_transformers.json',
      'model.safetensors',
      'modules.json',
      'sentence_bert_config.json',
      'tokenizer.json',
      'tokenizer_config.json',
    ]);
    // About 0.2 MB of 16 over loopback: what was on its way when the connection was closed.
    const { response } = answers.find(({ path }) => path === 'model.safetensors')!;
    const { socket } = response;
    if (!response.closed) await once(response, 'close');
    expect(response.writableFinished).toBe(false);
    expect(socket!.bytesWritten).toBeLessThan(8e6);
    expect(readdirSync(cacheFolder)).toEqual([]); // nothing is stored
  });

  it('adds up what servers without sizes send', async () => {
    serve(nano, { sizes: false });
    const { model } = await isSupported(site.origin, { gpu, cacheFolder });
    // The sizes of tokenizer.json and of the weights' header are not known.
    const known = bytesOf(nano, 'config.json', 'tokenizer_config.json', 'model.safetensors');
    expect(model!.downloadBytes).toBeLessThanOrEqual(known);
    expect(model!.downloadBytes).toBeGreaterThan(known - 20_000);
  });

  it('sharded weights: of all files', async () => {
    const folder = folderOf('mlm-sharded');
    serve(folder);
    const { model } = await isSupported(site.origin, { gpu, cacheFolder });
    const names = readdirSync(folder).filter((name) => name !== 'expected.json');
    expect(names).toHaveLength(7);
    expect(model!.downloadBytes).toBe(bytesOf(folder, ...names));
  });

  it('a model on the device: without a network, and without a change of the store', async () => {
    const folder = folderOf('st-token-dense');
    serve(folder);
    const options = { gpu, cacheFolder, selfCheck: false, dtype: 'f16' } as const;
    const before = await isSupported(site.origin, options);
    const model = await loadModel(site.origin, options);
    const { weights } = model.memory();
    await model.dispose();
    expect(model.info.cache.state).toBe('stored');
    const kept = await listCached({ cacheFolder });
    site.behave = ({ socket }) => socket.destroy();
    site.requests.splice(0);
    const { model: said } = await isSupported(site.origin, options);
    expect(said).toEqual({ ...before.model, cached: true, downloadBytes: 0 });
    expect(said!.weightBytes).toBe(weights);
    expect(site.requests).toEqual([]);
    expect(await listCached({ cacheFolder })).toEqual(kept);
    const { supported } = await supportOf(site.origin, { ...options, cache: 'none', retryDelay: 1 } as never);
    expect(supported).toBe(false);
  });

  it('a network that is down: says so', async () => {
    site.behave = ({ socket }) => socket.destroy();
    const options = { gpu, cacheFolder, retryDelay: 1, folder: folderFiles };
    const { reason, message } = await supportOf(site.origin, options as never);
    expect(reason).toBe('model-not-supported');
    expect(message).toContain('No answer from the network');
  });
});

describe('loadModel without WebGPU', () => {
  it('fetches the few small files that say so, and nothing else', async () => {
    const { paths } = serve(nano);
    await expect(openModel(site.origin, {})).rejects.toThrow('no WebGPU');
    expect(paths().toSorted()).toEqual([
      '1_Pooling/config.json',
      'config.json',
      'config_sentence_transformers.json',
      'modules.json',
      'sentence_bert_config.json',
    ]);
  });
});
