/**
 * ModernBERT (Warner et al. 2024, arXiv:2412.13663), as transformers computes it (modeling_modernbert.py, configuration_modernbert.py):
 * pre-norm layers without a norm before the first attention, RoPE, GeGLU, global attention in every third layer and windows in the others.
 */
import { ModelFileError } from '../../api/errors';
import { fieldsOf, isObject, type Json, type JsonFields, MOST, shown, wrongField } from '../../formats/json-fields';
import type { Activation, Epilogue } from '../../kernels/gemm-spec';
import { layerNorm } from '../../kernels/layer_norm';
import { attentionPlace, gegluPlace, headsLayout, paddedWidth, qkvPlace, ropeTable } from '../../kernels/layout';
import type { Slot } from '../../kernels/step';
import { activation, encoderAttention, encoderEmbeddings, encoderLinear } from '../blocks';
import { MOST_WIDTH, type ModelConfig, readActivation, readEps, readHeads, readLabels, readLayers } from '../config';
import { type Encoder, type Family, type HeadTask, type PassSizes, type Target, WIDE } from '../family';
import { answersOf, classifierOf, decoderOf, type TaskHead } from '../task-head';
import type { Norm, Tensors } from '../tensors';

export interface ModernBertConfig extends ModelConfig {
  intermediate_size: number;
  num_attention_heads: number;
  head_dim: number;
  hidden_activation: Activation;
  norm_eps: number;
  norm_bias: boolean;
  attention_bias: boolean;
  mlp_bias: boolean;
  decoder_bias: boolean;
  classifier_bias: boolean;
  classifier_activation: Activation;
  classifier_pooling: 'cls' | 'mean';
  tie_word_embeddings: boolean;
  /** Per layer: its base of RoPE. */
  rope_thetas: number[];
}

/**
 * Both dialects are read: `layer_types` with `rope_parameters` (transformers 5), and `global_attn_every_n_layers` with `global_rope_theta`
 * and `local_rope_theta` (4.48). Defaults are transformers'; sizes have none.
 */
function readConfig(fields: JsonFields): ModernBertConfig {
  const { integer, number, boolean, has } = fields;
  const { hidden_size, num_attention_heads, head_dim } = readHeads(fields);
  if (head_dim % 2 !== 0) {
    throw fields.unsupported('hidden_size / num_attention_heads', 'RoPE needs an even head_dim', head_dim);
  }
  const num_hidden_layers = readLayers(fields);
  const local_attention = has('sliding_window') ? 2 * number('sliding_window') : number('local_attention', 128);
  if (!Number.isInteger(local_attention) || local_attention < 2 || local_attention > MOST) {
    throw fields.unsupported('local_attention', `it must be an integer from 2 to ${MOST}`, local_attention);
  }
  const kinds = layerKinds(fields, num_hidden_layers);
  return {
    ...readLabels(fields),
    vocab_size: integer('vocab_size'),
    hidden_size,
    intermediate_size: integer('intermediate_size', undefined, MOST_WIDTH),
    num_hidden_layers,
    num_attention_heads,
    head_dim,
    hidden_activation: readActivation(fields, 'hidden_activation'),
    max_position_embeddings: integer('max_position_embeddings', 8192),
    norm_eps: readEps(fields, 'norm_eps', 1e-5),
    norm_bias: boolean('norm_bias', false),
    attention_bias: boolean('attention_bias', false),
    mlp_bias: boolean('mlp_bias', false),
    decoder_bias: boolean('decoder_bias', true),
    classifier_bias: boolean('classifier_bias', false),
    classifier_activation: readActivation(fields, 'classifier_activation'),
    classifier_pooling: fields.oneOf('classifier_pooling', ['cls', 'mean'], 'cls'),
    tie_word_embeddings: boolean('tie_word_embeddings', true),
    windows: kinds.map((kind) => (kind === 'full_attention' ? 0 : Math.floor(local_attention / 2))),
    rope_thetas: kinds.map((kind) => ropeTheta(fields, kind)),
  };
}

type LayerKind = 'full_attention' | 'sliding_attention';

function layerKinds({ file, json, has, integer, unsupported }: JsonFields, layers: number): LayerKind[] {
  if (!has('layer_types')) {
    const every = integer('global_attn_every_n_layers', 3);
    return Array.from({ length: layers }, (_, i) => (i % every === 0 ? 'full_attention' : 'sliding_attention'));
  }
  const types = json.layer_types;
  if (!Array.isArray(types) || types.length !== layers) {
    throw new ModelFileError(`${file}: layer_types must list ${layers} layers, it is ${shown(types)}.`);
  }
  return types.map((type, i) => {
    if (type === 'full_attention' || type === 'sliding_attention') return type;
    throw unsupported(`layer_types[${i}]`, "known are 'full_attention' and 'sliding_attention'", type);
  });
}

