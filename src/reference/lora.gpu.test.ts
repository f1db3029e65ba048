/** Checkpoints with LoRA adapters, as peft and sentence-transformers have saved them, and what those libraries compute. */
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import type { Model } from '../api/types';
import { maxDifference } from '../model/fixtures/golden';
import type { NodeLoadOptions } from '../node';
import { loadTestModel, withModel } from '../session/fixtures';

const folderOf = (name: string) => fileURLToPath(new URL(`./fixtures/${name}`, import.meta.url));

interface Expected {
  calls: {
    texts: (string | string[])[];
    ids: number[][];
    rows: number[][];
    values: number[][] & number[][][];
    tolerance: number;
  }[];
}
const expectedOf = (name: string): Expected =>
  JSON.parse(readFileSync(`${folderOf(name)}/expected.json`, 'utf8')) as Expected;

const F32 = { dtype: 'f32', arithmetic: 'f32' } as const;
const floats = (values: number[][]) => Float32Array.from(values.flat());

/** The rows of last_hidden_state that are known, of all sequences. */
async function hiddenRows(model: Model, { ids, rows }: Expected['calls'][number]): Promise<Float32Array> {
  const found: number[] = [];
  for (const [i, sequence] of ids.entries()) {
    const batch = { inputIds: Uint32Array.from(sequence), lengths: Uint32Array.of(sequence.length) };
    const { last_hidden_state } = await model.forward(batch, { outputs: ['last_hidden_state'], rows: rows[i] });
    found.push(...last_hidden_state!.data);
  }
  return Float32Array.from(found);
}

const encoder = expectedOf('peft-lora-encoder');
const [first, second] = encoder.calls;
const ENCODER = folderOf('peft-lora-encoder');
const [BASE, ONE, TWO] = ['base', 'adapter', 'adapter-2'].map((name) => `${ENCODER}/${name}`);

async function expectLogits(model: Model) {
  const [{ texts, values, tolerance }] = expectedOf('peft-lora').calls;
  for (const [i, text] of texts.entries()) {
    if (text[0] === '') continue;
    const pair = text.length > 1 ? { text: text[0], pair: text[1] } : text[0];
    const scores = await model.classify(pair as string, { raw: true, truncate: true });
    expect(scores.map(({ label }) => label).sort()).toEqual(['LABEL_0', 'LABEL_1', 'LABEL_2']);
    const logits = values[i].map((_, l) => scores.find(({ label }) => label === `LABEL_${l}`)!.score);
    expect(maxDifference(Float32Array.from(logits), Float32Array.from(values[i]))).toBeLessThanOrEqual(tolerance);
  }
}

describe('a classifier that peft made of an encoder', () => {
  const folder = folderOf('peft-lora');

  it('loads by its own folder, with the base that it names beside it', () =>
    withModel(`${folder}/adapter`, F32, async (model) => {
      expect(model.info).toMatchObject({ task: 'seqcls', labels: ['LABEL_0', 'LABEL_1', 'LABEL_2'] });
      await expectLogits(model);
    }));

  it('loads as an option of its base', () =>
    withModel(`${folder}/base`, { ...F32, adapter: `${folder}/adapter` }, expectLogits));
});

it.each([
  ['plain', ONE, first],
  ['rslora with other ranks', TWO, second],
] as const)("an encoder's adapter, %s", (_, adapter, call) =>
  withModel(BASE, { ...F32, adapter }, async (model) => {
    expect(maxDifference(await hiddenRows(model, call), floats(call.values.flat()))).toBeLessThanOrEqual(
      call.tolerance,
    );
  }),
);

it("sentence-transformers' folder has its modules and names its base", () => {
  const [{ texts, values, tolerance }] = expectedOf('st-lora').calls;
  return withModel(`${folderOf('st-lora')}/adapter`, F32, async (model) => {
    expect(model.info.pooling).toEqual(['mean']);
    for (const [i, text] of texts.entries()) {
      if (text === '') continue;
      const { data } = await model.embed(text as string, { truncate: true });
      expect(maxDifference(data, Float32Array.from(values[i]))).toBeLessThanOrEqual(tolerance);
    }
  });
});

