/** adapter_config.json of peft's LoRA. What decides which matrices are changed is the adapter's own tensors; this says by how much. */
import { ModelFileError } from '../../api/errors';
import { fieldsOf, isObject, type JsonFields } from '../../formats/json-fields';

export interface LoraConfig {
  /** What the adapter was trained on: a model on the Hub, or a path on the machine of its training. */
  base: string | undefined;
  /** The base's revision on the Hub. */
  revision: string | undefined;
  /** How transformers' name of the class ends that the adapter makes of the base; undefined for the base's own class. */
  classSuffix: string | undefined;
  /** Whether it was trained for hidden states, whatever the class. */
  isForFeatures: boolean;
  /** Rows are scaled to trained lengths. */
  use_dora: boolean;
  /** Whether the head of a masked language model that shares the embedding table follows an adapter of the table. */
  ensure_weight_tying: boolean;
  /** Rank and factor of a module's adapter. */
  rankOf(module: string): number;
  scaleOf(module: string): number;
  /** Whether the adapter may bring this tensor whole. */
  saves(tensor: string): boolean;
}

/** peft's task types, by the classes of transformers that they stand for. */
const CLASS_SUFFIXES: Record<string, string> = {
  SEQ_CLS: 'ForSequenceClassification',
  TOKEN_CLS: 'ForTokenClassification',
  QUESTION_ANS: 'ForQuestionAnswering',
  FEATURE_EXTRACTION: '', // of any class: sentence-transformers' sparse encoders keep the head
};

/** Each changes what is computed, and none is used for encoders. */
const UNSUPPORTED = [
  'alora_invocation_tokens',
  'arrow_config',
  'kasa_config',
  'layer_replication',
  'monteclora_config',
  'target_parameters',
  'trainable_token_indices',
  'use_bdlora',
  'use_qalora',
  'velora_config',
];

/** These have changed the base's own weights before the training; peft does it again whenever it loads such an adapter. */
const CHANGES_BASE = /^(pissa|olora|corda|loftq|lora_ga)/;

const isSet = (value: unknown): boolean =>
  Array.isArray(value) ? value.length > 0 : isObject(value) ? Object.keys(value).length > 0 : Boolean(value);

/** `file`: how messages call it. Throws a ModelFileError for wrong fields, an UnsupportedModelError that names the field for another kind of adapter. */
export function readLoraConfig(json: unknown, file: string): LoraConfig {
  const fields = fieldsOf(file, json);
  fields.oneOf('peft_type', ['LORA'], 'LORA');
  for (const field of UNSUPPORTED) {
    if (isSet(fields.json[field])) throw fields.unsupported(field, 'plain LoRA, rsLoRA and DoRA are');
  }
  const init = fields.json.init_lora_weights;
  if (typeof init === 'string' && CHANGES_BASE.test(init)) {
    throw fields.unsupported(
      'init_lora_weights',
      "it changes the base; save the adapter as plain LoRA with peft's path_initial_model_for_weight_conversion",
    );
  }
  const task = fields.text('task_type');
  if (task !== undefined && !Object.hasOwn(CLASS_SUFFIXES, task)) {
    throw fields.unsupported('task_type', `known are ${Object.keys(CLASS_SUFFIXES).join(', ')}`);
  }
  const r = fields.integer('r', 8);
  const alpha = fields.number('lora_alpha', 8);
  const isRoot = fields.boolean('use_rslora', false);
  const ranks = patternsOf(fields, 'rank_pattern');
  const alphas = patternsOf(fields, 'alpha_pattern');
  const rankOf = (module: string) => valueFor(module, ranks) ?? r;
  const bias = fields.oneOf('bias', ['none', 'all', 'lora_only'], 'none');
  const saved = fields.json.modules_to_save ?? [];
  if (!Array.isArray(saved) || !saved.every((name) => typeof name === 'string')) {
    throw fields.wrong('modules_to_save', 'a list of modules');
  }
  return {
    base: fields.text('base_model_name_or_path') || undefined,
    revision: fields.text('revision'),
    classSuffix: (task && CLASS_SUFFIXES[task]) || undefined,
    isForFeatures: task === 'FEATURE_EXTRACTION',
    use_dora: fields.boolean('use_dora', false),
    ensure_weight_tying: fields.boolean('ensure_weight_tying', false),
    rankOf,
    scaleOf(module) {
      const rank = rankOf(module);
      return (valueFor(module, alphas) ?? alpha) / (isRoot ? Math.sqrt(rank) : rank);
    },
    saves: (tensor) =>
      saved.some((module) => tensor.includes(`${module}.`)) || (bias !== 'none' && tensor.endsWith('.bias')),
  };
}

type Patterns = [RegExp, number][];

/** The first that matches, as peft matches them: the end of a module's name, from a dot on. */
const valueFor = (module: string, patterns: Patterns): number | undefined =>
  patterns.find(([pattern]) => {
    for (let start = 0; start >= 0; start = module.indexOf('.', start) + 1 || -1) {
      pattern.lastIndex = start;
      if (pattern.test(module)) return true;
    }
    return false;
  })?.[1];

const MOST_PATTERN = 500;
/** Each loop multiplies the time that a name of many letters may take. */
const MOST_LOOPS = 2;
/** A loop of a group can take for ever. */
const SLOW = /\)[*+{]|\\[1-9k]/;

function patternsOf(fields: JsonFields, field: 'rank_pattern' | 'alpha_pattern'): Patterns {
  const patterns = fields.json[field] ?? {};
  if (!isObject(patterns)) throw fields.wrong(field, 'an object of numbers');
  return Object.entries(patterns).map(([pattern, value]) => {
    if (typeof value !== 'number' || !(value > 0)) throw fields.wrong(field, 'an object of numbers above 0');
    const loops = pattern.replaceAll('(?', '(').match(/[*+?{]/g)?.length ?? 0;
    if (pattern.length > MOST_PATTERN || loops > MOST_LOOPS || SLOW.test(pattern)) {
      const why = `patterns may have ${MOST_PATTERN} characters and ${MOST_LOOPS} of * + ? {, none of them for a group`;
      throw fields.unsupported(`${field}[…]`, why, pattern);
    }
    try {
      return [new RegExp(`(${pattern})$`, 'y'), value];
    } catch (cause) {
      throw new ModelFileError(`${fields.file}: '${pattern.slice(0, 100)}' in ${field} is not a regular expression.`, {
        cause,
      });
    }
  });
}
