/** What a user of Deno does: the library finds Deno's WebGPU by itself. models.deno.test.ts runs this in Deno. */
import { expect, it } from 'vitest';
import { minCosine, nanoTexts, publicModel, readGolden } from '../src/model/fixtures/golden';
import { loadModel } from '../src/node';

it('loads and embeds without a GPU given and without the npm package webgpu', async () => {
  const model = await loadModel(publicModel('nano-embed'), { arithmetic: 'f32' });
  const own = (await navigator.gpu.requestAdapter())?.info;
  expect(model.info.adapter.description).toBe(own?.description); // Dawn's has the driver's version too
  const { data, dim } = await model.embed(nanoTexts(), { normalize: false });
  await model.dispose();
  const expected = readGolden('nano-embed').floats('mean_pooled');
  expect(minCosine(data, expected.data, dim)).toBeGreaterThan(0.999999);
});
