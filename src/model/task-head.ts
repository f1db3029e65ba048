/** A checkpoint's own head: layers from hidden states, or from one pooled row per sequence, to logits. */
import type { Pooling } from '../api/embeddings';
import { ModelFileError } from '../api/errors';
import type { Activation } from '../kernels/gemm-spec';
import { roundUp } from '../kernels/storage';
import type { LoadedModel } from './model';
import type { Linear, Norm, Table, Tensors } from './tensors';

export interface TaskHead {
  /** How a sequence classifier pools; undefined for heads that work token by token. */
  pooling?: Pooling;
  /** Whether it pools after the layers, instead of before them. */
  isLate?: boolean;
  /** In turn. */
  layers: HeadLayer[];
  output: Output;
}

/** A dense layer with its activation, or a norm. `columns`: of its output; default as many as of its input. */
export type HeadLayer = { label: string; dense: Linear; activation: Activation; columns?: number } | { norm: Norm };

/** Throws a TypeError for a checkpoint without a head. */
export function headOf({ head, task }: Pick<LoadedModel, 'head' | 'task'>): TaskHead {
  if (!head) throw new TypeError(`A checkpoint of task '${task}' has no head.`);
  return head;
}

/** A dense layer of a head: NAME.weight [rows, columns] with a bias, then its activation. */
export const denseOf = (t: Tensors, name: string, shape: [number, number], activation: Activation): HeadLayer => ({
  label: name,
  dense: t.linear(name, shape, { bias: true, quantized: false }),
  activation,
  columns: shape[0],
});

/** The last layer. */
export interface Output {
  label: string;
  /** Each computes the logits from `column` on. */
  pieces: (Linear & { column: number })[];
  /** Logits per row, and floats per row on the GPU. */
  columns: number;
  stride: number;
  /** Of a classifier: a name per logit. */
  labels: string[];
}

/** Logits of a vocabulary: hidden states times a table [vocab_size, hidden], which may be the embeddings'. */
export const decoderOf = (table: Table, bias: GPUBuffer | undefined, vocab_size: number): Output => ({
  label: 'decoder',
  labels: [],
  columns: vocab_size,
  stride: roundUp(vocab_size, 8),
  pieces: table.pieces.map(({ weight, scales, firstRow, rows }) => ({
    dtype: table.dtype,
    weight,
    scales,
    bias: bias && { of: bias, range: () => ({ offset: firstRow * 4, size: rows * 4 }) },
    n: rows,
    k: table.columns,
    useful: rows * table.columns,
    column: firstRow,
  })),
});

/** transformers' default of num_labels. */
const DEFAULT_LABELS = 2;

/** The start and the end of an answer: NAME.weight [2, hidden] with a bias. Throws a ModelFileError if config.json has other labels. */
export function answersOf(tensors: Tensors, name: string, labels: string[], hidden_size: number): Output {
  if (labels.length === 0 || labels.length === 2) return classifierOf(tensors, name, ['start', 'end'], hidden_size);
  throw new ModelFileError(
    `config.json: question answering needs 2 labels, for the start and the end of an answer; there are ${labels.length}.`,
  );
}

/** Logits of the classes: NAME.weight [labels, hidden] with a bias. */
export function classifierOf(tensors: Tensors, name: string, labels: string[], hidden_size: number): Output {
  const columns = labels.length || DEFAULT_LABELS;
  const stride = roundUp(columns, 8);
  const layer = tensors.linear(name, [columns, hidden_size], { bias: true, n: stride, quantized: false });
  return {
    label: 'classifier',
    labels: Array.from({ length: columns }, (_, i) => labels[i] ?? `LABEL_${i}`),
    columns,
    stride,
    pieces: [{ ...layer, column: 0 }],
  };
}

/** A masked language model's head: its layers, then the logits of the vocabulary, by the embeddings' table or one of its own, with a bias. */
export function vocabularyHead(
  c: { vocab_size: number; hidden_size: number; tie_word_embeddings: boolean },
  t: Tensors,
  table: Table,
  layers: HeadLayer[],
  { decoder, bias }: { decoder: string; bias: string },
): TaskHead {
  const isTied = c.tie_word_embeddings || !t.has(`${decoder}.weight`);
  const own = isTied ? table : t.table(`${decoder}.weight`, [c.vocab_size, c.hidden_size]);
  // Of a tied bias a file may hold either name, or both.
  const spelled = !t.has(bias) && t.has(`${decoder}.bias`) ? `${decoder}.bias` : bias;
  return { layers, output: decoderOf(own, t.vector(spelled, c.vocab_size), c.vocab_size) };
}
