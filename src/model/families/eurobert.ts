/**
 * EuroBERT (Boizard et al. 2025, arXiv:2503.05500): Llama's layers without the causal mask: pre-norm with RMSNorm, RoPE, SwiGLU, heads of q that
 * may share keys and values (modeling_eurobert.py).
 */
import type { JsonFields } from '../../formats/json-fields';
import type { Activation, Epilogue } from '../../kernels/gemm-spec';
import { layerNorm } from '../../kernels/layer_norm';
import { attentionPlace, gegluPlace, headsLayout, paddedWidth, qkvPlace, ropeTable } from '../../kernels/layout';
import type { Slot } from '../../kernels/step';
import { activation, encoderAttention, encoderLinear, sumOfEmbeddings } from '../blocks';
import { MOST_WIDTH, type ModelConfig, readActivation, readEps, readHeads, readLabels, readLayers } from '../config';
import { type Encoder, type Family, type HeadTask, type PassSizes, type Target, WIDE } from '../family';
import { type Rope, readRope } from '../rope';
import { answersOf, classifierOf, decoderOf, denseOf, type TaskHead } from '../task-head';
import type { Norm, Tensors } from '../tensors';
import { ownDecoder, wordTable } from '../vocabulary';

interface EuroBertConfig extends ModelConfig, Rope {
  intermediate_size: number;
  num_attention_heads: number;
  num_key_value_heads: number;
  head_dim: number;
  hidden_act: Activation;
  rms_norm_eps: number;
  attention_bias: boolean;
  mlp_bias: boolean;
  tie_word_embeddings: boolean;
  classifier_pooling: 'bos' | 'mean' | 'late';
}

function readConfig(fields: JsonFields): EuroBertConfig {
  const { integer, boolean, has, unsupported } = fields;
  const heads = readHeads(fields);
  const num_hidden_layers = readLayers(fields);
  const num_key_value_heads = integer('num_key_value_heads', heads.num_attention_heads);
  if (heads.num_attention_heads % num_key_value_heads !== 0) {
    throw unsupported('num_key_value_heads', `it must divide num_attention_heads ${heads.num_attention_heads}`);
  }
  return {
    ...readLabels(fields),
    ...heads,
    num_key_value_heads,
    vocab_size: integer('vocab_size'),
    intermediate_size: integer('intermediate_size', undefined, MOST_WIDTH),
    num_hidden_layers,
    hidden_act: has('hidden_act') ? readActivation(fields, 'hidden_act') : 'silu',
    max_position_embeddings: integer('max_position_embeddings', 8192),
    rms_norm_eps: readEps(fields, 'rms_norm_eps', 1e-5),
    attention_bias: boolean('attention_bias', false),
    mlp_bias: boolean('mlp_bias', false),
    tie_word_embeddings: boolean('tie_word_embeddings', false),
    classifier_pooling: fields.oneOf('classifier_pooling', ['bos', 'mean', 'late'], 'late'),
    ...readRope(fields, heads.head_dim, 10_000),
    windows: Array.from({ length: num_hidden_layers }, () => 0),
  };
}

/** The checkpoints of heads have it, bare encoders another name. */
const FINAL_NORM = 'model.norm.weight';

/** Tensors by their names in the file; bare encoders have no "model." before them. */
function tensors(c: EuroBertConfig, t: Tensors) {
  const { hidden_size: h, intermediate_size: i, attention_bias, mlp_bias } = c;
  const heads = headsLayout(c.num_attention_heads, c.head_dim, c.num_key_value_heads);
  const prefix = t.has(FINAL_NORM) ? 'model.' : '';
  const norm = (name: string): Norm => ({ ...t.norm(name, h, c.rms_norm_eps, false), rms: true });
  return {
    table: wordTable(c, t, `${prefix}embed_tokens.weight`, h),
    layers: c.windows.map((_, index) => {
      const layer = `${prefix}layers.${index}`;
      const rows = [c.num_attention_heads, c.num_key_value_heads, c.num_key_value_heads].map((n) => n * c.head_dim);
      const qkv = ['q_proj', 'k_proj', 'v_proj'].map((name, p) => ({
        name: `${layer}.self_attn.${name}`,
        rows: rows[p],
      }));
      const glu = ['gate_proj', 'up_proj'].map((name) => ({ name: `${layer}.mlp.${name}`, rows: i }));
      return {
        input_layernorm: norm(`${layer}.input_layernorm`),
        Wqkv: t.linear(qkv[0].name, [rows[0] + 2 * rows[1], h], {
          bias: attention_bias,
          n: heads.qkv,
          rowAt: qkvPlace(heads),
          parts: qkv,
        }),
        o_proj: t.linear(`${layer}.self_attn.o_proj`, [h, h], {
          bias: attention_bias,
          k: heads.attention,
          columnAt: heads.attention === h ? undefined : attentionPlace(heads),
        }),
        post_attention_layernorm: norm(`${layer}.post_attention_layernorm`),
        gate_up: t.linear(glu[0].name, [2 * i, h], {
          bias: mlp_bias,
          n: 2 * paddedWidth(i),
          rowAt: gegluPlace(i),
          parts: glu,
        }),
        down_proj: t.linear(`${layer}.mlp.down_proj`, [h, i], { bias: mlp_bias }),
      };
    }),
    norm: norm(`${prefix}norm`),
  };
}

