import { ModelFileError, UnsupportedModelError } from '../api/errors';
import type { Task } from '../api/types';
import { ACTIVATIONS, type Activation } from '../kernels/gemm';

/**
 * What config.json says, in its own spelling, with both of its dialects read: `layer_types` + `rope_parameters` (transformers 5)
 * and `global_attn_every_n_layers` + `global_rope_theta` + `local_rope_theta` (4.48). Defaults are those of transformers'
 * configuration_modernbert.py; sizes have none.
 */
export interface ModelConfig {
  vocab_size: number;
  hidden_size: number;
  intermediate_size: number;
  num_hidden_layers: number;
  num_attention_heads: number;
  head_dim: number;
  hidden_activation: Activation;
  max_position_embeddings: number;
  norm_eps: number;
  norm_bias: boolean;
  attention_bias: boolean;
  mlp_bias: boolean;
  decoder_bias: boolean;
  classifier_bias: boolean;
  classifier_activation: Activation;
  classifier_pooling: 'cls' | 'mean';
  tie_word_embeddings: boolean;
  /** Per layer: how far attention sees to each side (0: everywhere) and its RoPE base. */
  layers: { window: number; rope_theta: number }[];
  /** Names of the classes, by index; empty if config.json has none. */
  labels: string[];
  /** Whether config.json itself names the labels (id2label). */
  names_labels: boolean;
  multi_label: boolean;
  architectures: string[];
}

type Json = Record<string, unknown>;

/** Largest head_dim that the attention kernel's tiles are made for. */
const MAX_HEAD_DIM = 128;

/** Reads and checks config.json. Throws ModelFileError for values that make no sense, UnsupportedModelError for what can't be computed. */
export function parseConfig(json: unknown): ModelConfig {
  if (!isObject(json)) throw new ModelFileError('config.json does not hold a JSON object.');
  if (json.model_type !== 'modernbert') {
    throw unsupported('model_type', json.model_type, "only 'modernbert' checkpoints are supported");
  }
  const hidden_size = integer(json, 'hidden_size');
  const num_attention_heads = integer(json, 'num_attention_heads');
  const num_hidden_layers = integer(json, 'num_hidden_layers');
  const head_dim = hidden_size / num_attention_heads;
  if (!Number.isInteger(head_dim)) {
    throw new ModelFileError(
      `config.json: hidden_size ${hidden_size} is not a multiple of num_attention_heads ${num_attention_heads}.`,
    );
  }
  if (head_dim % 2 !== 0 || head_dim > MAX_HEAD_DIM) {
    throw unsupported(
      'hidden_size / num_attention_heads',
      head_dim,
      `RoPE needs an even head_dim, at most ${MAX_HEAD_DIM}`,
    );
  }
  if (json.head_dim !== undefined && json.head_dim !== null && json.head_dim !== head_dim) {
    throw unsupported('head_dim', json.head_dim, `only hidden_size / num_attention_heads = ${head_dim} is`);
  }
  const local_attention = number(json, 'local_attention', 128);
  if (!Number.isInteger(local_attention) || local_attention < 2) {
    throw unsupported('local_attention', local_attention, 'it must be an integer of 2 or more');
  }
  const norm_eps = number(json, 'norm_eps', 1e-5);
  return {
    vocab_size: integer(json, 'vocab_size'),
    hidden_size,
    intermediate_size: integer(json, 'intermediate_size'),
    num_hidden_layers,
    num_attention_heads,
    head_dim,
    hidden_activation: activation(json, 'hidden_activation'),
    max_position_embeddings: integer(json, 'max_position_embeddings', 8192),
    norm_eps,
    norm_bias: boolean(json, 'norm_bias', false),
    attention_bias: boolean(json, 'attention_bias', false),
    mlp_bias: boolean(json, 'mlp_bias', false),
    decoder_bias: boolean(json, 'decoder_bias', true),
    classifier_bias: boolean(json, 'classifier_bias', false),
    classifier_activation: activation(json, 'classifier_activation'),
    classifier_pooling: pooling(json),
    tie_word_embeddings: boolean(json, 'tie_word_embeddings', true),
    layers: layerKinds(json, num_hidden_layers).map((kind) => ({
      window: kind === 'full_attention' ? 0 : Math.floor(local_attention / 2),
      rope_theta: ropeTheta(json, kind),
    })),
    labels: labels(json),
    names_labels: isObject(json.id2label),
    multi_label: json.problem_type === 'multi_label_classification',
    architectures: Array.isArray(json.architectures) ? json.architectures.map(String) : [],
  };
}

type LayerKind = 'full_attention' | 'sliding_attention';

function layerKinds(json: Json, layers: number): LayerKind[] {
  const types = json.layer_types;
  if (types === undefined || types === null) {
    const every = integer(json, 'global_attn_every_n_layers', 3);
    return Array.from({ length: layers }, (_, i) => (i % every === 0 ? 'full_attention' : 'sliding_attention'));
  }
  if (!Array.isArray(types) || types.length !== layers) {
    throw new ModelFileError(`config.json: layer_types must list ${layers} layers, it is ${show(types)}.`);
  }
  return types.map((type, i) => {
    if (type === 'full_attention' || type === 'sliding_attention') return type;
    throw unsupported(`layer_types[${i}]`, type, "known are 'full_attention' and 'sliding_attention'");
  });
}

