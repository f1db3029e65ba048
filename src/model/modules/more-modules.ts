/** Modules that few checkpoints have: a part of the worker. */
import { readLayerNorm } from './layer-norm';
import { readLogitScore } from './logit-score';
import { multiVectorOf } from './multi-vector-files';
import { readMultiVectorMask } from './multi-vector-mask';
import { readSpladePooling } from './splade-pooling';
import { readTokenPooling } from './token-pooling';
import { readWeightedLayerPooling } from './weighted-layer-pooling';

export const moreModules = {
  multiVectorOf,
  readLayerNorm,
  readLogitScore,
  readMultiVectorMask,
  readSpladePooling,
  readTokenPooling,
  readWeightedLayerPooling,
};
