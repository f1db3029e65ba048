import { expect, it } from 'vitest';
import { withModel } from '../session/fixtures';
import { folderOf } from './calls';

it('a model of a table and a Transformer has the dtype and the device of the Transformer', async () => {
  for (const name of ['splade-static-query', 'splade-default-query']) {
    await withModel(folderOf(name), { dtype: 'f16' }, async ({ info }) => {
      expect([info.dtype, info.adapter.description === '']).toEqual(['f16', false]);
      expect(info.adapter.description).not.toMatch(/needs no GPU/);
    });
  }
});
