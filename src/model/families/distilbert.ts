/** DistilBERT (Sanh et al. 2019, arXiv:1910.01108): BERT without token types, under names of its own (modeling_distilbert.py). */
import type { JsonFields } from '../../formats/json-fields';
import type { Family, HeadTask } from '../family';
import {
  type LayerNames,
  type PostNormConfig,
  type PostNormWeights,
  postNormEncoder,
  postNormLayer,
  readPostNorm,
} from '../post-norm';
import { answersOf, classifierOf, denseOf, type TaskHead, vocabularyHead } from '../task-head';
import type { Tensors } from '../tensors';
import { prefixOf } from './bert';

const NAMES = { width: 'dim', heads: 'n_heads', layers: 'n_layers', intermediate: 'hidden_dim', act: 'activation' };

const readConfig = (fields: JsonFields): PostNormConfig => ({
  ...readPostNorm(fields, 1e-12, NAMES),
  layer_norm_eps: 1e-12, // not a field of config.json
});

const LAYER: LayerNames = {
  qkv: ['attention.q_lin', 'attention.k_lin', 'attention.v_lin'],
  out: 'attention.out_lin',
  attn_norm: 'sa_layer_norm',
  mlp_in: 'ffn.lin1',
  mlp_out: 'ffn.lin2',
  mlp_norm: 'output_layer_norm',
};

function tensors(c: PostNormConfig, t: Tensors): PostNormWeights {
  const { hidden_size: h, max_position_embeddings: rows } = c;
  const prefix = prefixOf(t, 'distilbert');
  const of = (name: string) => `${prefix}embeddings.${name}`;
  return {
    table: t.table(of('word_embeddings.weight'), [c.vocab_size, h]),
    position_embeddings: { weight: t.smallTable(of('position_embeddings.weight'), [rows, h]), rows },
    embeddings_norm: t.norm(of('LayerNorm'), h, c.layer_norm_eps, true),
    layers: c.windows.map((_, i) => postNormLayer(c, t, `${prefix}transformer.layer.${i}`, LAYER)),
  };
}

function head(c: PostNormConfig, t: Tensors, task: HeadTask, { table }: PostNormWeights): TaskHead {
  const { hidden_size: h, labels } = c;
  if (task === 'mlm') {
    const norm = t.norm('vocab_layer_norm', h, c.layer_norm_eps, true);
    const layers = [denseOf(t, 'vocab_transform', [h, h], c.hidden_act), { norm }];
    return vocabularyHead(c, t, table, layers, { decoder: 'vocab_projector', bias: 'vocab_projector.bias' });
  }
  if (task === 'qa') return { layers: [], output: answersOf(t, 'qa_outputs', labels, h) };
  const output = classifierOf(t, 'classifier', labels, h);
  if (task === 'tokcls') return { layers: [], output };
  return { pooling: 'cls', layers: [denseOf(t, 'pre_classifier', [h, h], 'relu')], output };
}

export const distilbert: Family<PostNormConfig, PostNormWeights> = {
  model_type: 'distilbert',
  readConfig,
  tensors,
  forward: postNormEncoder,
  heads: { tensors: { mlm: 'vocab_transform.weight', classifier: 'classifier.weight' }, head },
};
