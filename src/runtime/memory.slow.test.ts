import { once } from 'node:events';
import { createReadStream, existsSync, mkdtempSync, rmSync, statSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import shapes from '../../bench/shapes/base.json';
import type { Dtype, Model } from '../api/types';
import { GpuMemory } from '../gpu/buffers';
import { openGpu } from '../gpu/device';
import { nullGpu } from '../gpu/fixtures';
import { buildModel } from '../model/build';
import { readModelConfig } from '../model/families/registry';
import { checkpointFolder, publicModel, readGolden } from '../model/fixtures/golden';
import { writeZeros } from '../model/fixtures/zeros';
import { pooledEmbedding } from '../model/heads/embeddings';
import { topK } from '../model/heads/top-k';
import { loadModel } from '../node';
import { loadRuntime } from '../session/load-runtime';
import { folderFiles } from '../sources/folder';

const gpu = nullGpu();

setFlagsFromString('--expose-gc');
const collect: () => void = runInNewContext('gc');

let model: Model;
beforeAll(async () => {
  model = await loadModel(publicModel('nano'), { arithmetic: 'f32', gpu, selfCheck: false });
});
afterAll(() => model.dispose());

const tokens = (count: number) => ({
  inputIds: Uint32Array.from({ length: count }, (_, i) => (i * 7919) % 16000),
  lengths: Uint32Array.of(count),
});

it('counts the weights: those of the file and little more', () => {
  const { weights, activations, peak } = model.memory();
  // 16.36 MB of f16 in the file; on the GPU norms and the decoder's bias are f32.
  expect(weights).toBeGreaterThan(16.36e6);
  expect(weights).toBeLessThan(16.5e6);
  expect(activations).toBe(0);
  expect(peak).toBe(weights);
});

it('needs at most twice the activations for twice the tokens, and nothing new for a shape it had', async () => {
  const used = async (count: number) => {
    await model.forward(tokens(count));
    return model.memory().activations;
  };
  const [once, twice] = [await used(1024), await used(2048)];
  expect(once).toBeGreaterThan(0);
  expect(twice).toBeGreaterThan(once);
  expect(twice).toBeLessThanOrEqual(2 * once);
  expect(await used(2048)).toBe(twice);
  expect(await used(300)).toBe(twice);
});

it.each([
  ['one sequence of 8192 tokens', 1],
  ['256 sequences of 32 tokens', 256],
])('stays under 200 MB with %s', async (_, sequences) => {
  const lengths = new Uint32Array(sequences).fill(8192 / sequences);
  const { last_hidden_state } = await model.forward({ ...tokens(8192), lengths });
  expect(last_hidden_state?.shape).toEqual([8192, 256]);
  expect(model.memory().peak).toBeLessThanOrEqual(200e6);
});

it("has RoPE's tables for the longest sequence so far, not for the model's 8192 positions", async () => {
  const short = await loadModel(publicModel('nano'), { arithmetic: 'f32', gpu, selfCheck: false });
  const used = async (lengths: number[]) => {
    const inputIds = new Uint32Array(2048).fill(7);
    await short.forward({ inputIds, lengths: Uint32Array.from(lengths) });
    return short.memory().activations;
  };
  const four = await used([512, 512, 512, 512]);
  const one = await used([2048]);
  const tables = (positions: number) => 2 * positions * 64 * 4;
  expect(one - four).toBeGreaterThanOrEqual(tables(2048) - tables(512));
  expect(one - four).toBeLessThan(tables(2048) - tables(512) + 10_000); // longer attention lists
  expect(await used([512, 1536])).toBe(one);
  await short.dispose();
});

describe("ModernBERT-base's shape", () => {
  const folder = mkdtempSync(join(tmpdir(), 'modernbert-'));
  afterAll(() => rmSync(folder, { recursive: true }));
  // Six of its layers are 137 MB, enough to see that a load holds only part of them.
  beforeAll(() => writeZeros(folder, { ...shapes.config, num_hidden_layers: 6 }));

  /** Everything that is alive, garbage aside. */
  const held = () => {
    collect();
    const { heapUsed, arrayBuffers } = process.memoryUsage();
    return heapUsed + arrayBuffers;
  };

  /** Most bytes that JavaScript held over what it did before, and what the cache did. */
  async function load(source: string, dtype: Dtype) {
    const before = held();
    const most = { held: before, at: 0, samples: 0 };
    const model = await loadModel(source, {
      dtype,
      gpu,
      selfCheck: false,
      cacheFolder: join(folder, 'cache'),
      onProgress({ loaded }) {
        if (loaded < most.at + 8e6) return;
        Object.assign(most, { held: Math.max(most.held, held()), at: loaded, samples: most.samples + 1 });
      },
    });
    await model.dispose();
    expect(model.info.dtype).toBe(dtype);
    expect(most.samples).toBeGreaterThan(5);
    return { held: most.held - before, cache: model.info.cache.state };
  }

  it.each([
    ['f16', 300e6, 0.98],
    ['q8', 165e6, 0.95],
    ['q4', 86e6, 0.98],
  ] as const)('%s: at most %i bytes of GPU memory', async (dtype, bytes, share) => {
    const { weights } = (await placesOf(shapes.config, dtype)).memory.use();
    expect(weights).toBeLessThanOrEqual(bytes);
    expect(weights).toBeGreaterThan(share * bytes);
  });

  it('takes at most 64 MB of JavaScript memory while it loads: from a folder, a server into the cache, the cache', async () => {
    const server = createServer((request, response) => {
      const path = join(folder, request.url!);
      if (!existsSync(path)) return response.writeHead(404).end();
      return createReadStream(path).pipe(response.setHeader('content-length', statSync(path).size));
    }).listen(0, '127.0.0.1');
    await once(server, 'listening');
    const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/`;
    const loads = [await load(folder, 'f16'), await load(url, 'q8'), await load(url, 'q8')];
    server.closeAllConnections();
    server.close();
    expect(loads.map(({ cache }) => cache)).toEqual(['off', 'stored', 'hit']);
    for (const { held } of loads) expect(held).toBeLessThanOrEqual(64e6);
  });
});

/** Where a masked language model's weights go. */
async function placesOf(json: Record<string, unknown>, dtype: Dtype) {
  const memory = new GpuMemory(await openGpu(gpu));
  const { places } = buildModel({
    ...(await readModelConfig(json)),
    gpu: memory.gpu,
    sentence: { modules: [], chains: {} },
    names: new Set(['model.embeddings.tok_embeddings.weight']),
    dtype,
    act: 'f32',
    compute: 'float',
    task: 'mlm',
    alloc: (label, bytes) => memory.alloc('weights', label, bytes),
  });
  memory.gpu.device.destroy();
  return { memory, places };
}

it('runs seven dispatches a layer and at most eight around them', async () => {
  const { runtime, config } = await loadRuntime(checkpointFolder('tiny-mlm'), {
    gpu,
    selfCheck: false,
    folder: folderFiles,
  });
  const { inputIds, lengths } = readGolden('tiny-mlm').batch;
  const first = inputIds.slice(0, lengths[0]);
  const last = inputIds.slice(-lengths[11]);
  const rows = Uint32Array.of(0, 3, 7);
  const { dispatches } = await runtime.run([first, last], [{ head: topK(5), indices: rows }]);
  runtime.dispose();
  expect(dispatches).toBeGreaterThanOrEqual(6 * config.num_hidden_layers);
  expect(dispatches).toBeLessThanOrEqual(7 * config.num_hidden_layers + 8);
});

it('a pass makes nothing on the GPU but command buffers when one of its shape went before', async () => {
  const { runtime } = await loadRuntime(publicModel('nano'), { gpu, selfCheck: false, folder: folderFiles });
  const { device } = runtime.gpu;
  const made: string[] = [];
  const submit = device.queue.submit.bind(device.queue);
  for (const name of ['createBuffer', 'createBindGroup', 'createBindGroupLayout', 'createShaderModule'] as const) {
    const make = device[name].bind(device) as (descriptor: never) => never;
    device[name] = (descriptor: never) => {
      made.push(name);
      return make(descriptor);
    };
  }
  device.queue.submit = (commands) => {
    made.push('submit');
    return submit(commands);
  };
  const pass = () =>
    runtime.run(
      [tokens(16).inputIds, tokens(9).inputIds],
      [{ head: pooledEmbedding({ pooling: ['mean'], normalize: true }), indices: Uint32Array.of(0, 1) }],
    );
  await pass();
  expect(made).toContain('createBuffer');
  expect(made).toContain('createBindGroup');
  made.length = 0;
  await pass();
  expect(made).toEqual(['submit', 'submit']); // in two parts
  runtime.dispose();
});
