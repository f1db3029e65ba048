/** MPNet (Song et al. 2020, arXiv:2004.09297): BERT with T5's bias of the scores by distance, shared by all layers (modeling_mpnet.py). */
import type { JsonFields } from '../../formats/json-fields';
import type { Family, HeadTask } from '../family';
import {
  type LayerNames,
  type PostNormConfig,
  type PostNormWeights,
  postNormEncoder,
  readPostNorm,
} from '../post-norm';
import type { TaskHead } from '../task-head';
import type { Tensors } from '../tensors';
import { bertTensors, poolerOf, prefixOf } from './bert';
import { classifierHead, lmHead, positionRows, withPadding } from './roberta';

/** MPNetEmbeddings.padding_idx; config.json does not count. */
const PADDING = 1;

/** Of distances. A key from the other on has the bucket of the furthest (MPNetEncoder.relative_position_bucket). */
const BUCKETS = 32;
const MAX_DISTANCE = 128;

function readConfig(fields: JsonFields): PostNormConfig {
  const key = 'relative_attention_num_buckets';
  if (fields.integer(key, BUCKETS) !== BUCKETS) throw fields.unsupported(key, `only ${BUCKETS} is`);
  return withPadding(fields, readPostNorm(fields, 1e-12), PADDING);
}

const LAYER: LayerNames = {
  qkv: ['attention.attn.q', 'attention.attn.k', 'attention.attn.v'],
  out: 'attention.attn.o',
  attn_norm: 'attention.LayerNorm',
  mlp_in: 'intermediate.dense',
  mlp_out: 'output.dense',
  mlp_norm: 'output.LayerNorm',
};

/**
 * The bucket of a key `distance` tokens after its query (MPNetEncoder.relative_position_bucket). Half of them are for keys after it; of each half, one
 * for every near distance, then ever wider ones.
 */
export function relativePositionBucket(distance: number): number {
  const half = BUCKETS / 2;
  const near = half / 2;
  const n = Math.abs(distance);
  const wide = near + Math.trunc((Math.log(n / near) / Math.log(MAX_DISTANCE / near)) * (half - near));
  return (distance > 0 ? half : 0) + (n < near ? n : Math.min(wide, half - 1));
}

function tensors(c: PostNormConfig, t: Tensors): PostNormWeights {
  const prefix = prefixOf(t, 'mpnet');
  const bias = `${prefix}encoder.relative_attention_bias.weight`;
  return {
    ...bertTensors(c, t, prefix, { positions: positionRows(c), layer: LAYER }),
    relative_bias: {
      weight: t.smallTable(bias, [BUCKETS, c.num_attention_heads]),
      bucketOf: relativePositionBucket,
      reach: MAX_DISTANCE,
    },
    pooler: poolerOf(c, t, prefix),
  };
}

const head = (c: PostNormConfig, t: Tensors, task: HeadTask, weights: PostNormWeights): TaskHead =>
  task === 'mlm' ? lmHead(c, t, weights) : classifierHead(c, t, task, 'tanh');

export const mpnet: Family<PostNormConfig, PostNormWeights> = {
  model_type: 'mpnet',
  readConfig,
  tensors,
  forward: postNormEncoder,
  heads: { tensors: { mlm: 'lm_head.dense.weight', classifier: 'classifier.out_proj.weight' }, head },
};
