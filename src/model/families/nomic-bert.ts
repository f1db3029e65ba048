/**
 * NomicBERT (Nussbaum et al. 2024, arXiv:2402.01613): BERT with RoPE and SwiGLU, without biases (modeling_nomic_bert.py). config.json is in
 * transformers' names, or in those of its authors' code, which are GPT-2's.
 */
import type { JsonFields } from '../../formats/json-fields';
import { roundUp } from '../../kernels/storage';
import type { Family, HeadTask } from '../family';
import {
  type LayerNames,
  type PostNormConfig,
  type PostNormWeights,
  postNormEncoder,
  postNormLayer,
  ROPE_TYPES,
  readPostNorm,
} from '../post-norm';
import { readRope } from '../rope';
import { denseOf, type TaskHead } from '../task-head';
import type { Tensors } from '../tensors';
import { vocabularyHead, wordTable } from '../vocabulary';
import { bertHead, poolerOf, prefixOf } from './bert';

function readConfig(fields: JsonFields): PostNormConfig {
  const c = fields.has('n_embd') ? readAuthorsConfig(fields) : readPostNorm(fields, 1e-12, {}, ROPE_TYPES);
  return {
    ...c,
    hidden_act: fields.has('n_embd') || fields.has('hidden_act') ? c.hidden_act : 'silu',
    type_vocab_size: fields.integer('type_vocab_size', 2),
    ...readRope(fields, c.head_dim, fields.number('rotary_emb_base', 1000)),
  };
}

const NAMES = {
  width: 'n_embd',
  heads: 'n_head',
  layers: 'n_layer',
  intermediate: 'n_inner',
  eps: 'layer_norm_epsilon',
  positions: 'n_positions',
};

/** What its authors' code can do besides, and no published model does. */
const OFF = [
  'qkv_proj_bias',
  'mlp_fc1_bias',
  'mlp_fc2_bias',
  'prenorm',
  'parallel_block',
  'use_rms_norm',
  'rotary_emb_interleaved',
  'causal',
  'scale_attn_by_inverse_layer_idx',
];

function readAuthorsConfig(fields: JsonFields): PostNormConfig {
  const { boolean, has, number, oneOf, unsupported, integer } = fields;
  for (const key of OFF) if (boolean(key, false)) throw unsupported(key, 'only false is');
  if (has('rotary_scaling_factor')) throw unsupported('rotary_scaling_factor', 'only unscaled RoPE is');
  if (number('rotary_emb_fraction', 1) !== 1) throw unsupported('rotary_emb_fraction', 'only 1 is');
  const c = readPostNorm(fields, 1e-12, NAMES, ROPE_TYPES);
  return {
    ...c,
    vocab_size: roundUp(c.vocab_size, integer('pad_vocab_size_multiple', 1)),
    hidden_act: oneOf('activation_function', ['swiglu', 'geglu'], 'swiglu') === 'swiglu' ? 'silu' : 'gelu',
  };
}

const LAYER: LayerNames = {
  qkv: 'attn.Wqkv',
  out: 'attn.out_proj',
  attn_norm: 'norm1',
  mlp_in: ['mlp.fc12', 'mlp.fc11'],
  mlp_out: 'mlp.fc2',
  mlp_norm: 'norm2',
  glu: 'value first',
  unbiased: ['qkv', 'out', 'mlp_in', 'mlp_out'],
};

/** The embeddings and the layers by their names in files with `emb_ln`, after this prefix. */
export function ropeBertTensors(c: PostNormConfig, t: Tensors, prefix: string, layer: LayerNames): PostNormWeights {
  const { hidden_size: h, type_vocab_size: rows = 0 } = c;
  const of = (name: string) => `${prefix}embeddings.${name}`;
  return {
    table: wordTable(c, t, of('word_embeddings.weight'), h),
    token_type_embeddings: { weight: t.smallTable(of('token_type_embeddings.weight'), [rows, h]), rows },
    embeddings_norm: t.norm(`${prefix}emb_ln`, h, c.layer_norm_eps, true),
    layers: c.windows.map((_, i) => postNormLayer(c, t, `${prefix}encoder.layers.${i}`, layer)),
  };
}

function tensors(c: PostNormConfig, t: Tensors): PostNormWeights {
  const prefix = prefixOf(t, 'bert', 'nomic_bert');
  return { ...ropeBertTensors(c, t, prefix, LAYER), pooler: poolerOf(c, t, prefix) };
}

/** BERT's, but for the name of a norm. */
function head(c: PostNormConfig, t: Tensors, task: HeadTask, weights: PostNormWeights): TaskHead {
  if (task !== 'mlm') return bertHead(c, t, task, weights, 'nomic_bert');
  const { hidden_size: h } = c;
  const norm = t.norm('cls.predictions.transform.layer_norm', h, c.layer_norm_eps, true);
  const layers = [denseOf(t, 'cls.predictions.transform.dense', [h, h], c.hidden_act), { norm }];
  const names = { decoder: 'cls.predictions.decoder', bias: 'cls.predictions.bias' };
  return vocabularyHead(c, t, weights.table, layers, names);
}

export const nomic_bert: Family<PostNormConfig, PostNormWeights> = {
  model_type: 'nomic_bert',
  readConfig,
  tensors,
  forward: (c, weights, target) => postNormEncoder(c, weights, target, { glu: true }),
  heads: { tensors: { mlm: ['cls.predictions.transform.dense.weight'], classifier: 'classifier.weight' }, head },
};
