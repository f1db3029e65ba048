/**
 * JinaBERT (Günther et al. 2023, arXiv:2310.19923), the architecture of jina-embeddings-v2: BERT with GeGLU, and ALiBi of both directions instead of
 * positions. As its authors' code computes it (jina-bert-implementation/modeling_bert.py); its config.json calls it `bert`.
 */
import type { JsonFields } from '../../formats/json-fields';
import { encoderAttention } from '../blocks';
import type { Encoder, Family, Target } from '../family';
import {
  byDistance,
  type LayerNames,
  type PostNormConfig,
  type PostNormWeights,
  postNormEncoder,
  readPostNorm,
} from '../post-norm';
import type { Tensors } from '../tensors';
import { LAYER as BERT_LAYER, bert, bertTensors, poolerOf, prefixOf } from './bert';

function readConfig(fields: JsonFields): PostNormConfig {
  fields.oneOf('feed_forward_type', ['geglu'], 'original');
  fields.oneOf('hidden_act', ['gelu'], 'gelu'); // GeGLU has it whatever this says
  const c = readPostNorm(fields, 1e-12, {}, ['alibi']);
  return { ...c, type_vocab_size: fields.integer('type_vocab_size', 2) };
}

const LAYER: LayerNames = {
  ...BERT_LAYER,
  mlp_in: 'mlp.gated_layers',
  mlp_out: 'mlp.wo',
  mlp_norm: 'mlp.layernorm',
  glu: 'value first',
  unbiased: ['mlp_in'],
};

function tensors(c: PostNormConfig, t: Tensors): PostNormWeights {
  const prefix = prefixOf(t, 'bert');
  return { ...bertTensors(c, t, prefix, { positions: 0, layer: LAYER }), pooler: poolerOf(c, t, prefix) };
}

/**
 * How much a head's scores fall with each token between query and key (Press et al. 2022, arXiv:2108.12409): a geometric sequence, and where the
 * number of heads is no power of 2, every other one of the sequence of twice as many.
 */
export function alibiSlopes(heads: number): number[] {
  const power = 2 ** Math.floor(Math.log2(heads));
  const sequence = (n: number) => Array.from({ length: n }, (_, i) => 2 ** ((-8 * (i + 1)) / n));
  const between = sequence(2 * power).filter((_, i) => i % 2 === 0);
  return [...sequence(power), ...between.slice(0, heads - power)];
}

const forward = (c: PostNormConfig, weights: PostNormWeights, target: Target): Encoder =>
  postNormEncoder(c, weights, target, {
    glu: true,
    attention({ target, heads, qkv, out }) {
      const slopes = alibiSlopes(c.num_attention_heads);
      const reach = Math.max(1, c.max_position_embeddings - 1);
      const biasOf = (distance: number, head: number) => -slopes[head] * Math.abs(distance) * Math.LOG2E;
      const relative_bias = byDistance('alibi', reach, biasOf, slopes.length);
      const step = encoderAttention(target, heads, qkv, out, { reach, buffers: { relative_bias } })(0);
      return { attend: () => [step] };
    },
  });

export const jina_bert: Family<PostNormConfig, PostNormWeights> = {
  model_type: 'bert',
  readConfig,
  tensors,
  forward,
  heads: bert.heads,
};
