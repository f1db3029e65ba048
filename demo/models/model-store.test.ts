import { expect, it } from 'vitest';
import type { Model } from '../../src/index';
import { createModelStore } from './model-store';

it('lets go of a model that is gone already, so that another can take its place', async () => {
  let isAborted = false;
  const store = createModelStore(async (_source, options) => {
    options?.signal?.addEventListener('abort', () => {
      isAborted = true;
    });
    return { dispose: () => Promise.reject(new Error('The worker has ended.')) } as Partial<Model> as Model;
  });
  const lease = store.take({ name: 'a', source: './models/a' }, () => {});
  await lease.loaded;
  await expect(lease.release()).resolves.toBeUndefined();
  expect(isAborted).toBe(true);
});
