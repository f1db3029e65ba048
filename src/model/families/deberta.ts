/**
 * DeBERTa v2 and v3 (He et al. 2021, arXiv:2006.03654 and arXiv:2111.09543): BERT with disentangled attention (modeling_deberta_v2.py). A score is
 * the sum of three products: of a query and a key, of the query and the key's relative position (c2p), of the key and the query's (p2c).
 */
import type { JsonFields } from '../../formats/json-fields';
import { type Activation, M_MULTIPLE } from '../../kernels/gemm-spec';
import { HEAD_SCORES_MULTIPLE, headScores } from '../../kernels/head_scores';
import { layerNorm } from '../../kernels/layer_norm';
import { headsLayout, paddedWidth, qkvPlace } from '../../kernels/layout';
import type { Slot, Step } from '../../kernels/step';
import { bytesOf, roundUp } from '../../kernels/storage';
import { encoderAttention, linear } from '../blocks';
import { readActivation } from '../config';
import type { Encoder, Family, HeadTask, PassSizes, Target } from '../family';
import {
  byDistance,
  type LayerNames,
  type PostNormConfig,
  type PostNormWeights,
  postNormEncoder,
  readPostNorm,
} from '../post-norm';
import { answersOf, classifierOf, denseOf, type TaskHead } from '../task-head';
import type { Linear, Norm, Tensors } from '../tensors';
import { vocabularyHead } from '../vocabulary';
import { bertTensors, prefixOf } from './bert';

interface DebertaConfig extends PostNormConfig {
  /** Relative positions to each side: of logarithmic buckets, or of distances if there are none. */
  span: number;
  position_buckets: number;
  max_relative_positions: number;
  position_biased_input: boolean;
  share_att_key: boolean;
  norm_rel_ebd: 'none' | 'layer_norm';
  pooler_hidden_act: Activation;
  legacy: boolean;
}

function readConfig(fields: JsonFields): DebertaConfig {
  const { json, has, number, integer, boolean, unsupported } = fields;
  const c = readPostNorm(fields, 1e-7);
  if (!boolean('relative_attention', false)) throw unsupported('relative_attention', 'only true is');
  const types = Array.isArray(json.pos_att_type) ? json.pos_att_type : String(json.pos_att_type).split('|');
  if ([...types].sort().join() !== 'c2p,p2c') throw unsupported('pos_att_type', 'only c2p with p2c is');
  if (number('conv_kernel_size', 0) > 0)
    throw unsupported('conv_kernel_size', 'only models without a convolution, with 0, are');
  for (const key of ['embedding_size', 'attention_head_size', 'pooler_hidden_size']) {
    const only = key === 'attention_head_size' ? c.head_dim : c.hidden_size;
    if (has(key) && json[key] !== only) throw unsupported(key, `only ${only} is`);
  }
  const asked = number('max_relative_positions', -1);
  const max_relative_positions = asked < 1 ? c.max_position_embeddings : integer('max_relative_positions');
  const position_buckets = number('position_buckets', -1) > 0 ? integer('position_buckets') : 0;
  const span = position_buckets || max_relative_positions;
  if (span > 4096)
    throw unsupported('max_relative_positions', 'at most 4096 relative positions to each side are', span);
  return {
    ...c,
    type_vocab_size: json.type_vocab_size === 0 ? 0 : number('type_vocab_size', 0) && integer('type_vocab_size'),
    span,
    position_buckets,
    max_relative_positions,
    position_biased_input: boolean('position_biased_input', true),
    share_att_key: boolean('share_att_key', false),
    norm_rel_ebd: fields.oneOf('norm_rel_ebd', ['none', 'layer_norm'], 'none'),
    pooler_hidden_act: readActivation(fields, 'pooler_hidden_act'),
    legacy: boolean('legacy', true),
  };
}

/** The relative position of a key `distance` tokens after its query, from 0 to 2 span - 1 (make_log_bucket_position; c2p_pos and p2c_pos). */
export function relativePosition(
  {
    span,
    position_buckets,
    max_relative_positions,
  }: Pick<DebertaConfig, 'span' | 'position_buckets' | 'max_relative_positions'>,
  distance: number,
): number {
  const mid = Math.floor(position_buckets / 2);
  const n = Math.abs(distance);
  const far = Math.ceil((Math.log(n / mid) / Math.log((max_relative_positions - 1) / mid)) * (mid - 1)) + mid;
  const bucket = position_buckets > 0 && n > mid ? far : n;
  return Math.max(0, Math.min(span - Math.sign(distance) * bucket, 2 * span - 1));
}

const LAYER: LayerNames = {
  qkv: ['attention.self.query_proj', 'attention.self.key_proj', 'attention.self.value_proj'],
  out: 'attention.output.dense',
  attn_norm: 'attention.output.LayerNorm',
  mlp_in: 'intermediate.dense',
  mlp_out: 'output.dense',
  mlp_norm: 'output.LayerNorm',
};

interface DebertaWeights extends PostNormWeights {
  /** f32 [2 span, hidden]. */
  rel_embeddings: GPUBuffer;
  rel_norm: Norm | undefined;
  /** Per layer, what makes queries and keys of relative positions. */
  positional: Linear[];
}