type Weights = ReturnType<typeof tensors>;

/** The forward pass, in reading order: as ModernBERT's, but for the norms. T: tokens of the stream. */
function forward(c: EuroBertConfig, { table, layers, norm: final_norm }: Weights, target: Target): Encoder {
  const { act } = target;
  const heads = headsLayout(c.num_attention_heads, c.head_dim, c.num_key_value_heads);
  const { headDim, attention: attentionWidth, keyWidth, qkv } = heads;
  const [hidden, intermediate] = [paddedWidth(c.hidden_size), paddedWidth(c.intermediate_size)];

  const hidden_states = activation('hidden_states', 'f32', hidden);
  const normed = activation('normed', act, Math.max(hidden, attentionWidth)); // and attention's output
  const wide = activation(WIDE, act, Math.max(qkv, intermediate)); // q, k, v; then the GLU's output
  const rope: Slot = {
    label: `rope ${c.rope_theta}`,
    per: 'position',
    bytes: headDim * 4, // f32 [positions, headDim]
    contents: (count) => ropeTable(heads, c.rope_theta, count, c.rope_factor),
  };

  const residual: Epilogue = { kind: 'residual' };
  const glu: Epilogue = { kind: 'geglu', activation: c.hidden_act };
  const qScale = Math.LOG2E / Math.sqrt(c.head_dim); // attention computes in base 2
  const rotate: Epilogue = { kind: 'rope', attentionWidth, keyWidth, headDim, qScale };
  const spec = { hidden: c.hidden_size, stride: hidden, eps: c.rms_norm_eps, rms: true, out: act };
  const tokens = (s: PassSizes) => s.tokens;
  const norm = ({ weight, bias }: Norm) =>
    layerNorm(spec, { hidden_states, rows: undefined, weight, bias, normed }, tokens);
  const linear = encoderLinear(target);
  const attend = encoderAttention(target, heads, wide, normed);

  return {
    embeddings: sumOfEmbeddings({ table }, hidden, hidden_states), //                    [T] → [T, hidden]
    layers: layers.map(({ input_layernorm, Wqkv, o_proj, post_attention_layernorm, gate_up, down_proj }) => [
      norm(input_layernorm), //                                                           [T, hidden]
      ...linear('Wqkv', Wqkv, normed, rotate, wide, rope), //                            [T, qkv], q and k rotated
      attend(0), //                                                                       [T, attention]
      ...linear('attn.Wo', o_proj, normed, residual, hidden_states), //                  hidden_states += ·
      norm(post_attention_layernorm), //                                                  [T, hidden]
      ...linear('mlp.Wi', gate_up, normed, glu, wide), //                                [T, intermediate]: act(gate) * up
      ...linear('mlp.Wo', down_proj, wide, residual, hidden_states), //                  hidden_states += ·
    ]),
    hidden_states,
    hidden_size: c.hidden_size,
    final_norm,
  };
}

/** The vocabulary's logits, by a table of their own; a classifier of tokens; or of sequences, pooled before its layers or after them ('late'). */
function head(c: EuroBertConfig, t: Tensors, task: HeadTask, { table }: Weights): TaskHead {
  const { hidden_size: h, vocab_size, labels } = c;
  if (task === 'mlm') {
    const own = ownDecoder(c, t, 'lm_head', table);
    return {
      layers: [],
      output: decoderOf(own, c.mlp_bias ? t.vector('lm_head.bias', vocab_size) : undefined, vocab_size),
    };
  }
  if (task === 'qa') return { layers: [], output: answersOf(t, 'qa_outputs', labels, h) };
  const output = classifierOf(t, 'classifier', labels, h);
  if (task === 'tokcls') return { layers: [], output };
  const isLate = c.classifier_pooling === 'late'; // the mean of logits is the logits of the mean
  const pooling = c.classifier_pooling === 'bos' ? 'cls' : 'mean';
  return { pooling, isLate, layers: [denseOf(t, 'dense', [h, h], 'gelu')], output };
}

export const eurobert: Family<EuroBertConfig, Weights> = {
  model_type: 'eurobert',
  readConfig,
  tensors,
  forward,
  heads: { tensors: { mlm: [FINAL_NORM], classifier: 'classifier.weight' }, head },
};
