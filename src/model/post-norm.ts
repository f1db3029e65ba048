/**
 * What BERT and its descendants share: layers of attention and MLP with a LayerNorm after each (post-norm), as transformers computes them
 * (modeling_bert.py). Where tokens are comes from learned positions, from RoPE, or from a bias of the attention's scores.
 */
import type { JsonFields } from '../formats/json-fields';
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
import type { Slot, Step } from '../kernels/step';
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
  rope_factor?: number;
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

/** Values of position_embedding_type in files of architectures with RoPE. transformers does not read it. */
export const ROPE_TYPES = ['rotary', 'rope', 'absolute'];

/** What these architectures read of config.json. `names`: where they are not BERT's. `positions`: known values of position_embedding_type. Sizes have no default. */
export function readPostNorm(
  fields: JsonFields,
  eps: number,
  names: Partial<typeof NAMES> = {},
  positions = ['absolute'],
): PostNormConfig {
  const { integer, boolean, oneOf } = fields;
  const name = { ...NAMES, ...names };
  for (const key of ['is_decoder', 'add_cross_attention']) {
    if (boolean(key, false)) throw fields.unsupported(key, 'only encoders, with false, are');
  }
  oneOf('position_embedding_type', positions, 'absolute');
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

export interface PostNormWeights extends EmbeddingTables {
  embeddings_norm: Norm;
  /** ELECTRA's: from the width of its embeddings to hidden_size. */
  embeddings_project?: Linear;
  layers: PostNormLayer[];
  pooler?: HeadLayer;
}

/** What an architecture's forward pass has of its own. */
export interface Design {
  /** Whether the MLP is a GLU. */
  glu?: boolean;
  /** Terms that a score is the sum of: its softmax scale is 1 / sqrt(head_dim · terms). Default 1. */
  terms?: number;
  /** The attention of each layer, out [T, attention] of qkv [T, qkv], and what it needs of the weights alone. Default: without a bias by distance. */
  attention?(slots: AttentionSlots): Pick<Encoder, 'constants'> & { attend(layer: number): Step<PassSizes>[] };
}

export interface AttentionSlots {
  target: Target;
  heads: HeadsLayout;
  qkv: Slot;
  out: Slot;
}

/**
 * The forward pass, in reading order. T: tokens of the stream; `hidden_states` [T, hidden], f32, is what a layer's norms return, and `normed` the
 * same as the input of the next product. Widths are padded.
 */
export function postNormEncoder(
  c: PostNormConfig,
  weights: PostNormWeights,
  target: Target,
  { glu = false, terms = 1, attention = plainAttention }: Design = {},
): Encoder {
  const { act } = target;
  const { layers, pooler } = weights;
  const heads = headsLayout(c.num_attention_heads, c.head_dim);
  const { attention: attentionWidth, qkv } = heads;
  const [hidden, intermediate] = [paddedWidth(c.hidden_size), paddedWidth(c.intermediate_size)];

  const hidden_states = activation('hidden_states', 'f32', hidden);
  const normed = activation('normed', act, Math.max(hidden, attentionWidth)); // and attention's output
  const wide = activation(WIDE, act, Math.max(qkv, intermediate, weights.embeddings_project?.k ?? 0)); // q, k, v; then the MLP's

  const normSpec = { hidden: c.hidden_size, stride: hidden, eps: c.layer_norm_eps, out: act };
  const tokens = (s: PassSizes) => s.tokens;
  const norm = ({ weight, bias }: Norm) => layerNormInPlace(normSpec, { hidden_states, weight, bias, normed }, tokens);
  const residual: Epilogue = { kind: 'residual' };
  const mlp: Epilogue = { kind: glu ? 'geglu' : 'activation', activation: c.hidden_act };
  const { epilogue, rope } = queriesAndKeys(c, heads, terms);
  const projected = encoderLinear(target);
  const { constants, attend } = attention({ target, heads, qkv: wide, out: normed });

  return {
    constants,
    embeddings: embedded(weights, normSpec, { hidden_states, normed, wide }, target),
    layers: layers.map(({ Wqkv, Wo, attn_norm, Wi, mlp_Wo, mlp_norm }, layer) => [
      ...projected('Wqkv', Wqkv, normed, epilogue, wide, rope), //                       [T, qkv]
      ...attend(layer), //                                                                [T, attention]
      ...projected('attn.Wo', Wo, normed, residual, hidden_states), //                   hidden_states += ·
      norm(attn_norm), //                                                                [T, hidden]
      ...projected('mlp.Wi', Wi, normed, mlp, wide), //                                  [T, intermediate]
      ...projected('mlp.Wo', mlp_Wo, wide, residual, hidden_states), //                  hidden_states += ·
      norm(mlp_norm), //                                                                 [T, hidden]
    ]),
    hidden_states,
    hidden_size: c.hidden_size,
    final_norm: undefined,
    pooler,
  };
}

const plainAttention: Design['attention'] & {} = ({ target, heads, qkv, out }) => {
  const step = encoderAttention(target, heads, qkv, out)(0);
  return { attend: () => [step] };
};

/** What happens to q and k: q carries the softmax scale and log2 e, as attention computes in base 2. */
function queriesAndKeys(c: PostNormConfig, heads: HeadsLayout, terms: number): { epilogue: Epilogue; rope?: Slot } {
  const { attention: attentionWidth, headDim } = heads;
  const qScale = Math.LOG2E / Math.sqrt(c.head_dim * terms);
  const { rope_theta, rope_factor } = c;
  if (rope_theta === undefined) return { epilogue: { kind: 'scale', attentionWidth, headDim, qScale } };
  return {
    epilogue: { kind: 'rope', attentionWidth, headDim, qScale },
    rope: {
      label: `rope ${rope_theta}`,
      per: 'position',
      bytes: headDim * 4, // f32 [positions, headDim]
      contents: (count) => ropeTable(heads, rope_theta, count, rope_factor),
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

/** A table of a number for each head and each distance, key minus query, from -reach to reach: f32 [heads, 2 reach + 1]. */
export function byDistance(
  label: string,
  reach: number,
  numberOf: (distance: number, head: number) => number,
  heads = 1,
): Slot {
  const columns = 2 * reach + 1;
  const length = heads * columns;
  const numberAt = (_: unknown, i: number) => numberOf((i % columns) - reach, Math.floor(i / columns));
  return { label, per: 'model', bytes: length * 4, contents: () => Float32Array.from({ length }, numberAt) };
}