function tensors(c: DebertaConfig, t: Tensors): DebertaWeights {
  const h = c.hidden_size;
  const prefix = prefixOf(t, 'deberta');
  const positions = c.position_biased_input ? c.max_position_embeddings : 0;
  const weights = bertTensors(c, t, prefix, { positions, layer: LAYER });
  const heads = headsLayout(c.num_attention_heads, c.head_dim);
  const n = 2 * heads.attention; // queries and keys
  const own = (layer: number): Linear => {
    const names = ['pos_query_proj', 'pos_key_proj'].map(
      (name) => `${prefix}encoder.layer.${layer}.attention.self.${name}`,
    );
    const parts = names.map((name) => ({ name, rows: h }));
    return t.linear(names[0], [2 * h, h], { bias: true, n, rowAt: qkvPlace(heads, false), parts });
  };
  return {
    ...weights,
    rel_embeddings: t.smallTable(`${prefix}encoder.rel_embeddings.weight`, [2 * c.span, h]),
    rel_norm:
      c.norm_rel_ebd === 'layer_norm' ? t.norm(`${prefix}encoder.LayerNorm`, h, c.layer_norm_eps, true) : undefined,
    positional: weights.layers.map(({ Wqkv }, layer) => (c.share_att_key ? { ...Wqkv, n } : own(layer))),
  };
}

const forward = (c: DebertaConfig, weights: DebertaWeights, target: Target): Encoder =>
  postNormEncoder(c, weights, target, {
    terms: 3,
    /** Queries and keys of relative positions are made once. Each layer then has their products with the tokens' keys and queries. */
    attention({ heads, qkv, out }) {
      const { act } = target;
      const { attention: attentionWidth, headDim } = heads;
      const stride = paddedWidth(c.hidden_size);
      const span = roundUp(2 * c.span, HEAD_SCORES_MULTIPLE);
      const rows = roundUp(2 * c.span, M_MULTIPLE);
      const ofModel = (label: string, columns: number): Slot => ({
        label,
        per: 'model',
        bytes: rows * columns * bytesOf(act),
      });
      const rel_embeddings = ofModel('rel_embeddings', stride); // [2 span, hidden], normed
      const relative = weights.positional.map((_, layer) => ofModel(`relative ${layer}`, 2 * attentionWidth)); // [2 span, q and k]

      const { weight, bias } = weights.rel_norm ?? {};
      const norm = { hidden: c.hidden_size, stride, eps: c.layer_norm_eps, out: act };
      const from = { hidden_states: weights.rel_embeddings, rows: undefined, weight, bias, normed: rel_embeddings };
      const count = () => 2 * c.span;
      const epilogue = {
        kind: 'scale',
        attentionWidth,
        headDim,
        qScale: Math.LOG2E / Math.sqrt(3 * c.head_dim),
      } as const;
      const project = (layer: Linear, out: Slot): Step<PassSizes> =>
        linear(layer, { label: 'relative', epilogue, a: rel_embeddings, out, types: { a: act, out: act } }, count);

      const perToken = (label: string): Slot => ({ label, per: 'token', bytes: heads.heads * span * bytesOf(act) });
      const [c2p, p2c] = [perToken('c2p'), perToken('p2c')]; // [T, heads, span]
      const scores = (column: number, other: number, layer: number, to: Slot): Step<PassSizes> => {
        const sides = { a: { stride: heads.qkv, column }, b: { stride: 2 * attentionWidth, column: other } };
        const buffers = { a: qkv, b: relative[layer], scores: to };
        return headScores({ ...heads, act, columns: span, ...sides }, buffers, (s: PassSizes) => s.tokens);
      };
      const reach = c.max_relative_positions;
      const relative_bias = byDistance('relative positions', reach, (distance) => relativePosition(c, distance));
      const attend = encoderAttention(target, heads, qkv, out, { reach, span, buffers: { relative_bias, c2p, p2c } })(
        0,
      );
      return {
        constants: [layerNorm(norm, from, count), ...weights.positional.map((layer, i) => project(layer, relative[i]))],
        attend: (layer) => [
          scores(0, attentionWidth, layer, c2p), // queries · keys of positions
          scores(attentionWidth, 0, layer, p2c), // keys · queries of positions
          attend,
        ],
      };
    },
  });

/** The head of BERT, or of its authors' code (legacy: false); ContextPooler and a classifier. */
function head(c: DebertaConfig, t: Tensors, task: HeadTask, { table }: DebertaWeights): TaskHead {
  const { hidden_size: h, labels } = c;
  if (task === 'mlm') {
    const [dense, norm, bias] = c.legacy
      ? ['cls.predictions.transform.dense', 'cls.predictions.transform.LayerNorm', 'cls.predictions.bias']
      : ['lm_predictions.lm_head.dense', 'lm_predictions.lm_head.LayerNorm', 'lm_predictions.lm_head.bias'];
    const layers = [denseOf(t, dense, [h, h], c.hidden_act), { norm: t.norm(norm, h, c.layer_norm_eps, true) }];
    return vocabularyHead(c, t, table, layers, { decoder: 'cls.predictions.decoder', bias });
  }
  if (task === 'qa') return { layers: [], output: answersOf(t, 'qa_outputs', labels, h) };
  const output = classifierOf(t, 'classifier', labels, h);
  if (task === 'tokcls') return { layers: [], output };
  return { pooling: 'cls', layers: [denseOf(t, 'pooler.dense', [h, h], c.pooler_hidden_act)], output };
}

export const deberta_v2: Family<DebertaConfig, DebertaWeights> = {
  model_type: 'deberta-v2',
  readConfig,
  tensors,
  forward,
  heads: {
    tensors: {
      mlm: ['cls.predictions.transform.dense.weight', 'lm_predictions.lm_head.dense.weight'],
      classifier: 'classifier.weight',
    },
    head,
  },
};
