import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';
import type { Model } from '../api/types';
import { maxSim, type NodeLoadOptions, similarity, sparseDot } from '../node';
import { withModel } from './fixtures';

const folderOf = (name: string) => fileURLToPath(new URL(`../reference/fixtures/${name}`, import.meta.url));
const spaceOf = (source: string, options: NodeLoadOptions = {}) =>
  withModel(source, options, async (model) => (await model.embed('a cat')).embeddingSpace!);

it('an adapter is part of the name, by its folder and values, however it is loaded', async () => {
  const [base, one, two] = ['base', 'adapter', 'adapter-2'].map((name) => folderOf(`peft-lora-encoder/${name}`));
  const [ofOne, ofTwo] = [await spaceOf(base, { adapter: one }), await spaceOf(base, { adapter: two })];
  const alone = await spaceOf(base);
  const [model, ...rest] = alone.split('/');
  expect(ofOne).toMatch(new RegExp(`^${model}\\+adapter~[0-9a-f]{8}/${rest.join('/')}$`));
  expect(ofTwo).toMatch(new RegExp(`^${model}\\+adapter-2~[0-9a-f]{8}/`));
  const files = Object.fromEntries(readdirSync(one).map((name) => [name, new Blob([readFileSync(join(one, name))])]));
  const given = await spaceOf(base, { adapter: files });
  expect(given).toBe(ofOne); // its folder has the name that an adapter without one gets
  const nameless = Object.fromEntries(
    readdirSync(base).map((name) => [name, new Blob([readFileSync(join(base, name))])]),
  );
  await withModel(nameless, { adapter: files }, async (own) => {
    expect((await own.embed('a')).embeddingSpace).toMatch(/^files~[0-9a-f]{16}\+adapter~/);
  });
  await withModel(base, { adapters: { a: one, b: two }, adapter: 'a' }, async (changing) => {
    const now = async () => (await changing.embed('a cat')).embeddingSpace;
    expect(await now()).toBe(ofOne);
    await changing.setAdapter('b');
    expect(await now()).toBe(ofTwo);
    await changing.setAdapter();
    expect(await now()).toBe(alone);
  });
});

it('queries and documents have one, also where a Router sends them to other modules or models', async () => {
  await withModel(folderOf('st-router-dense'), {}, async (model) => {
    const [query, document] = await Promise.all(
      (['query', 'document'] as const).map((kind) => model.embed('a', { kind })),
    );
    expect(query.embeddingSpace).toMatch(/^st-router-dense~[0-9a-f]{8}\/float\/router\/\d+\/unit$/);
    expect(similarity(query, document)).toHaveLength(1);
    const other = await model.embed('a', { kind: 'query', pooling: 'max' });
    expect(() => similarity(other, document)).toThrow('Vectors of different embedding spaces');
  });
  await withModel(folderOf('splade-static-query'), { dtype: 'q8' }, async (model) => {
    const [query, document] = await Promise.all(
      (['query', 'document'] as const).map((kind) => model.embedSparse('a cat', { kind })),
    );
    expect(query.embeddingSpace).toMatch(/^splade-static-query~[0-9a-f]{8}\/q8\/sparse\/\d+$/);
    expect(sparseDot(query.row(0), document.row(0))).toBeGreaterThanOrEqual(0);
    const none = await model.embedSparse([], { kind: 'document' });
    expect(none).toMatchObject({ rows: 0, offsets: Uint32Array.of(0), embeddingSpace: query.embeddingSpace });
  });
});

it('token embeddings have one for both kinds; of no texts there are none', async () => {
  await withModel(folderOf('pylate-default'), {}, async (model: Model) => {
    const [query, document] = await Promise.all(
      (['query', 'document'] as const).map((kind) => model.embedMultiVector('a cat', { kind })),
    );
    expect(query.embeddingSpace).toMatch(new RegExp(`^pylate-default~[0-9a-f]{8}/float/tokens/${query.dim}$`));
    expect(query.toArrays()).toHaveLength(query.rows);
    expect(maxSim(query, document)).toBeGreaterThan(0);
    expect(await model.embedMultiVector([], { kind: 'document' })).toEqual([]);
  });
});
