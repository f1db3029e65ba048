import { afterEach, expect, it } from 'vitest';
import type { Model } from '../api/types';
import { testGpu, withBytes, withLosses } from '../gpu/fixtures';
import { checkpointFolder, maxDifference, readGolden } from '../model/fixtures/golden';
import { folderFiles } from '../sources/folder';
import { loadRuntime, type OpenOptions } from './load-runtime';
import { openModel } from './open';

const models: Model[] = [];
afterEach(async () => {
  for (const model of models.splice(0)) await model.dispose();
});

function memoryStore() {
  const entries = new Map<string, unknown>();
  const isPlan = (value: unknown) => Array.isArray(value) && value.length > 0;
  return {
    writes: 0,
    plans: () => [...entries.values()].filter(isPlan).length,
    checks: () => [...entries.keys()].filter((key) => key.includes('self-check')).length,
    get: async (key: string) => entries.get(key),
    async set(key: string, value: unknown) {
      this.writes++;
      entries.set(key, value);
    },
  };
}

/** The matrix products of a layer. */
const GEMMS = 4;

async function open(options: Partial<OpenOptions>, gpu = testGpu()) {
  const model = await openModel(checkpointFolder('tiny-mlm'), {
    gpu,
    folder: folderFiles,
    dtype: 'f32',
    arithmetic: 'f32',
    autotune: true,
    selfCheck: false, // which stores what it finds too
    profile: { unroll: 1 },
    ...options,
  });
  models.push(model);
  return model;
}

const golden = readGolden('tiny-mlm');
const forward = (model: Model) => model.forward(golden.batch, { outputs: ['last_hidden_state'] });
const differenceOf = async (model: Model) =>
  maxDifference((await forward(model)).last_hidden_state!.data, golden.floats('last_hidden_state').data);

/** Waits for it; the test's own limit of time ends it. */
const until = async (is: () => boolean) => {
  while (!is()) await new Promise((resolve) => setTimeout(resolve, 1));
};

it('a load measures nothing; warm does, and what the model computes stays the same; later loads know the plans', async () => {
  const store = memoryStore();
  const { gpu, pipelines, bytes } = withBytes();
  const model = await open({ plans: store }, gpu);
  expect(await differenceOf(model)).toBeLessThan(2e-4);
  expect(store.plans()).toBe(0);
  const before = pipelines();
  await model.warm();
  expect(store.plans()).toBe(GEMMS);
  expect(pipelines()).toBeGreaterThan(before);
  const compiled = pipelines();
  expect(await differenceOf(model)).toBeLessThan(2e-4);
  expect(pipelines()).toBe(compiled);
  const { weights, activations } = model.memory();
  expect(bytes()).toBeLessThan(weights + activations + 5000); // nothing of the measuring is left but its clock

  const { writes } = store;
  const second = await open({ plans: store });
  await second.warm();
  expect(await differenceOf(second)).toBeLessThan(2e-4);
  expect(store.writes).toBe(writes);
}, 600_000); // the first that compiles these kernels

it("attention's tiles are measured too on cards, for each window", async () => {
  const store = memoryStore();
  const profile = { name: 'card', unroll: 1 } as const;
  const { gpu, bytes } = withBytes();
  const model = await open({ plans: store, profile, selfCheck: true }, gpu);
  await model.warm();
  expect(store.plans()).toBe(GEMMS + 2);
  expect(await differenceOf(model)).toBeLessThan(2e-4);
  const { weights, activations } = model.memory();
  expect(bytes()).toBeLessThan(weights + activations + 5000);

  const { writes } = store;
  const second = await open({ plans: store, profile, selfCheck: true });
  await second.warm();
  expect(await differenceOf(second)).toBeLessThan(2e-4);
  expect(store.writes).toBe(writes);
});