function ropeTheta(json: Json, kind: LayerKind): number {
  if (json.rope_scaling !== undefined && json.rope_scaling !== null) {
    throw unsupported('rope_scaling', json.rope_scaling, 'only unscaled RoPE is');
  }
  const parameters = json.rope_parameters;
  if (parameters === undefined || parameters === null) {
    const global = positive(number(json, 'global_rope_theta', 160_000), 'global_rope_theta');
    if (kind === 'full_attention' || json.local_rope_theta === null) return global;
    return positive(number(json, 'local_rope_theta', 10_000), 'local_rope_theta');
  }
  const own = isObject(parameters) ? parameters[kind] : undefined;
  if (!isObject(own)) {
    throw unsupported(`rope_parameters.${kind}`, own, 'an object with rope_type and rope_theta is needed');
  }
  if ((own.rope_type ?? 'default') !== 'default') {
    throw unsupported(`rope_parameters.${kind}.rope_type`, own.rope_type, "only 'default' is");
  }
  return positive(number(own, 'rope_theta'), `rope_parameters.${kind}.rope_theta`);
}

function labels(json: Json): string[] {
  if (isObject(json.id2label)) {
    const entries = Object.entries(json.id2label);
    return entries.map((_, i) => {
      const label = (json.id2label as Json)[String(i)];
      if (typeof label === 'string') return label;
      throw new ModelFileError(`config.json: id2label has ${entries.length} entries but no text for label ${i}.`);
    });
  }
  const count = json.num_labels === undefined ? 0 : integer(json, 'num_labels');
  return Array.from({ length: count }, (_, i) => `LABEL_${i}`);
}

/** What a checkpoint's head computes, from its class name, else from what tensors there are. */
export function taskOf(config: ModelConfig, tensors: { has(name: string): boolean }, asked?: Task): Task {
  if (asked) return asked;
  const hasHead = tensors.has('head.dense.weight');
  const hasClassifier = tensors.has('classifier.weight');
  for (const architecture of config.architectures) {
    if (architecture.endsWith('ForMaskedLM') && hasHead) return 'mlm';
    if (architecture.endsWith('ForSequenceClassification')) return 'seqcls';
    if (architecture.endsWith('ForTokenClassification')) return 'tokcls';
    if (/ModernBert(Model|ForMaskedLM)$/.test(architecture)) return 'encoder';
    throw unsupported(
      'architectures',
      architecture,
      'known are ModernBertModel and its MaskedLM, SequenceClassification and TokenClassification',
    );
  }
  // No class name, and both classifiers have the same tensors. A last resort, which the option `task` overrides: files that name
  // their labels (id2label) are taken for sequence classifiers.
  if (hasClassifier) return config.names_labels ? 'seqcls' : 'tokcls';
  return hasHead ? 'mlm' : 'encoder';
}

const isObject = (value: unknown): value is Json =>
  typeof value === 'object' && value !== null && !Array.isArray(value);
const show = (value: unknown): string => JSON.stringify(value) ?? 'missing';

const unsupported = (field: string, value: unknown, why: string): UnsupportedModelError =>
  new UnsupportedModelError(`config.json: ${field} = ${show(value)} is not supported; ${why}.`);

function number(json: Json, key: string, fallback?: number): number {
  const value = json[key] ?? fallback;
  if (typeof value === 'number' && Number.isFinite(value)) return value;
  throw new ModelFileError(`config.json: ${key} must be a number, it is ${show(json[key])}.`);
}

function integer(json: Json, key: string, fallback?: number): number {
  const value = number(json, key, fallback);
  if (Number.isInteger(value) && value > 0) return value;
  throw new ModelFileError(`config.json: ${key} must be a positive integer, it is ${value}.`);
}

function positive(value: number, key: string): number {
  if (value > 0) return value;
  throw new ModelFileError(`config.json: ${key} must be positive, it is ${value}.`);
}

function boolean(json: Json, key: string, fallback: boolean): boolean {
  const value = json[key] ?? fallback;
  if (typeof value === 'boolean') return value;
  throw new ModelFileError(`config.json: ${key} must be true or false, it is ${show(value)}.`);
}

function activation(json: Json, key: string): Activation {
  const value = json[key] ?? 'gelu';
  const known = ACTIVATIONS.find((name) => name === value);
  if (!known) throw unsupported(key, value, `known are ${ACTIVATIONS.join(', ')}`);
  return known;
}

function pooling(json: Json): 'cls' | 'mean' {
  const value = json.classifier_pooling ?? 'cls';
  if (value === 'cls' || value === 'mean') return value;
  throw unsupported('classifier_pooling', value, "known are 'cls' and 'mean'");
}
