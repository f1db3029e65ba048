import { ModelFileError } from '../api/errors';
import { isObject, type Json, type JsonFields, shown, writerOf } from '../formats/json-fields';
import { MAX_HEAD_DIM } from '../kernels/attention';
import { ACTIVATIONS, type Activation } from '../kernels/gemm-spec';

/** What every family reads of config.json, in its own spelling. */
export interface ModelConfig {
  vocab_size: number;
  hidden_size: number;
  num_hidden_layers: number;
  /** Most tokens of a sequence. */
  max_position_embeddings: number;
  /** How many types of tokens there are, of models that tell the texts of a pair by them. */
  type_vocab_size?: number;
  /** Of models that count positions from padding_idx + 1: the id of the padding token. */
  padding_idx?: number;
  /** Per layer, how far a token sees to each side; 0 is everywhere. */
  windows: number[];
  /** Class names of transformers, such as ModernBertForMaskedLM. */
  architectures: string[];
  /** Names of the classes, by index; empty if config.json has none. */
  labels: string[];
  /** Whether config.json itself names the labels (id2label). */
  names_labels: boolean;
  multi_label: boolean;
  /** What wrote config.json, for messages; see writerOf. */
  writer: string | undefined;
}

/** Far above every published model; what is believed is also compared with the tensors of the file. */
export const MOST_WIDTH = 1 << 18;
const MOST_LAYERS = 1000;
const MOST_LABELS = 100_000;

export const readLayers = ({ integer }: JsonFields, key = 'num_hidden_layers'): number =>
  integer(key, undefined, MOST_LAYERS);

/** The fields of a classifier; the rest of ModelConfig is the family's to read. */
export const readLabels = (fields: JsonFields) => ({
  architectures: architecturesOf(fields),
  labels: labelsOf(fields),
  names_labels: labelNames(fields.json.id2label) !== undefined,
  multi_label: fields.json.problem_type === 'multi_label_classification',
  writer: writerOf(fields.json),
});

function architecturesOf({ json: { architectures = [] }, wrong }: JsonFields): string[] {
  if (architectures === null) return [];
  if (Array.isArray(architectures) && architectures.every((name) => typeof name === 'string')) return architectures;
  throw wrong('architectures', 'a list of class names');
}

/** The names by index: id2label (an object or a list; numbers count as their text), else those of label2id, else LABEL_0 and so on. */
function labelsOf({ file, json: { id2label, label2id }, has, integer }: JsonFields): string[] {
  const named = labelNames(id2label) ?? (isObject(label2id) ? byIndex(label2id) : undefined);
  if (!named) {
    const count = has('num_labels') ? integer('num_labels', undefined, MOST_LABELS) : 0;
    return Array.from({ length: count }, (_, i) => `LABEL_${i}`);
  }
  const count = Object.keys(named).length;
  if (count > MOST_LABELS) {
    throw new ModelFileError(`${file}: id2label has ${count} entries, at most ${MOST_LABELS} are possible.`);
  }
  return Array.from({ length: count }, (_, i) => {
    const label = named[String(i)];
    if (typeof label === 'string' || typeof label === 'number') return String(label);
    throw new ModelFileError(
      `${file}: id2label has ${count} entries but no text for label ${i}; it is ${shown(label)}.`,
    );
  });
}

const labelNames = (id2label: unknown): Json | undefined =>
  isObject(id2label) || Array.isArray(id2label) ? { ...id2label } : undefined;

/** { label: index } as { index: label }; undefined unless the indices are 0 and so on: such a label2id names nothing. */
function byIndex(label2id: Json): Json | undefined {
  const names = Object.fromEntries(Object.entries(label2id).map(([label, index]) => [String(index), label]));
  const count = Object.keys(label2id).length;
  return count > 0 && Array.from({ length: count }, (_, i) => i in names).every(Boolean) ? names : undefined;
}

/** Other names in transformers (ACT2FN) of what is the same function up to rounding. */
const ALIASES: Record<string, Activation> = {
  gelu_python: 'gelu',
  gelu_new: 'gelu_pytorch_tanh',
  gelu_fast: 'gelu_pytorch_tanh',
  gelu_accurate: 'gelu_pytorch_tanh',
  gelu_python_tanh: 'gelu_pytorch_tanh',
  swish: 'silu',
};

/** An activation by its name in transformers; default gelu. */
export function readActivation(fields: JsonFields, key: string): Activation {
  const name = fields.json[key];
  if (typeof name === 'string' && Object.hasOwn(ALIASES, name)) return ALIASES[name];
  return fields.oneOf(key, ACTIVATIONS, 'gelu', Object.keys(ALIASES));
}

/** The epsilon of LayerNorm: as f32 it must be neither 0 nor infinite. */
export function readEps({ number, wrong }: JsonFields, key: string, fallback: number): number {
  const eps = number(key, fallback);
  if (eps >= 1e-30 && eps <= 1) return eps;
  throw wrong(key, 'a number from 1e-30 to 1');
}

/** hidden_size and its attention heads, by these names. */
export function readHeads(
  { file, json, has, integer, unsupported }: JsonFields,
  { width = 'hidden_size', heads = 'num_attention_heads' } = {},
) {
  const hidden_size = integer(width, undefined, MOST_WIDTH);
  const num_attention_heads = integer(heads);
  const head_dim = hidden_size / num_attention_heads;
  if (!Number.isInteger(head_dim)) {
    throw new ModelFileError(`${file}: ${width} ${hidden_size} is not a multiple of ${heads} ${num_attention_heads}.`);
  }
  if (head_dim > MAX_HEAD_DIM) {
    throw unsupported(`${width} / ${heads}`, `head_dim may be at most ${MAX_HEAD_DIM}`, head_dim);
  }
  if (has('head_dim') && json.head_dim !== head_dim) {
    throw unsupported('head_dim', `only ${width} / ${heads} = ${head_dim} is`);
  }
  return { hidden_size, num_attention_heads, head_dim };
}
