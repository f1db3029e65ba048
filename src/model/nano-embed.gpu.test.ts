import { expect, it } from 'vitest';
import { maxDifference, meanCosine, minCosine, nanoTexts, publicModel, readGolden } from './fixtures/golden';
import { withModel } from './fixtures/quantized';

const expected = readGolden('nano-embed').floats('mean_pooled');

it('nano-embed: embeddings of texts, as PyTorch computes them', async () => {
  await withModel(publicModel('nano-embed'), {}, async (model) => {
    const { data, rows, dim } = await model.embed(nanoTexts(), { normalize: false });
    expect([rows, dim]).toEqual(expected.shape);
    expect(maxDifference(data, expected.data)).toBeLessThanOrEqual(2e-4);
    const unit = await model.embed(nanoTexts());
    for (let i = 0; i < rows; i++) expect(Math.hypot(...unit.row(i))).toBeCloseTo(1, 5);
    expect(minCosine(unit.data, expected.data, dim)).toBeGreaterThan(0.999999);
  });
});

it.each(['f32', 'q8'] as const)(
  'nano-embed in %s: a text alone as among others, though other tiles serve so few rows',
  async (dtype) => {
    const texts = nanoTexts();
    await withModel(publicModel('nano-embed'), { dtype, arithmetic: 'f32' }, async (model) => {
      const among = await model.embed(texts, { normalize: false });
      for (const [i, text] of texts.entries()) {
        const alone = (await model.embed(text, { normalize: false })).row(0);
        const largest = alone.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
        expect(maxDifference(alone, among.row(i))).toBeLessThanOrEqual(1e-6 * largest);
      }
    });
  },
);

it.each([
  { dtype: 'q8', cosine: 0.9995 },
  { dtype: 'q4', cosine: 0.99999 }, // the weights were trained to be on q4's grid
] as const)('nano-embed in $dtype: embeddings to a mean cosine of $cosine', async ({ dtype, cosine }) => {
  await withModel(publicModel('nano-embed'), { dtype }, async (model) => {
    const { data } = await model.embed(nanoTexts());
    expect(meanCosine(data, expected.data, expected.shape[1])).toBeGreaterThanOrEqual(cosine);
  });
});
