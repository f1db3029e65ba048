/**
 * What BERT and its descendants share: layers of attention and MLP with a LayerNorm after each (post-norm), as transformers computes them
 * (modeling_bert.py). Where tokens are comes from learned positions, from RoPE, or from a bias of the attention's scores.
 */
import type { JsonFields } from '../formats/json-fields';
import { attentionTile } from '../kernels/attention';
import type { Activation, Epilogue } from '../kernels/gemm-spec';
import { layerNormInPlace } from '../kernels/layer_norm';
import {
  attentionPlace,
  gegluPlace,
  type HeadsLayout,
  headsLayout,
  paddedWidth,
  qkvPlace,
  ropeTable,
} from '../kernels/layout';
import { relativeBias } from '../kernels/relative_bias';
import type { Slot } from '../kernels/step';
import { activation, type EmbeddingTables, encoderAttention, encoderEmbeddings, encoderLinear, linear } from './blocks';
import { MOST_WIDTH, type ModelConfig, readActivation, readEps, readHeads, readLabels, readLayers } from './config';
import { type Encoder, type PassSizes, type Target, WIDE } from './family';
import type { HeadLayer } from './task-head';
import type { Linear, Norm, Tensors } from './tensors';

export interface PostNormConfig extends ModelConfig {
  intermediate_size: number;
  num_attention_heads: number;
  head_dim: number;
  hidden_act: Activation;
  layer_norm_eps: number;
  tie_word_embeddings: boolean;
  /** With RoPE. */
  rope_theta?: number;
}

/** The fields of config.json, by BERT's names. */
const NAMES = {
  width: 'hidden_size',
  heads: 'num_attention_heads',
  layers: 'num_hidden_layers',
  intermediate: 'intermediate_size',
  act: 'hidden_act',
  eps: 'layer_norm_eps',
  positions: 'max_position_embeddings',
};

/** What these architectures read of config.json. `names`: where they are not BERT's. Sizes have no default. */
export function readPostNorm(fields: JsonFields, eps: number, names: Partial<typeof NAMES> = {}): PostNormConfig {
  const { integer, boolean, unsupported, has, json } = fields;
  const name = { ...NAMES, ...names };
  for (const key of ['is_decoder', 'add_cross_attention']) {
    if (boolean(key, false)) throw unsupported(key, 'only encoders, with false, are');
  }
  if (has('position_embedding_type') && !['absolute', 'rotary'].includes(String(json.position_embedding_type))) {
    throw unsupported('position_embedding_type', "only 'absolute' is");
  }
  const heads = readHeads(fields, name);
  const num_hidden_layers = readLayers(fields, name.layers);
  return {
    ...readLabels(fields),
    ...heads,
    vocab_size: integer('vocab_size'),
    intermediate_size: integer(name.intermediate, undefined, MOST_WIDTH),
    num_hidden_layers,
    hidden_act: readActivation(fields, name.act),
    layer_norm_eps: readEps(fields, name.eps, eps),
    max_position_embeddings: integer(name.positions),
    tie_word_embeddings: boolean('tie_word_embeddings', true),
    windows: Array.from({ length: num_hidden_layers }, () => 0),
  };
}

/** A layer: q, k and v side by side; norms after the attention and after the MLP. */
export interface PostNormLayer {
  Wqkv: Linear;
  Wo: Linear;
  attn_norm: Norm;
  Wi: Linear;
  mlp_Wo: Linear;
  mlp_norm: Norm;
}

/** The names of a layer's tensors, without what stands before them, and which of them have a bias. */
export interface LayerNames {
  /** One matrix, or those of q, k and v. */
  qkv: string | [string, string, string];
  out: string;
  attn_norm: string;
  /** One matrix, of a GLU with values and gates; or that of what is activated, then that of what it is multiplied by. */
  mlp_in: string | [string, string];
  mlp_out: string;
  mlp_norm: string;
  /** Those without a bias. Default: none. */
  unbiased?: ('qkv' | 'out' | 'mlp_in' | 'mlp_out')[];
  /** Whether the MLP is act(x · value) * (x · gate). In one matrix gates may come first. Default: no GLU. */
  glu?: 'value first' | 'gate first';
}

