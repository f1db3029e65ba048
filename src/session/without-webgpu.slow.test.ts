/** A file of its own, as its mocks are of modules that other tests need. */
import { expect, it, vi } from 'vitest';
import { publicModel } from '../model/fixtures/golden';
import { folderFiles } from '../sources/folder';
import { openModel } from './open';

const fetched = vi.hoisted(() => [] as string[]);
/** Stands in for a part of the worker. */
const part = vi.hoisted(() => (name: string) => () => {
  fetched.push(name);
  return {};
});
vi.mock('./every-load', part('every-load'));
vi.mock('../model/families/modernbert', part('modernbert'));
vi.mock('../model/families/more-families', part('more-families'));
vi.mock('../tasks/more-calls', part('more-calls'));
vi.mock('../runtime/first-load', part('first-load'));

it.each([
  ['WebGPU', undefined],
  ['an adapter', { requestAdapter: async () => null }],
])('without %s no part of the worker is fetched that only a model needs', async (_, gpu) => {
  const loading = openModel(publicModel('nano'), { gpu, folder: folderFiles });
  await expect(loading).rejects.toMatchObject({ name: 'WebGPUUnavailableError' });
  expect(fetched).toEqual(gpu ? ['every-load'] : []); // the tokenizer comes while an adapter is looked for
  fetched.length = 0;
});
