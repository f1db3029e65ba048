/** Jina embeddings v3 (Sturua et al. 2024, arXiv:2409.10173): XLM-RoBERTa with RoPE (modeling_jina_embeddings_v3.py). */
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
import { poolerOf, prefixOf } from './bert';
import { ropeBertTensors } from './nomic-bert';
import { classifierHead, lmHead } from './roberta';

function readConfig(fields: JsonFields): PostNormConfig {
  const c = readPostNorm(fields, 1e-5, {}, ROPE_TYPES);
  const type_vocab_size = fields.integer('type_vocab_size', 1);
  return { ...c, type_vocab_size, ...readRope(fields, c.head_dim, 20_000) };
}

const LAYER: LayerNames = {
  qkv: 'mixer.Wqkv',
  out: 'mixer.out_proj',
  attn_norm: 'norm1',
  mlp_in: 'mlp.fc1',
  mlp_out: 'mlp.fc2',
  mlp_norm: 'norm2',
};

function tensors(c: PostNormConfig, t: Tensors): PostNormWeights {
  const prefix = prefixOf(t, 'roberta');
  return { ...ropeBertTensors(c, t, prefix, LAYER), pooler: poolerOf(c, t, prefix) };
}

const head = (c: PostNormConfig, t: Tensors, task: HeadTask, weights: PostNormWeights): TaskHead =>
  task === 'mlm' ? lmHead(c, t, weights) : classifierHead(c, t, task, 'tanh');

export const jina_embeddings_v3: Family<PostNormConfig, PostNormWeights> = {
  model_type: 'jina_embeddings_v3',
  readConfig,
  tensors,
  forward: postNormEncoder,
  heads: { tensors: { mlm: ['lm_head.dense.weight'], classifier: 'classifier.out_proj.weight' }, head },
};
