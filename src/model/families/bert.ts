/** BERT (Devlin et al. 2019, arXiv:1810.04805), as transformers computes it (modeling_bert.py). */
import type { JsonFields } from '../../formats/json-fields';
import type { Family, HeadTask } from '../family';
import {
  type LayerNames,
  type PostNormConfig,
  type PostNormWeights,
  postNormEncoder,
  postNormLayer,
  readPostNorm,
} from '../post-norm';
import { answersOf, classifierOf, denseOf, type TaskHead } from '../task-head';
import type { Tensors } from '../tensors';
import { vocabularyHead, wordTable } from '../vocabulary';

function readConfig(fields: JsonFields): PostNormConfig {
  return { ...readPostNorm(fields, 1e-12), type_vocab_size: fields.integer('type_vocab_size', 2) };
}

export const LAYER: LayerNames = {
  qkv: ['attention.self.query', 'attention.self.key', 'attention.self.value'],
  out: 'attention.output.dense',
  attn_norm: 'attention.output.LayerNorm',
  mlp_in: 'intermediate.dense',
  mlp_out: 'output.dense',
  mlp_norm: 'output.LayerNorm',
};

/** The embeddings and the layers, by BERT's names after this prefix. `width` of the embeddings; `positions`: rows of their table. */
export function bertTensors(
  c: PostNormConfig,
  t: Tensors,
  prefix: string,
  { width = c.hidden_size, positions = c.max_position_embeddings, layer = LAYER } = {},
): PostNormWeights {
  const of = (name: string) => `${prefix}embeddings.${name}`;
  const small = (name: string, rows: number) => ({ weight: t.smallTable(of(`${name}.weight`), [rows, width]), rows });
  return {
    table: wordTable(c, t, of('word_embeddings.weight'), width),
    position_embeddings: positions > 0 ? small('position_embeddings', positions) : undefined,
    token_type_embeddings: c.type_vocab_size ? small('token_type_embeddings', c.type_vocab_size) : undefined,
    embeddings_norm: t.norm(of('LayerNorm'), width, c.layer_norm_eps, true),
    layers: c.windows.map((_, i) => postNormLayer(c, t, `${prefix}encoder.layer.${i}`, layer)),
  };
}

const FIRST = ['embeddings.word_embeddings.weight', 'embeddings.LayerNorm.weight', 'emb_ln.weight'];

/** What stands before the names in the file: one of these, or nothing, as in bare encoders. */
export const prefixOf = (t: Tensors, ...names: string[]): string =>
  names.map((name) => `${name}.`).find((prefix) => FIRST.some((first) => t.has(prefix + first))) ?? '';

const POOLER = 'pooler.dense';

/** BERT's pooler, if the file has one. */
export const poolerOf = ({ hidden_size: h }: PostNormConfig, t: Tensors, prefix: string) =>
  t.has(`${prefix}${POOLER}.weight`) ? denseOf(t, `${prefix}${POOLER}`, [h, h], 'tanh') : undefined;

function tensors(c: PostNormConfig, t: Tensors): PostNormWeights {
  const prefix = prefixOf(t, 'bert');
  return { ...bertTensors(c, t, prefix), pooler: poolerOf(c, t, prefix) };
}

/** BertLMPredictionHead; or the classifier of each token, or of the pooler's output. */
export function bertHead(
  c: PostNormConfig,
  t: Tensors,
  task: HeadTask,
  { table, pooler }: PostNormWeights,
  prefix = 'bert',
): TaskHead {
  const { hidden_size: h, labels } = c;
  if (task === 'mlm') {
    const dense = 'cls.predictions.transform.dense';
    const norm = t.norm('cls.predictions.transform.LayerNorm', h, c.layer_norm_eps, true);
    const layers = [denseOf(t, dense, [h, h], c.hidden_act), { norm }];
    return vocabularyHead(c, t, table, layers, { decoder: 'cls.predictions.decoder', bias: 'cls.predictions.bias' });
  }
  if (task === 'qa') return { layers: [], output: answersOf(t, 'qa_outputs', labels, h) };
  const output = classifierOf(t, 'classifier', labels, h);
  if (task === 'tokcls') return { layers: [], output };
  return { pooling: 'cls', layers: [pooler ?? denseOf(t, `${prefix}.${POOLER}`, [h, h], 'tanh')], output };
}

export const bert: Family<PostNormConfig, PostNormWeights> = {
  model_type: 'bert',
  readConfig,
  tensors,
  forward: postNormEncoder,
  heads: {
    tensors: { mlm: ['cls.predictions.transform.dense.weight'], classifier: 'classifier.weight' },
    head: bertHead,
  },
};