const THETAS: Record<LayerKind, { field: string; base: number }> = {
  full_attention: { field: 'global_rope_theta', base: 160_000 },
  sliding_attention: { field: 'local_rope_theta', base: 10_000 },
};

/**
 * The base of RoPE in layers of this kind: that of rope_parameters, else the field of 4.48, else the default, as transformers fills in
 * (ModernBertConfig.convert_rope_params_to_dict). A local_rope_theta of null is the global one (4.48).
 */
function ropeTheta(fields: JsonFields, kind: LayerKind): number {
  const { json, file, unsupported } = fields;
  const objectOf = (value: unknown, key: string): Json => {
    if (value === undefined || value === null) return {};
    if (isObject(value)) return value;
    throw wrongField(file, key, value, 'an object');
  };
  const scaling = objectOf(json.rope_scaling, 'rope_scaling');
  const kinds = objectOf(json.rope_parameters, 'rope_parameters');
  // transformers 5.3 adds a rope_theta of null and a rope_type where all layers are of one kind.
  const stray = ([name, value]: [string, unknown]) =>
    !Object.hasOwn(THETAS, name) && value !== null && !(name === 'rope_type' && value === 'default');
  if (Object.entries(kinds).some(stray)) {
    throw unsupported('rope_parameters', `it must have an object for each of ${Object.keys(THETAS).join(' and ')}`);
  }
  const key = `rope_parameters.${kind}`;
  const own = objectOf(kinds[kind], key);
  const typeOf = ({ rope_type, type }: Json) => rope_type ?? type ?? 'default';
  if (typeOf(scaling) !== 'default') throw unsupported('rope_scaling', 'only unscaled RoPE is');
  if (typeOf(own) !== 'default') throw unsupported(`${key}.rope_type`, "only 'default' is", typeOf(own));

  const isShared = kind === 'sliding_attention' && json.local_rope_theta === null && !fields.has('rope_parameters');
  const { field, base } = THETAS[isShared ? 'full_attention' : kind];
  // transformers puts rope_scaling over the parameters of both kinds.
  const parts = { rope_scaling: fieldsOf(file, scaling), [key]: fieldsOf(file, own) };
  const [at, part] = Object.entries(parts).find(([, each]) => each.has('rope_theta')) ?? [];
  const theta = part?.number('rope_theta') ?? fields.number(field, base);
  if (theta > 0) return theta;
  throw new ModelFileError(`${file}: ${at ? `${at}.rope_theta` : field} must be positive, it is ${theta}.`);
}

const DECODER = 'decoder.weight';

/** Tensors by their names in the file; bare encoders have no "model." before them. */
function tensors(c: ModernBertConfig, t: Tensors) {
  const { vocab_size, hidden_size: h, intermediate_size: i } = c;
  const heads = headsLayout(c.num_attention_heads, c.head_dim);
  const table = 'embeddings.tok_embeddings.weight';
  const prefix = [table, 'final_norm.weight'].some((name) => t.has(`model.${name}`)) ? 'model.' : '';
  // Of a tied matrix a file may hold either name, or both.
  const isDecoder = c.tie_word_embeddings && !t.has(prefix + table) && t.has(DECODER);
  const norm = (name: string) => t.norm(name, h, c.norm_eps, c.norm_bias);
  return {
    tok_embeddings: t.table(isDecoder ? DECODER : prefix + table, [vocab_size, h]),
    /** Whether the decoder's logits are products with the embeddings. */
    isTied: isDecoder || (c.tie_word_embeddings && !t.has(DECODER)),
    embeddings_norm: norm(`${prefix}embeddings.norm`),
    layers: c.windows.map((window, index) => {
      const layer = `${prefix}layers.${index}`;
      return {
        attn_norm: index === 0 ? undefined : norm(`${layer}.attn_norm`), // the embeddings' norm serves layer 0
        Wqkv: t.linear(`${layer}.attn.Wqkv`, [3 * h, h], {
          bias: c.attention_bias,
          n: heads.qkv,
          rowAt: qkvPlace(heads),
        }),
        Wo: t.linear(`${layer}.attn.Wo`, [h, h], {
          bias: c.attention_bias,
          k: heads.attention,
          columnAt: heads.attention === h ? undefined : attentionPlace(heads),
        }),
        mlp_norm: norm(`${layer}.mlp_norm`),
        Wi: t.linear(`${layer}.mlp.Wi`, [2 * i, h], {
          bias: c.mlp_bias,
          n: 2 * paddedWidth(i),
          rowAt: gegluPlace(i),
        }),
        mlp_Wo: t.linear(`${layer}.mlp.Wo`, [h, i], { bias: c.mlp_bias }),
        window,
        rope_theta: c.rope_thetas[index],
      };
    }),
    final_norm: norm(`${prefix}final_norm`),
  };
}

