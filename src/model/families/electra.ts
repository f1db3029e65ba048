/** ELECTRA (Clark et al. 2020, arXiv:2003.10555): BERT whose embeddings may be narrower than its layers (modeling_electra.py). */
import type { JsonFields } from '../../formats/json-fields';
import { MOST_WIDTH } from '../config';
import type { Family, HeadTask } from '../family';
import { type PostNormConfig, type PostNormWeights, postNormEncoder, readPostNorm } from '../post-norm';
import { denseOf, type TaskHead, vocabularyHead } from '../task-head';
import type { Tensors } from '../tensors';
import { bertTensors, prefixOf } from './bert';
import { classifierHead } from './roberta';

interface ElectraConfig extends PostNormConfig {
  embedding_size: number;
}

function readConfig(fields: JsonFields): ElectraConfig {
  return {
    ...readPostNorm(fields, 1e-12),
    type_vocab_size: fields.integer('type_vocab_size', 2),
    embedding_size: fields.integer('embedding_size', 128, MOST_WIDTH),
  };
}

function tensors(c: ElectraConfig, t: Tensors): PostNormWeights {
  const { hidden_size: h, embedding_size: width } = c;
  const prefix = prefixOf(t, 'electra');
  const weights = bertTensors(c, t, prefix, { width });
  if (width === h) return weights;
  const project = { bias: true, quantized: false };
  return { ...weights, embeddings_project: t.linear(`${prefix}embeddings_project`, [h, width], project) };
}

/** ElectraGeneratorPredictions, back to the width of the embeddings; ElectraClassificationHead. */
function head(c: ElectraConfig, t: Tensors, task: HeadTask, { table }: PostNormWeights): TaskHead {
  if (task !== 'mlm') return classifierHead(c, t, task, 'gelu');
  const width = c.embedding_size;
  const norm = t.norm('generator_predictions.LayerNorm', width, c.layer_norm_eps, true);
  const layers = [denseOf(t, 'generator_predictions.dense', [width, c.hidden_size], 'gelu'), { norm }];
  return vocabularyHead({ ...c, hidden_size: width }, t, table, layers, {
    decoder: 'generator_lm_head',
    bias: 'generator_lm_head.bias',
  });
}

export const electra: Family<ElectraConfig, PostNormWeights> = {
  model_type: 'electra',
  readConfig,
  tensors,
  forward: postNormEncoder,
  heads: { tensors: { mlm: 'generator_predictions.dense.weight', classifier: 'classifier.out_proj.weight' }, head },
};
