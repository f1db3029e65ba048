/** For tests of whole models: loads them on the test project's GPU, by its profile. */
import type { Model, ModelSource } from '../api/types';
import { TEST_PROFILE, testGpu } from '../gpu/fixtures';
import { loadModel, type NodeLoadOptions } from '../node';

/**
 * The public loadModel. Tiles are not measured unless a test asks for it, and kernels are not checked in the projects that name a profile: both
 * compile kernels that the test does not run, which takes lavapipe minutes per project.
 */
export const loadTestModel = (source: ModelSource, options: NodeLoadOptions = {}): Promise<Model> =>
  loadModel(source, {
    gpu: testGpu(),
    profile: TEST_PROFILE as unknown as NodeLoadOptions['profile'],
    autotune: false,
    selfCheck: TEST_PROFILE.name === undefined,
    ...options,
  });

/** Loads a model for `use` and frees it. */
export async function withModel<T>(
  source: ModelSource,
  options: NodeLoadOptions,
  use: (model: Model) => Promise<T>,
): Promise<T> {
  const model = await loadTestModel(source, options);
  try {
    return await use(model);
  } finally {
    await model.dispose();
  }
}