type Weights = ReturnType<typeof tensors>;

/**
 * The forward pass (ModernBertModel), in reading order. T: tokens of the stream; `hidden_states` [T, hidden] is the residual stream.
 * Widths are padded: `hidden`, `attention` (of q, k and v each) and `intermediate`.
 */
function forward(c: ModernBertConfig, weights: Weights, target: Target): Encoder {
  const { act } = target;
  const { tok_embeddings, embeddings_norm, layers, final_norm } = weights;
  const heads = headsLayout(c.num_attention_heads, c.head_dim);
  const { headDim, attention: attentionWidth, qkv } = heads;
  const [hidden, intermediate] = [paddedWidth(c.hidden_size), paddedWidth(c.intermediate_size)];
  const tokens = (s: PassSizes) => s.tokens;

  const hidden_states = activation('hidden_states', 'f32', hidden);
  const normed = activation('normed', act, Math.max(hidden, attentionWidth)); // and attention's output
  const wide = activation(WIDE, act, Math.max(qkv, intermediate)); // q, k, v; then GeGLU's output
  const rope = (theta: number): Slot => ({
    label: `rope ${theta}`,
    per: 'position',
    bytes: headDim * 4, // f32 [positions, headDim]
    contents: (count) => ropeTable(heads, theta, count),
  });

  const residual: Epilogue = { kind: 'residual' };
  const geglu: Epilogue = { kind: 'geglu', activation: c.hidden_activation };
  // q carries the softmax scale and log2 e: attention computes in base 2.
  const rotate: Epilogue = { kind: 'rope', attentionWidth, headDim, qScale: Math.LOG2E / Math.sqrt(c.head_dim) };

  const normSpec = { hidden: c.hidden_size, stride: hidden, eps: c.norm_eps, out: act };
  const norm = ({ weight, bias }: Norm) =>
    layerNorm(normSpec, { hidden_states, rows: undefined, weight, bias, normed }, tokens);
  const linear = encoderLinear(target);
  const attend = encoderAttention(target, heads, wide, normed);

  return {
    embeddings: encoderEmbeddings({ table: tok_embeddings }, embeddings_norm, normSpec, { hidden_states, normed }), // [T] → [T, hidden]
    layers: layers.map(({ attn_norm, Wqkv, Wo, mlp_norm, Wi, mlp_Wo, window, rope_theta }) => [
      ...(attn_norm ? [norm(attn_norm)] : []), //                                        [T, hidden]
      ...linear('Wqkv', Wqkv, normed, rotate, wide, rope(rope_theta)), //                [T, qkv], q and k rotated
      attend(window), //                                                                 [T, attention]
      ...linear('attn.Wo', Wo, normed, residual, hidden_states), //                      hidden_states += ·
      norm(mlp_norm), //                                                                 [T, hidden]
      ...linear('mlp.Wi', Wi, normed, geglu, wide), //                                   [T, intermediate]: act(value) * gate
      ...linear('mlp.Wo', mlp_Wo, wide, residual, hidden_states), //                     hidden_states += ·
    ]),
    hidden_states,
    hidden_size: c.hidden_size,
    final_norm,
  };
}

/** ModernBertPredictionHead (dense, activation, norm), then the decoder, or the classifier of each token or of a pooled row. */
function head(c: ModernBertConfig, t: Tensors, task: HeadTask, { tok_embeddings, isTied }: Weights): TaskHead {
  const { hidden_size: h, vocab_size } = c;
  const dense = t.linear('head.dense', [h, h], { bias: c.classifier_bias, quantized: false });
  const layers: TaskHead['layers'] = [
    { label: 'head.dense', dense, activation: c.classifier_activation },
    { norm: t.norm('head.norm', h, c.norm_eps, c.norm_bias) },
  ];
  if (task === 'mlm') {
    const table = isTied ? tok_embeddings : t.table(DECODER, [vocab_size, h]);
    const bias = c.decoder_bias ? t.vector('decoder.bias', vocab_size) : undefined;
    return { layers, output: decoderOf(table, bias, vocab_size) };
  }
  if (task === 'qa') return { layers, output: answersOf(t, 'classifier', c.labels, h) };
  const pooling = task === 'seqcls' ? c.classifier_pooling : undefined;
  return { pooling, layers, output: classifierOf(t, 'classifier', c.labels, h) };
}

export const modernbert: Family<ModernBertConfig, Weights> = {
  model_type: 'modernbert',
  readConfig,
  tensors,
  forward,
  heads: { tensors: { mlm: ['head.dense.weight'], classifier: 'classifier.weight' }, head },
};
