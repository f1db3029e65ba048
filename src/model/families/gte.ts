/**
 * GTE (Zhang et al. 2024, arXiv:2407.19669): BERT with RoPE and GeGLU (modeling_gte.py). Its authors' own code calls it `new`, with the same names
 * of tensors (new-impl/modeling.py).
 */
import type { JsonFields } from '../../formats/json-fields';
import type { Family, HeadTask } from '../family';
import {
  type LayerNames,
  type PostNormConfig,
  type PostNormWeights,
  postNormEncoder,
  ROPE_TYPES,
  readPostNorm,
} from '../post-norm';
import { readRope } from '../rope';
import type { TaskHead } from '../task-head';
import type { Tensors } from '../tensors';
import { bertHead, bertTensors, poolerOf, prefixOf } from './bert';
import { lmHead } from './roberta';

/** What its authors' code can do besides, and no published model does. */
const OFF = ['logn_attention_scale', 'logn_attention_clip1'];

function readConfig(fields: JsonFields): PostNormConfig {
  for (const key of OFF) if (fields.boolean(key, false)) throw fields.unsupported(key, 'only false is');
  if (!fields.boolean('pack_qkv', true)) throw fields.unsupported('pack_qkv', 'only true is');
  fields.oneOf('layer_norm_type', ['layer_norm'], 'layer_norm');
  const isNew = fields.json.model_type === 'new';
  const c = readPostNorm(fields, 1e-12, {}, isNew ? ['rope'] : ROPE_TYPES);
  const type_vocab_size = fields.json.type_vocab_size === 0 ? 0 : fields.integer('type_vocab_size', 1);
  return { ...c, type_vocab_size, ...readRope(fields, c.head_dim, isNew ? 10_000 : 160_000, ['linear', 'ntk']) };
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
  forward: (c, weights, target) => postNormEncoder(c, weights, target, { glu: true }),
  heads: { tensors: { mlm: ['lm_head.dense.weight'], classifier: 'classifier.weight' }, head },
};
