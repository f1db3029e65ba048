import { describe, expect, it } from 'vitest';
import type { Model } from '../api/types';
import { loadTestModel } from '../session/fixtures';
import { folderFiles } from '../sources/folder';
import { maxDifference, meanCosine, nanoTexts, publicModel, readGolden } from './fixtures/golden';
import { converted, withModel } from './fixtures/quantized';

const folderJson = async (folder: string, name: string): Promise<unknown> =>
  new Response((await folderFiles(folder)!.open(name))!.stream as ReadableStream<Uint8Array<ArrayBuffer>>).json();

describe.each([
  { dtype: 'q8', cosine: 0.9995 },
  { dtype: 'q4', cosine: 0.99 },
] as const)('nano in $dtype', ({ dtype, cosine }) => {
  it(`hidden states to a mean cosine of ${cosine}, the same best fillings; converted beforehand, the same numbers`, async () => {
    const golden = readGolden('nano');
    const run = (model: Model) => {
      expect(model.info.dtype).toBe(dtype);
      return model.forward(golden.batch);
    };
    const { last_hidden_state } = await withModel(publicModel('nano'), { dtype }, async (model) => {
      const masks = (await model.fillMask(nanoTexts().slice(0, 2), { topK: 1 })).flat();
      const best = golden.ints('top_logit_ids').filter((_, i) => i % 50 === 0);
      expect(masks.map(({ candidates }) => candidates[0].tokenId)).toEqual([...best.slice(0, masks.length)]);
      return run(model);
    });
    expect(meanCosine(last_hidden_state!.data, golden.floats('last_hidden_state').data, 256)).toBeGreaterThanOrEqual(
      cosine,
    );
    const config = new Blob([JSON.stringify(await folderJson(publicModel('nano'), 'config.json'))]);
    const source = {
      'config.json': config,
      'model.safetensors': new Blob([await converted(folderFiles(publicModel('nano'))!, dtype)]),
    };
    const again = await withModel(source, {}, run);
    expect(maxDifference(again.last_hidden_state!.data, last_hidden_state!.data)).toBe(0);
    await expect(loadTestModel(source, { dtype: 'f16' })).rejects.toThrow(
      `converted to ${dtype}, and its weights cannot`,
    );
  });
});

it('nano with integer products: q8 by itself, hidden states to a mean cosine of 0.9995', async () => {
  const golden = readGolden('nano');
  const actual = await withModel(publicModel('nano'), { compute: 'int8' }, (model) => {
    expect(model.info).toMatchObject({ dtype: 'q8', compute: 'int8' });
    return model.forward(golden.batch);
  });
  const expected = golden.floats('last_hidden_state').data;
  expect(meanCosine(actual.last_hidden_state!.data, expected, 256)).toBeGreaterThanOrEqual(0.9995);
  const refused = loadTestModel(publicModel('nano'), { compute: 'int8', dtype: 'f16' });
  await expect(refused).rejects.toThrow("compute: 'int8' needs dtype 'q8'; it is 'f16'.");
});
