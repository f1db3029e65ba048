import { expect, it } from 'vitest';
import family from '../../tools/goldens/family.json';
import type { Dtype, Model } from '../api/types';
import type { NodeLoadOptions } from '../node';
import { loadTestModel } from '../session/fixtures';
import { type Golden, maxDifference, nanoTexts, readGolden, rowCosines } from './fixtures/golden';
import { type Twin, twinFolder, twinNamed } from './fixtures/twin';

/**
 * A tiny twin of each config in the family, from its own files, against outputs of an independent implementation (tools/goldens): hidden
 * states and logits, or embeddings of texts with poolings, Dense modules and ColBERT's encoding.
 */
const TOLERANCE = 2e-4;

const TEXTS = [0, 2, 3, 5].map((i) => nanoTexts()[i]);

async function withTwin(twin: Twin, options: NodeLoadOptions, use: (model: Model, golden: Golden) => Promise<void>) {
  const golden = readGolden(`family/${twin.name}`);
  const model = await loadTestModel(twinFolder(twin.name), options);
  try {
    await use(model, golden);
  } finally {
    await model.dispose();
  }
}

it.each(family)('$name ($like)', (twin) =>
  withTwin(twin, { dtype: 'f32' }, (model, golden) => {
    if (twin.multi_vector) return expectMultiVectors(model, golden);
    return twin.pooling ? expectEmbeddings(model, golden) : expectOutputs(model, golden);
  }),
);

// Random weights lose more than trained ones; a wrong module or a lost scale is far below.
it.each<[string, Dtype, number]>([
  ['dense', 'f16', 0.9999],
  ['dense', 'q8', 0.999],
  ['colbert', 'f16', 0.9999],
  ['colbert', 'q4', 0.8],
])("%s in %s: cosines to f32's embeddings of at least %f", (name, dtype, least) =>
  withTwin(twinNamed(name), { dtype, arithmetic: 'f32' }, async (model, golden) => {
    expect(model.info.dtype).toBe(dtype);
    const found: number[] = [];
    if (twinNamed(name).multi_vector) {
      const vectors = await model.embedMultiVector(TEXTS, { kind: 'document', truncate: true });
      for (const [i, { data, dim }] of vectors.entries()) {
        found.push(...rowCosines(data, golden.floats(`document.${i}`).data, dim));
      }
    } else found.push(...rowCosines((await model.embed(TEXTS)).data, golden.floats('embeddings').data, 24));
    expect(Math.min(...found)).toBeGreaterThan(least);
    expect(Math.min(...found)).toBeLessThan(1 - 1e-9);
  }),
);

async function expectOutputs(model: Model, golden: Golden) {
  const outputs = await model.forward(golden.batch, { outputs: ['last_hidden_state', 'logits'] });
  const { shape, data } = golden.floats('logits');
  expect(maxDifference(outputs.last_hidden_state!.data, golden.floats('last_hidden_state').data)).toBeLessThan(
    TOLERANCE,
  );
  expect(outputs.logits!.shape[1]).toBe(shape[1]);
  expect(maxDifference(outputs.logits!.data.slice(-data.length), data)).toBeLessThan(TOLERANCE); // mlm: of the last rows
}

async function expectEmbeddings(model: Model, golden: Golden) {
  const { data, shape } = golden.floats('embeddings');
  const embeddings = await model.embed(TEXTS);
  expect([embeddings.rows, embeddings.dim]).toEqual(shape);
  expect(model.info.embeddingSize).toBe(shape[1]);
  expect(maxDifference(embeddings.data, data)).toBeLessThan(TOLERANCE);

  const short = await model.embed(TEXTS, { dimensions: 10 });
  for (let r = 0; r < embeddings.rows; r++) {
    const cut = embeddings.row(r).slice(0, 10);
    const length = Math.hypot(...cut);
    expect(
      maxDifference(
        short.row(r),
        cut.map((x) => x / length),
      ),
    ).toBeLessThan(1e-6);
  }
}

async function expectMultiVectors(model: Model, golden: Golden) {
  expect(model.info).toMatchObject({
    similarity: 'MaxSim',
    embeddingSize: 16,
    multiVector: { queryLength: 32, documentLength: 64 },
  });
  for (const kind of ['query', 'document'] as const) {
    const vectors = await model.embedMultiVector(TEXTS, { kind, truncate: true });
    for (const [i, { data, rows, dim, ids, offsets }] of vectors.entries()) {
      const expected = golden.floats(`${kind}.${i}`);
      expect([...ids]).toEqual([...golden.ints(`${kind}.${i}.ids`)]);
      expect([rows, dim, offsets.length]).toEqual([...expected.shape, expected.shape[0]]);
      expect(maxDifference(data, expected.data)).toBeLessThan(TOLERANCE);
    }
    const [, , , { ids, offsets }] = vectors;
    expect(TEXTS[3].slice(...offsets[ids.length - 2])).toMatch(/^\w+$/);
    await expect(model.embedMultiVector(TEXTS, { kind })).rejects.toThrow(
      /^Text 3 has 411 tokens with its prefix; a (query|document) may have/,
    );
  }
  await expect(model.embed(TEXTS)).rejects.toThrow(/use embedMultiVector/);
}
