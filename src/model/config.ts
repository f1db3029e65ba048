import { ModelFileError } from '../api/errors';
import { isObject, type JsonFields } from '../formats/json-fields';
import { MAX_HEAD_DIM } from '../kernels/attention';
import { ACTIVATIONS, type Activation } from '../kernels/gemm-spec';

/** What every family reads of config.json, in its own spelling. */
export interface ModelConfig {
  vocab_size: number;
  hidden_size: number;
  num_hidden_layers: number;
  max_position_embeddings: number;
  /** Per layer, how far a token sees to each side; 0 is everywhere. */
  windows: number[];
  /** Class names of transformers, such as ModernBertForMaskedLM. */
  architectures: string[];
  /** Names of the classes, by index; empty if config.json has none. */
  labels: string[];
  /** Whether config.json itself names the labels (id2label). */
  names_labels: boolean;
  multi_label: boolean;
}

/** Far above every published model; what is believed is also compared with the tensors of the file. */
export const MOST_WIDTH = 1 << 18;
const MOST_LAYERS = 1000;
const MOST_LABELS = 100_000;

export const readLayers = ({ integer }: JsonFields): number => integer('num_hidden_layers', undefined, MOST_LAYERS);

/** The fields of a classifier; the rest of ModelConfig is the family's to read. */
export const readLabels = (fields: JsonFields) => ({
  architectures: architecturesOf(fields),
  labels: labelsOf(fields),
  names_labels: isObject(fields.json.id2label),
  multi_label: fields.json.problem_type === 'multi_label_classification',
});

function architecturesOf({ json: { architectures = [] }, wrong }: JsonFields): string[] {
  if (architectures === null) return [];
  if (Array.isArray(architectures) && architectures.every((name) => typeof name === 'string')) return architectures;
  throw wrong('architectures', 'a list of class names');
}

function labelsOf({ file, json: { id2label }, has, integer }: JsonFields): string[] {
  if (isObject(id2label)) {
    const count = Object.keys(id2label).length;
    if (count > MOST_LABELS) {
      throw new ModelFileError(`${file}: id2label has ${count} entries, at most ${MOST_LABELS} are possible.`);
    }
    return Array.from({ length: count }, (_, i) => {
      const label = id2label[String(i)];
      if (typeof label === 'string') return label;
      throw new ModelFileError(`${file}: id2label has ${count} entries but no text for label ${i}.`);
    });
  }
  return Array.from(
    { length: has('num_labels') ? integer('num_labels', undefined, MOST_LABELS) : 0 },
    (_, i) => `LABEL_${i}`,
  );
}

export const readActivation = (fields: JsonFields, key: string): Activation => fields.oneOf(key, ACTIVATIONS, 'gelu');

/** hidden_size and its attention heads. */
export function readHeads({ file, json, has, integer, unsupported }: JsonFields) {
  const hidden_size = integer('hidden_size', undefined, MOST_WIDTH);
  const num_attention_heads = integer('num_attention_heads');
  const head_dim = hidden_size / num_attention_heads;
  if (!Number.isInteger(head_dim)) {
    throw new ModelFileError(
      `${file}: hidden_size ${hidden_size} is not a multiple of num_attention_heads ${num_attention_heads}.`,
    );
  }
  if (head_dim > MAX_HEAD_DIM) {
    throw unsupported('hidden_size / num_attention_heads', `head_dim may be at most ${MAX_HEAD_DIM}`, head_dim);
  }
  if (has('head_dim') && json.head_dim !== head_dim) {
    throw unsupported('head_dim', `only hidden_size / num_attention_heads = ${head_dim} is`);
  }
  return { hidden_size, num_attention_heads, head_dim };
}