it('what is measured is used', async () => {
  const found: unknown[] = [];
  const plans = { get: async () => undefined, set: async (_: string, plan: unknown) => void found.push(plan) };
  const profile = { name: 'card', unroll: 1 } as const;
  const options = { gpu: testGpu(), folder: folderFiles, autotune: true, selfCheck: false, profile };
  const { runtime } = await loadRuntime(checkpointFolder('tiny-mlm'), { ...options, dtype: 'f32', plans });
  const used = runtime.steps.layers.flatMap((steps) => steps.filter(({ step }) => 'gemm' in step));
  runtime.dispose();
  expect(found).toHaveLength(GEMMS + 2); // attention's, global and by window
  for (const { variants } of used) expect(found).toContainEqual(variants.map(({ kernel: _, ...entry }) => entry));
  const { plans: attention } = runtime.steps;
  expect([...attention.keys()]).toEqual([0, expect.any(Number)]);
  for (const plan of attention.values())
    expect(found).toContainEqual(plan.map(({ upTo, tile }) => ({ ...(upTo && { upTo }), tile })));
});

it('a model that is idle is measured without being asked', async () => {
  const store = memoryStore();
  const model = await open({ plans: store });
  await forward(model);
  await until(() => store.plans() === GEMMS);
  expect(await differenceOf(model)).toBeLessThan(2e-4);
});

it('the kernels that are found are checked as those of a load, and remembered as right', async () => {
  const store = memoryStore();
  const model = await open({ plans: store, selfCheck: true });
  const ofLoad = store.checks();
  await model.warm();
  expect(store.checks()).toBe(ofLoad + 2); // of the head of warm's own call; of the new encoder with the load's head
  expect(await differenceOf(model)).toBeLessThan(2e-4);
  const { writes } = store;
  await open({ plans: store, selfCheck: true });
  expect(store.writes).toBe(writes);
});

it('neither a release nor a disposal while it measures leaves anything behind', async () => {
  const store = memoryStore();
  const { gpu, bytes, pipelines } = withBytes();
  const model = await open({ plans: store }, gpu);
  await forward(model);
  const loaded = pipelines();
  await until(() => pipelines() > loaded);
  await model.release();
  expect(bytes()).toBe(0);
  expect(await differenceOf(model)).toBeLessThan(2e-4);
  await model.dispose();
  await new Promise((resolve) => setTimeout(resolve, 1500));
  expect(bytes()).toBe(0);
  expect(store.plans()).toBeLessThan(GEMMS);
});

it('a device without memory for measuring keeps its defaults, and nothing of the measuring', async () => {
  const { gpu, bytes } = withBytes();
  const usual = await open({ autotune: false }, gpu);
  await forward(usual);
  const enough = bytes() + 300_000;
  const store = memoryStore();
  const small = withBytes(enough);
  const model = await open({ plans: store }, small.gpu);
  expect(await differenceOf(model)).toBeLessThan(2e-4);
  await model.warm();
  expect(store.plans()).toBe(0);
  expect(await differenceOf(model)).toBeLessThan(2e-4);
  const { weights, activations } = model.memory();
  expect(small.bytes()).toBeLessThan(weights + activations + 5000);
});

it('what is measured takes no memory from a call', async () => {
  const small = withBytes(21_000_000);
  const { gpu, bytes } = small;
  const model = await open({ profile: { name: 'card', unroll: 1 } }, gpu);
  const forwardOf = (texts: number, length: number) => {
    const inputIds = Uint32Array.from({ length: texts * length }, (_, i) => golden.batch.inputIds[i % 4]);
    return model.forward(
      { inputIds, lengths: new Uint32Array(texts).fill(length) },
      { outputs: ['last_hidden_state'] },
    );
  };
  await forwardOf(1, 5);
  const { weights, activations } = model.memory();
  await until(() => bytes() > weights + activations + 10_000_000);
  const { last_hidden_state } = await forwardOf(40, 100); // which the device has the memory for, but not beside what is measured
  expect(last_hidden_state!.data.every(Number.isFinite)).toBe(true);
  expect(bytes()).toBeLessThan(15_000_000);
});

it('a device that is lost while it measures is noticed by no call', async () => {
  const { gpu, calls, lose } = withLosses();
  const model = await open({}, gpu);
  await forward(model);
  const before = calls();
  await until(() => calls() > before + 10);
  lose();
  expect(await differenceOf(model)).toBeLessThan(2e-4);
  await model.dispose();
  expect(model.memory()).toMatchObject({ weights: 0, activations: 0 });
});