describe('several adapters', () => {
  const adapters = { one: ONE, two: TWO };
  const options = (dtype: NodeLoadOptions['dtype']): NodeLoadOptions => ({ dtype, arithmetic: 'f32' });

  it.each(['f32', 'f16', 'q8', 'q4'] as const)('in turn give the bits of a fresh load, in %s', async (dtype) => {
    const fresh = new Map<string | undefined, Float32Array>();
    for (const [name, adapter] of [
      ['one', ONE],
      ['two', TWO],
      [undefined, undefined],
    ] as const) {
      await withModel(BASE, { ...options(dtype), adapter }, async (model) =>
        fresh.set(name, await hiddenRows(model, first)),
      );
    }
    expect(maxDifference(fresh.get('one')!, fresh.get('two')!)).toBeGreaterThan(0.01);
    await withModel(BASE, { ...options(dtype), adapters, adapter: 'one' }, async (model) => {
      for (const name of ['one', 'two', undefined, 'two', 'one']) {
        const info = await model.setAdapter(name);
        expect([info.loraAdapter, model.info.loraAdapter, model.info.dtype]).toEqual([name, name, dtype]);
        expect(await hiddenRows(model, first)).toEqual(fresh.get(name));
      }
    });
  });

  it('that change while calls are under way: each call runs with what it was made with', async () => {
    const model = await loadTestModel(BASE, { ...F32, adapters });
    const one = { ...first, ids: first.ids.slice(1, 2), rows: first.rows.slice(1, 2) }; // one pass each
    const two = { ...second, ids: second.ids.slice(1, 2), rows: second.rows.slice(1, 2) };
    const before = hiddenRows(model, one);
    const changes = [model.setAdapter('one')];
    const between = hiddenRows(model, one);
    changes.push(model.setAdapter('two'));
    const after = hiddenRows(model, two);
    await Promise.all(changes);
    expect(maxDifference(await between, floats(first.values[1]))).toBeLessThanOrEqual(first.tolerance);
    expect(maxDifference(await after, floats(second.values[1]))).toBeLessThanOrEqual(second.tolerance);
    expect(maxDifference(await before, await between)).toBeGreaterThan(0.01);

    await expect(model.setAdapter('three')).rejects.toThrow("adapter must be one of one, two; it is 'three'.");
    const aborted = new AbortController();
    const stopped = model.setAdapter('one');
    const waiting = hiddenRows(model, one);
    const ended = model.embed('a', { signal: aborted.signal });
    aborted.abort();
    await expect(ended).rejects.toMatchObject({ name: 'AbortError' });
    await model.dispose();
    await expect(stopped).rejects.toMatchObject({ name: 'AbortError' });
    await expect(waiting).rejects.toMatchObject({ name: 'AbortError' });
    expect(model.memory().weights).toBe(0);
  });

  it('of other kinds: a head comes and goes', async () => {
    const folder = folderOf('peft-lora');
    await withModel(`${folder}/base`, { ...F32, adapters: { classes: `${folder}/adapter` } }, async (model) => {
      expect(model.info).toMatchObject({ task: 'encoder', labels: [], loraAdapters: ['classes'] });
      await model.setAdapter('classes');
      expect(model.info.task).toBe('seqcls');
      await expectLogits(model);
      await model.setAdapter();
      expect(model.info).toMatchObject({ task: 'encoder', labels: [] });
    });
  });
});

const variants = JSON.parse(readFileSync(`${folderOf('peft-lora-variants')}/expected.json`, 'utf8')) as {
  cases: { folder: string; kind: 'enc' | 'tok' | 'seq'; ids: number[][]; values: number[][] }[];
};

it.each(variants.cases)("peft's $folder, of its own folder", ({ folder, kind, ids, values }) =>
  withModel(`${folderOf('peft-lora-variants')}/${folder}`, F32, async (model) => {
    expect(model.info.task).toBe({ enc: 'encoder', tok: 'tokcls', seq: 'seqcls' }[kind]);
    for (const [i, sequence] of ids.entries()) {
      const batch = { inputIds: Uint32Array.from(sequence), lengths: Uint32Array.of(sequence.length) };
      const output = kind === 'enc' ? 'last_hidden_state' : 'logits';
      const found = await model.forward(batch, { outputs: [output] });
      const data = found[output]!.data.slice(-values[i].length);
      expect(maxDifference(data, Float32Array.from(values[i]))).toBeLessThanOrEqual(2e-5);
    }
  }),
);
