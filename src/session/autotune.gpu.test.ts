import { expect, it } from 'vitest';
import { testGpu } from '../gpu/fixtures';
import { maxDifference, publicModel } from '../model/fixtures/golden';
import { folderFiles } from '../sources/folder';
import { openModel } from './open';

it('a model tuned on the device computes the same embeddings as with the default tiles; the choice is remembered', async () => {
  const plans = new Map<string, unknown>();
  let written = 0;
  const store = {
    get: async (key: string) => plans.get(key),
    set: async (key: string, plan: unknown) => {
      written++;
      plans.set(key, plan);
    },
  };
  const embed = async (autotune: boolean) => {
    const options = {
      gpu: testGpu(),
      folder: folderFiles,
      plans: store,
      autotune,
      selfCheck: false, // which stores what it finds too
      dtype: 'f32',
      arithmetic: 'f32',
    } as const;
    const model = await openModel(publicModel('nano'), options);
    try {
      return (await model.embed(['One short query.', 'And a passage that is not short. '.repeat(12)])).data;
    } finally {
      await model.dispose();
    }
  };
  const untuned = await embed(false);
  expect(plans.size).toBe(0);
  expect(maxDifference(await embed(true), untuned)).toBeLessThan(1e-5);
  expect([plans.size, written]).toEqual([4, 4]);
  expect(maxDifference(await embed(true), untuned)).toBeLessThan(1e-5);
  expect(written).toBe(4);
}, 600_000);
