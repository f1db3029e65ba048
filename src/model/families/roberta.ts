/**
 * RoBERTa (Liu et al. 2019, arXiv:1907.11692) and XLM-RoBERTa (Conneau et al. 2020, arXiv:1911.02116): BERT with positions that begin after
 * padding_idx, and heads of its own (modeling_roberta.py, modeling_xlm_roberta.py). CamemBERT is the same.
 */
import { ModelFileError } from '../../api/errors';
import type { JsonFields } from '../../formats/json-fields';
import type { Activation } from '../../kernels/gemm-spec';
import type { Family, HeadTask } from '../family';
import { type PostNormConfig, type PostNormWeights, postNormEncoder, readPostNorm } from '../post-norm';
import { answersOf, classifierOf, denseOf, type TaskHead, vocabularyHead } from '../task-head';
import type { Tensors } from '../tensors';
import { bertTensors, poolerOf, prefixOf } from './bert';

/** With positions from padding_idx + 1: a sequence has so many tokens less than the table has rows. */
export function withPadding(fields: JsonFields, c: PostNormConfig, padding_idx: number): PostNormConfig {
  const tokens = c.max_position_embeddings - padding_idx - 1;
  if (tokens > 0) return { ...c, padding_idx, max_position_embeddings: tokens };
  throw new ModelFileError(
    `${fields.file}: max_position_embeddings is ${c.max_position_embeddings}, which leaves no positions after padding token ${padding_idx}.`,
  );
}

function readConfig(fields: JsonFields): PostNormConfig {
  const c = { ...readPostNorm(fields, 1e-12), type_vocab_size: fields.integer('type_vocab_size', 2) };
  const padding_idx = fields.number('pad_token_id', 1);
  if (Number.isInteger(padding_idx) && padding_idx >= 0) return withPadding(fields, c, padding_idx);
  throw fields.wrong('pad_token_id', 'the id of a token');
}

/** Rows of the table of positions. */
export const positionRows = ({ max_position_embeddings, padding_idx = -1 }: PostNormConfig): number =>
  max_position_embeddings + padding_idx + 1;

function tensors(c: PostNormConfig, t: Tensors): PostNormWeights {
  const prefix = prefixOf(t, 'roberta');
  return { ...bertTensors(c, t, prefix, { positions: positionRows(c) }), pooler: poolerOf(c, t, prefix) };
}

/** RobertaLMHead, with the name of its norm. */
export function lmHead(
  c: PostNormConfig,
  t: Tensors,
  { table }: PostNormWeights,
  norm = 'lm_head.layer_norm',
): TaskHead {
  const { hidden_size: h } = c;
  const layers = [denseOf(t, 'lm_head.dense', [h, h], 'gelu'), { norm: t.norm(norm, h, c.layer_norm_eps, true) }];
  return vocabularyHead(c, t, table, layers, { decoder: 'lm_head.decoder', bias: 'lm_head.bias' });
}

/** RobertaClassificationHead: of the first token, a layer and the logits. Those of tokens and of answers are one layer. */
export function classifierHead(
  { hidden_size: h, labels }: PostNormConfig,
  t: Tensors,
  task: HeadTask,
  activation: Activation,
): TaskHead {
  if (task === 'qa') return { layers: [], output: answersOf(t, 'qa_outputs', labels, h) };
  if (task === 'tokcls') return { layers: [], output: classifierOf(t, 'classifier', labels, h) };
  const layers = [denseOf(t, 'classifier.dense', [h, h], activation)];
  return { pooling: 'cls', layers, output: classifierOf(t, 'classifier.out_proj', labels, h) };
}

const head = (c: PostNormConfig, t: Tensors, task: HeadTask, weights: PostNormWeights): TaskHead =>
  task === 'mlm' ? lmHead(c, t, weights) : classifierHead(c, t, task, 'tanh');

export const roberta: Family<PostNormConfig, PostNormWeights> = {
  model_type: 'roberta',
  readConfig,
  tensors,
  forward: postNormEncoder,
  heads: { tensors: { mlm: 'lm_head.dense.weight', classifier: 'classifier.out_proj.weight' }, head },
};
