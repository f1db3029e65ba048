/** convertModel writes what loadModel reads: by every name of a dtype, of every kind of folder. */
import { mkdtempSync, readdirSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';
import type { Dtype, Model, ModelSource } from '../api/types';
import { minCosine } from '../model/fixtures/golden';
import type { ConvertOptions, DtypeName } from '../node';
import { convertModel } from '../node';
import { withModel } from './fixtures';

const fixture = (name: string) => fileURLToPath(new URL(`../reference/fixtures/${name}`, import.meta.url));
const F32 = { dtype: 'f32', arithmetic: 'f32' } as const;

async function converted(source: ModelSource, options: ConvertOptions): Promise<string> {
  const folder = join(mkdtempSync(join(tmpdir(), 'convert-')), 'out');
  expect((await convertModel(source, folder, options)).bytes).toBeGreaterThan(0);
  return folder;
}

const NAMES: [Dtype, ...(Dtype | DtypeName)[]][] = [
  ['f32', 'f32', 'fp32', 'float32'],
  ['f16', 'f16', 'fp16', 'float16', 'half'],
  ['q8', 'q8', 'int8', 'q8_0'],
  ['q4', 'q4', 'int4', 'q4_0'],
];
const LORA = fixture('st-lora/adapter');
const embedding = async (model: Model) => (await model.embed('Bread is made of flour, water and salt.')).data;

it.each(NAMES.flatMap(([dtype, ...names]) => names.map((name) => ({ name, dtype }))))(
  'as $name, with an adapter merged, loads as $dtype',
  async ({ name, dtype }) => {
    const right = await withModel(LORA, F32, embedding);
    const folder = await converted(LORA, { dtype: name.toUpperCase() as Dtype });
    await withModel(folder, { arithmetic: 'f32' }, async (model) => {
      expect([model.info.dtype, model.info.pooling]).toEqual([dtype, ['mean']]);
      const data = await embedding(model);
      expect(minCosine(data, right, right.length)).toBeGreaterThan(
        { f32: 0.999999, f16: 0.99999, q8: 0.999, q4: 0.9 }[dtype],
      );
    });
    await withModel(LORA, { dtype: name, arithmetic: 'f32' }, async (model) => expect(model.info.dtype).toBe(dtype));
  },
);

it('an adapter of an option becomes a classifier of its own', async () => {
  const [base, adapter] = ['base', 'adapter'].map((name) => fixture(`peft-lora/${name}`));
  const scores = (model: Model) => model.classify('The Seine crosses Paris.', { raw: true });
  const folder = await converted(base, { dtype: 'f32', adapter });
  expect(readdirSync(folder).sort()).toEqual([
    'config.json',
    'model.safetensors',
    'tokenizer.json',
    'tokenizer_config.json',
  ]);
  expect(await withModel(folder, F32, scores)).toEqual(await withModel(base, { ...F32, adapter }, scores));
});

it.each([
  ['st-router', 'embed'],
  ['st-router-dense', 'embed'],
  ['cross-encoder-modules', 'rerank'],
])('%s keeps its modules and their folders', async (name, call) => {
  const source = fixture(name);
  const texts = ['Bread is made of flour, water and salt.', 'The Seine crosses Paris.'];
  const answer = async (model: Model) =>
    call === 'rerank'
      ? Float32Array.from(await model.rerank('Which river crosses Paris?', texts), ({ score }) => score)
      : Float32Array.from([
          ...(await model.embed(texts, { kind: 'query' })).data,
          ...(await model.embed(texts, { kind: 'document' })).data,
        ]);
  const right = await withModel(source, F32, answer);
  expect(await withModel(await converted(source, { dtype: 'fp32' }), F32, answer)).toEqual(right);
  await withModel(await converted(source, { dtype: 'int8' }), { arithmetic: 'f32' }, async (model) => {
    expect(model.info.dtype).toBe('q8');
    expect(minCosine(await answer(model), right, right.length)).toBeGreaterThan(0.99);
  });
});

it.each([
  ['bf16', /dtype must be one of auto, f32, .*; it is 'bf16'\. bf16 files load as they are/],
  ['auto', /dtype 'auto' is for loading/],
  ['q5', /dtype must be one of/],
])('refuses %s', (dtype, message) => expect(converted(LORA, { dtype: dtype as Dtype })).rejects.toThrow(message));
