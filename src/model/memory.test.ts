import { afterAll, beforeAll, expect, it } from 'vitest';
import { create } from 'webgpu';
import type { Model } from '../api';
import { loadRuntime } from '../encoder';
import { folderFiles } from '../files/folder';
import { loadModel } from '../node';
import { checkpointFolder, publicModel, readGolden } from './fixtures/golden';

/** Dawn's null backend allocates and validates as others do, and computes nothing: bytes and dispatches are the same. */
const NULL = ['backend=null'];

let model: Model;
beforeAll(async () => {
  model = await loadModel(publicModel('nano'), { arithmetic: 'f32', dawn: NULL });
});
afterAll(() => model.dispose());

const tokens = (count: number) => ({
  inputIds: Uint32Array.from({ length: count }, (_, i) => (i * 7919) % 16000),
  lengths: Uint32Array.of(count),
});

it('counts the weights: those of the file and little more', () => {
  const { weights, activations, peak } = model.memory();
  // 16.4 MB of f16 in the file; on the GPU 8192 positions of two RoPE tables come on top, and norms in f32.
  expect(weights).toBeGreaterThan(16.3e6);
  expect(weights).toBeLessThan(16.4e6 + 2 * 8192 * 64 * 4 + 1e6);
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

it('runs seven dispatches a layer and at most eight around them', async () => {
  const { runtime, config } = await loadRuntime(checkpointFolder('tiny-mlm'), {
    gpu: create(NULL),
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
