/** `dispose()` of models in this thread (those of a page: client.test.ts): it never rejects, and may be called at any time and again. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import type { Model } from '../api/types';
import { nullGpu } from '../gpu/fixtures';
import { publicModel } from '../model/fixtures/golden';
import { loadModel, type NodeLoadOptions } from '../node';
import { folderOf } from '../reference/calls';
import { loadModel as loadInThread } from '../thread';

const LORA = folderOf('peft-lora');
const adapters = { one: join(LORA, 'adapter'), two: join(LORA, 'adapter') };
const FILES = ['config.json', 'tokenizer.json', 'tokenizer_config.json', 'model.safetensors'];
const DISPOSED = { name: 'AbortError', message: expect.stringContaining('disposed') };

/** Loads a reference checkpoint in Node on a GPU whose device `lose` destroys. */
async function load(name: string, options: NodeLoadOptions = {}) {
  const devices: GPUDevice[] = [];
  const real = nullGpu();
  const gpu = {
    async requestAdapter() {
      const adapter = (await real.requestAdapter())!;
      const requestDevice = async (descriptor: GPUDeviceDescriptor) => {
        devices.push(await adapter.requestDevice(descriptor));
        return devices.at(-1)!;
      };
      const { info, features, limits } = adapter;
      return { info, features, limits, requestDevice };
    },
  };
  const model = await loadModel(folderOf(name), { gpu, selfCheck: false, ...options });
  return { model, lose: () => devices.map((device) => device.destroy()) };
}

async function inThread(): Promise<{ model: Model; lose(): void }> {
  const folder = publicModel('nano');
  const files = new Map(FILES.map((name) => [name, new Blob([readFileSync(join(folder, name))])]));
  const model = await loadInThread(files, { gpu: nullGpu(), selfCheck: false });
  return { model, lose: () => {} };
}

const MODELS: Record<string, () => Promise<{ model: Model; lose(): void }>> = {
  'a model': () => load('st-mean'),
  'a model of the entry thread': inThread,
  'a table of tokens': () => load('static-normalize'),
  'several models': () => load('st-router'),
  'a table and a model': () => load('splade-default-query'),
  'two encoders': () => load('gliner-bi-span'),
  adapters: () => load('peft-lora/base', { adapters, adapter: 'one' }),
};

it.each(Object.entries(MODELS))('%s: twice, at one time and after it', async (_, open) => {
  const { model } = await open();
  expect(await Promise.all([model.dispose(), model.dispose()])).toEqual([undefined, undefined]);
  await model.dispose();
  const { weights, activations } = model.memory();
  expect([weights, activations]).toEqual([0, 0]);
});

it.each(Object.entries(MODELS))('%s: after the loss of its device', async (_, open) => {
  const { model, lose } = await open();
  lose();
  await model.dispose();
  lose();
  await model.dispose();
});

it('with calls under way, which reject', async () => {
  const { model } = await load('st-mean');
  const call = model.embed(Array<string>(500).fill('a text'));
  await Promise.all([expect(call).rejects.toMatchObject(DISPOSED), model.dispose(), model.dispose()]);
  await expect(model.embed('a')).rejects.toMatchObject(DISPOSED);
});

it('while it changes to another adapter', async () => {
  const { model } = await load('peft-lora/base', { adapters, adapter: 'one' });
  const changing = model.setAdapter('two');
  await Promise.all([expect(changing).rejects.toMatchObject(DISPOSED), model.dispose(), model.dispose()]);
  await model.dispose();
  expect(model.memory()).toMatchObject({ weights: 0, activations: 0 });
});