/** Declares the tensors of a layer; `layer`: what stands before their names. */
export function postNormLayer(c: PostNormConfig, t: Tensors, layer: string, names: LayerNames): PostNormLayer {
  const { hidden_size: h, intermediate_size: i } = c;
  const heads = headsLayout(c.num_attention_heads, c.head_dim);
  const { unbiased = [], glu } = names;
  const of = (name: string) => `${layer}.${name}`;
  const bias = (name: (typeof unbiased)[number]) => !unbiased.includes(name);
  const stacked = (list: string | string[], rows: number) =>
    Array.isArray(list) ? { parts: list.map((name) => ({ name: of(name), rows })) } : {};
  const named = (list: string | string[]) => of(Array.isArray(list) ? list[0] : list);
  const place = gegluPlace(i);
  const norm = (name: string) => t.norm(of(name), h, c.layer_norm_eps, true);
  return {
    Wqkv: t.linear(named(names.qkv), [3 * h, h], {
      bias: bias('qkv'),
      n: heads.qkv,
      rowAt: qkvPlace(heads, c.rope_theta !== undefined),
      ...stacked(names.qkv, h),
    }),
    Wo: t.linear(of(names.out), [h, h], {
      bias: bias('out'),
      k: heads.attention,
      columnAt: heads.attention === h ? undefined : attentionPlace(heads),
    }),
    attn_norm: norm(names.attn_norm),
    Wi: t.linear(named(names.mlp_in), [glu ? 2 * i : i, h], {
      bias: bias('mlp_in'),
      ...(glu && {
        n: 2 * paddedWidth(i),
        rowAt: glu === 'value first' ? place : (row: number) => place((row + i) % (2 * i)),
      }),
      ...stacked(names.mlp_in, i),
    }),
    mlp_Wo: t.linear(of(names.mlp_out), [h, i], { bias: bias('mlp_out') }),
    mlp_norm: norm(names.mlp_norm),
  };
}

/** A bias of the attention's scores by how far a key is from its query. */
export interface RelativeBias {
  /** f32 [buckets, heads]. */
  weight: GPUBuffer;
  /** The bucket of every distance, key minus query, from -reach to reach; further ones have that of the furthest. */
  bucketOf(distance: number): number;
  reach: number;
}

export interface PostNormWeights extends EmbeddingTables {
  embeddings_norm: Norm;
  /** ELECTRA's: from the width of its embeddings to hidden_size. */
  embeddings_project?: Linear;
  layers: PostNormLayer[];
  relative_bias?: RelativeBias;
  pooler?: HeadLayer;
}

/**
 * The forward pass, in reading order. T: tokens of the stream; `hidden_states` [T, hidden], f32, is what a layer's norms return, and `normed` the
 * same as the input of the next product. Widths are padded. `glu`: whether the MLP is one.
 */
