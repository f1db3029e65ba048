import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { EmbedOptions, SparseOptions } from '../api/calls';
import type { Model } from '../api/types';
import { loadTestModel, withModel } from '../session/fixtures';

/** Checkpoints that sentence-transformers saved, and what it computes from them. */
const folder = fileURLToPath(new URL('fixtures/', import.meta.url));

interface Expected {
  calls: {
    call: string;
    texts: string[];
    options?: object;
    tolerance: number;
    ids?: number[][];
    values: (Record<string, number> | number[])[];
  }[];
}

const cases = readdirSync(folder)
  .filter((name) => existsSync(join(folder, name, 'expected.json')))
  .map((name) => {
    const { calls }: Expected = JSON.parse(readFileSync(join(folder, name, 'expected.json'), 'utf8'));
    return { name, calls };
  })
  .filter(({ name }) => /^(splade|static)-/.test(name));

describe.each(cases)('$name', ({ name, calls }) => {
  let model: Model;
  beforeAll(async () => {
    model = await loadTestModel(join(folder, name), { dtype: 'f32', arithmetic: 'f32' });
  });
  afterAll(() => model?.dispose());

  it.each(calls.filter(({ call }) => call === 'embedSparse'))(
    'embedSparse $options',
    async ({ texts, options, values, tolerance }) => {
      const filled = [...texts.keys()].filter((i) => texts[i] !== '');
      const found = await model.embedSparse(
        filled.map((i) => texts[i]),
        { truncate: true, ...options } as SparseOptions,
      );
      expect(found.rows).toBe(filled.length);
      filled.forEach((i, r) => {
        const want = values[i] as Record<string, number>;
        const row = found.row(r);
        const got = new Map([...row.ids].map((id, e) => [String(id), row.weights[e]]));
        expect([...row.ids]).toEqual([...row.ids].sort((a, b) => a - b));
        for (const id of new Set([...Object.keys(want), ...got.keys()])) {
          expect(Math.abs((got.get(id) ?? 0) - (want[id] ?? 0)), `text ${i}, token ${id}`).toBeLessThan(tolerance);
        }
      });
    },
  );

  it.each(calls.filter(({ call }) => call === 'embed'))(
    'embed $options',
    async ({ texts, options, values, tolerance }) => {
      const filled = [...texts.keys()].filter((i) => texts[i] !== '');
      const found = await model.embed(
        filled.map((i) => texts[i]),
        { truncate: true, ...options } as EmbedOptions<'float32'>,
      );
      filled.forEach((i, r) => {
        const want = values[i] as number[];
        expect(found.dim).toBe(want.length);
        const worst = want.reduce((most, x, c) => Math.max(most, Math.abs(found.row(r)[c] - x)), 0);
        expect(worst, `text ${i}`).toBeLessThan(tolerance);
      });
    },
  );
});

it('a model of a table and a Transformer has the dtype and the device of the Transformer', async () => {
  for (const name of ['splade-static-query', 'splade-default-query']) {
    await withModel(join(folder, name), { dtype: 'f16' }, async ({ info }) => {
      expect([info.dtype, info.adapter.description === '']).toEqual(['f16', false]);
      expect(info.adapter.description).not.toMatch(/needs no GPU/);
    });
  }
});
