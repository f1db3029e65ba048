import { readDense } from './dense';
import { readLayerNorm } from './layer-norm';
import type { ReadModule } from './module';
import { readMultiVectorMask } from './multi-vector-mask';
import { readNormalize } from './normalize';
import { readPooling } from './pooling';
import { readSpladePooling } from './splade-pooling';
import { readTokenPooling } from './token-pooling';
import { readWeightedLayerPooling } from './weighted-layer-pooling';

const readLogitScore: ReadModule = ({ unsupported }) => {
  throw unsupported(
    'true_token_id',
    'LogitScore reads what a causal language model (Qwen, Llama) says after the last token, and only encoders are supported',
  );
};

/** The modules that can be computed, by their class. */
export const MODULES = new Map<string, ReadModule>([
  ['Pooling', readPooling],
  ['Dense', readDense],
  ['Normalize', readNormalize],
  ['LayerNorm', readLayerNorm],
  ['MultiVectorMask', readMultiVectorMask],
  ['HierarchicalTokenPooling', readTokenPooling],
  ['SpladePooling', readSpladePooling],
  ['WeightedLayerPooling', readWeightedLayerPooling],
  ['LogitScore', readLogitScore],
]);
