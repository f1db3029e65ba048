/** GTE (Zhang et al. 2024, arXiv:2407.19669): BERT with RoPE and GeGLU (modeling_gte.py). */
import type { JsonFields } from '../../formats/json-fields';
import type { Family, HeadTask } from '../family';
import {
  type LayerNames,
  type PostNormConfig,
  type PostNormWeights,
  postNormEncoder,
  readPostNorm,
} from '../post-norm';
import { readRopeTheta } from '../rope';
import type { TaskHead } from '../task-head';
import type { Tensors } from '../tensors';
import { bertHead, bertTensors, poolerOf, prefixOf } from './bert';
import { lmHead } from './roberta';

function readConfig(fields: JsonFields): PostNormConfig {
  const c = readPostNorm(fields, 1e-12);
  const type_vocab_size = fields.json.type_vocab_size === 0 ? 0 : fields.integer('type_vocab_size', 1);
  return { ...c, type_vocab_size, rope_theta: readRopeTheta(fields, c.head_dim, 160_000) };
}

const LAYER: LayerNames = {
  qkv: 'attention.qkv_proj',
  out: 'attention.o_proj',
  attn_norm: 'attn_ln',
  mlp_in: 'mlp.up_gate_proj',
  mlp_out: 'mlp.down_proj',
  mlp_norm: 'mlp_ln',
  glu: 'gate first', // what its files call up_proj, which is not activated
  unbiased: ['mlp_in'],
};

function tensors(c: PostNormConfig, t: Tensors): PostNormWeights {
  const prefix = prefixOf(t, 'new', 'gte');
  return { ...bertTensors(c, t, prefix, { positions: 0, layer: LAYER }), pooler: poolerOf(c, t, prefix) };
}

const head = (c: PostNormConfig, t: Tensors, task: HeadTask, weights: PostNormWeights): TaskHead =>
  task === 'mlm' ? lmHead(c, t, weights, 'lm_head.norm') : bertHead(c, t, task, weights, 'new');

export const gte: Family<PostNormConfig, PostNormWeights> = {
  model_type: 'gte',
  readConfig,
  tensors,
  forward: (c, weights, target) => postNormEncoder(c, weights, target, true),
  heads: { tensors: { mlm: 'lm_head.dense.weight', classifier: 'classifier.weight' }, head },
};
