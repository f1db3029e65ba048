import { readDense } from './dense';
import type { ReadModule } from './module';
import { readNormalize } from './normalize';
import { readPooling } from './pooling';

/** Those of few checkpoints. */
export const fetchModules = async () => (await import('./more-modules')).moreModules;

/** The modules that can be computed, by their class. */
export const MODULES = new Map<string, () => ReadModule | Promise<ReadModule>>([
  ['Pooling', () => readPooling],
  ['Dense', () => readDense],
  ['Normalize', () => readNormalize],
  ['LayerNorm', async () => (await fetchModules()).readLayerNorm],
  ['LogitScore', async () => (await fetchModules()).readLogitScore],
  ['MultiVectorMask', async () => (await fetchModules()).readMultiVectorMask],
  ['HierarchicalTokenPooling', async () => (await fetchModules()).readTokenPooling],
  ['SpladePooling', async () => (await fetchModules()).readSpladePooling],
  ['WeightedLayerPooling', async () => (await fetchModules()).readWeightedLayerPooling],
]);