export function postNormEncoder(c: PostNormConfig, weights: PostNormWeights, target: Target, glu = false): Encoder {
  const { gpu, act } = target;
  const { layers, relative_bias, pooler } = weights;
  const heads = headsLayout(c.num_attention_heads, c.head_dim);
  const { headDim, attention: attentionWidth, qkv } = heads;
  const [hidden, intermediate] = [paddedWidth(c.hidden_size), paddedWidth(c.intermediate_size)];
  const tile = attentionTile(gpu, headDim);

  const hidden_states = activation('hidden_states', 'f32', hidden);
  const normed = activation('normed', act, Math.max(hidden, attentionWidth)); // and attention's output
  const wide = activation(WIDE, act, Math.max(qkv, intermediate, weights.embeddings_project?.k ?? 0)); // q, k, v; then the MLP's

  const normSpec = { hidden: c.hidden_size, stride: hidden, eps: c.layer_norm_eps, out: act };
  const tokens = (s: PassSizes) => s.tokens;
  const norm = ({ weight, bias }: Norm) => layerNormInPlace(normSpec, { hidden_states, weight, bias, normed }, tokens);
  const residual: Epilogue = { kind: 'residual' };
  const mlp: Epilogue = { kind: glu ? 'geglu' : 'activation', activation: c.hidden_act };
  const { epilogue, rope } = queriesAndKeys(c, heads);
  const projected = encoderLinear(target);
  const bias = relative_bias && biasOf(relative_bias, c.num_attention_heads);
  const attend = encoderAttention(target, { ...heads, tile, reach: relative_bias?.reach }, wide, normed, bias?.slot);

  return {
    embeddings: [...embedded(weights, normSpec, { hidden_states, normed, wide }, target), ...(bias?.steps ?? [])],
    layers: layers.map(({ Wqkv, Wo, attn_norm, Wi, mlp_Wo, mlp_norm }) => [
      ...projected('Wqkv', Wqkv, normed, epilogue, wide, rope), //                       [T, qkv]
      attend(0), //                                                                      [T, attention]
      ...projected('attn.Wo', Wo, normed, residual, hidden_states), //                   hidden_states += ·
      norm(attn_norm), //                                                                [T, hidden]
      ...projected('mlp.Wi', Wi, normed, mlp, wide), //                                  [T, intermediate]
      ...projected('mlp.Wo', mlp_Wo, wide, residual, hidden_states), //                  hidden_states += ·
      norm(mlp_norm), //                                                                 [T, hidden]
    ]),
    hidden_states,
    hidden_size: c.hidden_size,
    final_norm: undefined,
    tile,
    pooler,
  };
}

/** What happens to q and k: q carries the softmax scale and log2 e, as attention computes in base 2. */
function queriesAndKeys(c: PostNormConfig, heads: HeadsLayout): { epilogue: Epilogue; rope?: Slot } {
  const { attention: attentionWidth, headDim } = heads;
  const qScale = Math.LOG2E / Math.sqrt(c.head_dim);
  const { rope_theta } = c;
  if (rope_theta === undefined) return { epilogue: { kind: 'scale', attentionWidth, headDim, qScale } };
  return {
    epilogue: { kind: 'rope', attentionWidth, headDim, qScale },
    rope: {
      label: `rope ${rope_theta}`,
      per: 'position',
      bytes: headDim * 4, // f32 [positions, headDim]
      contents: (count) => ropeTable(heads, rope_theta, count),
    },
  };
}

/** The embeddings, normed, in `hidden_states` and `normed`. */
function embedded(
  { embeddings_norm, embeddings_project, ...tables }: PostNormWeights,
  spec: Parameters<typeof encoderEmbeddings>[2],
  { hidden_states, normed, wide }: Record<'hidden_states' | 'normed' | 'wide', Slot>,
  { act }: Target,
) {
  if (!embeddings_project) return encoderEmbeddings(tables, embeddings_norm, spec, { hidden_states, normed });
  // Of another width than the layers: through `wide`.
  const stride = embeddings_project.k;
  const narrow = { ...spec, hidden: embeddings_project.useful / spec.hidden, stride };
  const summed = activation('embeddings', 'f32', stride);
  const project = (out: Slot, type: 'f32' | typeof act) =>
    linear(
      embeddings_project,
      { label: 'embeddings_project', epilogue: { kind: 'store' }, a: wide, out, types: { a: act, out: type } },
      (s: PassSizes) => s.tokens,
      embeddings_project.useful,
    );
  return [
    ...encoderEmbeddings(tables, embeddings_norm, narrow, { hidden_states: summed, normed: wide }),
    project(hidden_states, 'f32'),
    project(normed, act),
  ];
}

/** The slot that attention reads a bias from, and what fills it. */
function biasOf({ weight, bucketOf, reach }: RelativeBias, heads: number) {
  // Both have room for 512 distances, as tables by position do.
  const buckets: Slot = {
    label: 'buckets',
    per: 'position',
    bytes: 4,
    contents(count) {
      const numbers = new Float32Array(count);
      for (let i = 0; i <= 2 * reach; i++) numbers[i] = bucketOf(i - reach);
      return numbers;
    },
  };
  const slot: Slot = { label: 'relative_bias', per: 'position', bytes: 4 * heads };
  return { slot, steps: [relativeBias<PassSizes>({ heads, reach }, { buckets, weight, relative_bias: slot })] };
}
