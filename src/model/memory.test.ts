import { mkdtempSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { create } from 'webgpu';
import shapes from '../../bench/shapes/base.json';
import type { Model } from '../api';
import { loadRuntime } from '../encoder';
import { folderFiles } from '../files/folder';
import { GpuMemory } from '../gpu/buffers';
import { openGpu } from '../gpu/device';
import { loadModel } from '../node';
import { parseConfig } from './config';
import { checkpointFolder, publicModel, readGolden } from './fixtures/golden';
import { geometryOf } from './geometry';
import { planWeights } from './weights';

/** Dawn's null backend allocates and validates as others do, and computes nothing: bytes and dispatches are the same. */
const gpu = create(['backend=null']);

setFlagsFromString('--expose-gc');
const collect: () => void = runInNewContext('gc');

let model: Model;
beforeAll(async () => {
  model = await loadModel(publicModel('nano'), { arithmetic: 'f32', gpu });
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
  const short = await loadModel(publicModel('nano'), { arithmetic: 'f32', gpu });
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
  beforeAll(() => writeZeros(folder, shapes.config));

  /** Everything that is alive, garbage aside. */
  const held = () => {
    collect();
    const { heapUsed, arrayBuffers } = process.memoryUsage();
    return heapUsed + arrayBuffers;
  };

  it.each([
    ['f16', 300e6],
    ['q8', 165e6],
    ['q4', 105e6],
  ] as const)(
    '%s: at most %i bytes of GPU memory, and 64 MB of JavaScript memory while it loads',
    async (dtype, bytes) => {
      const before = held();
      const most = { held: before, at: 0, samples: 0 };
      const { runtime, info } = await loadRuntime(folder, {
        dtype,
        gpu,
        folder: folderFiles,
        onProgress({ loaded }) {
          if (loaded < most.at + 8e6) return;
          Object.assign(most, { held: Math.max(most.held, held()), at: loaded, samples: most.samples + 1 });
        },
      });
      expect(info.dtype).toBe(dtype);
      expect(runtime.memoryUse().weights).toBeLessThanOrEqual(bytes);
      expect(runtime.memoryUse().weights).toBeGreaterThan(0.98 * bytes * (dtype === 'q8' ? 159.8 / 165 : 1));
      runtime.dispose();
      expect(most.samples).toBeGreaterThan(20);
      expect(most.held - before).toBeLessThanOrEqual(64e6);
    },
  );
});

/** A checkpoint of zeros in f16; the file has a header and a hole. */
async function writeZeros(folder: string, config: Record<string, unknown>): Promise<void> {
  const parsed = parseConfig(config);
  const memory = new GpuMemory(await openGpu(gpu));
  const { places } = planWeights(
    memory,
    parsed,
    geometryOf(parsed),
    new Set(['model.embeddings.tok_embeddings.weight']),
    'f16',
    'mlm',
  );
  memory.gpu.device.destroy();
  const header: Record<string, unknown> = {};
  let at = 0;
  for (const [name, { shape }] of places) {
    const end = at + 2 * shape.reduce((a, b) => a * b, 1);
    header[name] = { dtype: 'F16', shape, data_offsets: [at, end] };
    at = end;
  }
  const text = Buffer.from(JSON.stringify(header));
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(BigInt(text.length));
  writeFileSync(join(folder, 'config.json'), JSON.stringify(config));
  writeFileSync(join(folder, 'model.safetensors'), Buffer.concat([length, text]));
  truncateSync(join(folder, 'model.safetensors'), 8 + text.length + at);
}

it('runs seven dispatches a layer and at most eight around them', async () => {
  const { runtime, config } = await loadRuntime(checkpointFolder('tiny-mlm'), {
    gpu,
    folder: folderFiles,
  });
  const { inputIds, lengths } = readGolden('tiny-mlm').batch;
  const first = inputIds.slice(0, lengths[0]);
  const last = inputIds.slice(-lengths[11]);
  const rows = Uint32Array.of(0, 3, 7);
  const { dispatches } = await runtime.run([first, last], [{ head: { kind: 'top_k', k: 5 }, indices: rows }]);
  runtime.dispose();
  expect(dispatches).toBeGreaterThanOrEqual(6 * config.num_hidden_layers);
  expect(dispatches).toBeLessThanOrEqual(7 * config.num_hidden_layers + 8);
});
