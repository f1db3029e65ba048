/**
 * The sentence-transformers files of a checkpoint: modules.json and the modules' own config.json, config_sentence_transformers.json,
 * sentence_bert_config.json. PyLate's multi-vector (ColBERT) checkpoints have the same files, without a Pooling.
 */
import type { Metric, Pooling } from '../api/calls';
import { ModelFileError, UnsupportedModelError } from '../api/errors';
import type { ModelFiles } from '../formats/model-files';
import { type ReadOptions, readJson } from '../formats/read';
import type { Activation } from '../kernels/gemm';

export interface SentenceConfig {
  /** Undefined: every token keeps its embedding (multi-vector). */
  pooling: Pooling[] | undefined;
  /** Whether the tokens of a prompt count in the pooling. */
  include_prompt: boolean;
  /** What comes after the pooling, without a Normalize at the end: that one is the option `normalize`. */
  modules: ModuleSpec[];
  prompts: Record<string, string>;
  default_prompt_name: string | undefined;
  similarity: Metric | 'MaxSim';
  /** Matryoshka: how many numbers of an embedding are kept unless asked otherwise. */
  truncate_dim: number | undefined;
  max_seq_length: number | undefined;
  multiVector: MultiVectorConfig | undefined;
}

export type ModuleSpec = { kind: 'normalize' } | DenseSpec;

export interface DenseSpec {
  kind: 'dense';
  /** The module's folder. */
  path: string;
  in_features: number;
  out_features: number;
  bias: boolean;
  activation: Activation | undefined;
}

/** PyLate's fields of config_sentence_transformers.json; lengths count every token. */
export interface MultiVectorConfig {
  query_prefix: string;
  document_prefix: string;
  query_length: number;
  document_length: number;
  do_query_expansion: boolean;
  attend_to_expansion_tokens: boolean;
  skiplist_words: string[];
}

/** In the order that sentence-transformers puts them side by side. */
export const POOLINGS = [
  'cls',
  'max',
  'mean',
  'mean_sqrt_len_tokens',
  'weightedmean',
  'lasttoken',
] as const satisfies Pooling[];

const POOLING_FIELDS: Record<Pooling, string> = {
  cls: 'pooling_mode_cls_token',
  max: 'pooling_mode_max_tokens',
  mean: 'pooling_mode_mean_tokens',
  mean_sqrt_len_tokens: 'pooling_mode_mean_sqrt_len_tokens',
  weightedmean: 'pooling_mode_weightedmean_tokens',
  lasttoken: 'pooling_mode_lasttoken',
};

const METRICS = ['cosine', 'dot', 'euclidean', 'manhattan', 'MaxSim'] as const satisfies (Metric | 'MaxSim')[];

/** torch's activation modules by their class. */
const ACTIVATIONS = new Map<string, Activation | undefined>([
  ['Identity', undefined],
  ['Tanh', 'tanh'],
  ['GELU', 'gelu'],
  ['SiLU', 'silu'],
  ['ReLU', 'relu'],
]);

const PUNCTUATION = [...'!"#$%&\'()*+,-./:;<=>?@[\\]^_`{|}~'];

/** Reads what there is of the files. Throws ModelFileError for broken ones, UnsupportedModelError for what cannot be computed. */
export async function readSentenceConfig(
  files: ModelFiles,
  hidden_size: number,
  options: ReadOptions,
): Promise<SentenceConfig> {
  const read = async (name: string) => fieldsOf(name, await readJson(files, name, { ...options, required: false }));
  const [main, bert, list] = await Promise.all([
    read('config_sentence_transformers.json'),
    read('sentence_bert_config.json'),
    readModules(files, options),
  ]);
  if (bert.boolean('do_lower_case', false)) throw bert.unsupported('do_lower_case', 'texts are never lowercased');
  const configs = await Promise.all(list.map(({ path }) => read(`${path}/config.json`)));

  let pooling: Pooling[] | undefined;
  let include_prompt = true;
  let width = hidden_size;
  const modules: ModuleSpec[] = [];
  for (const [m, { kind, path }] of list.entries()) {
    const fields = configs[m];
    if (kind === 'Pooling') {
      pooling = poolingOf(fields);
      include_prompt = fields.boolean('include_prompt', true);
      width = hidden_size * pooling.length;
      if (pooling.length > 1 && hidden_size % 32 !== 0) {
        throw fields.unsupported(
          'pooling modes',
          `side by side they need a hidden_size that 32 divides, not ${hidden_size}`,
        );
      }
    } else if (kind === 'Dense') {
      const dense = denseOf(fields, path);
      if (dense.in_features !== width) {
        throw new ModelFileError(
          `${fields.file}: in_features is ${dense.in_features}, what comes before it gives ${width}.`,
        );
      }
      width = dense.out_features;
      modules.push(dense);
    } else {
      modules.push({ kind: 'normalize' });
    }
  }
  if (modules.at(-1)?.kind === 'normalize') modules.pop();
  const prompts = main.strings('prompts');
  const default_prompt_name = main.text('default_prompt_name');
  if (default_prompt_name !== undefined && prompts[default_prompt_name] === undefined) {
    throw new ModelFileError(`${main.file}: default_prompt_name '${default_prompt_name}' is none of prompts.`);
  }
  const isMultiVector = list.length > 0 && !pooling;
  return {
    pooling: isMultiVector ? undefined : (pooling ?? ['mean']),
    include_prompt,
    modules,
    prompts,
    default_prompt_name,
    similarity: main.oneOf('similarity_fn_name', METRICS, isMultiVector ? 'MaxSim' : 'cosine'),
    truncate_dim: main.integer('truncate_dim'),
    max_seq_length: isMultiVector ? undefined : bert.integer('max_seq_length'),
    multiVector: isMultiVector ? multiVectorOf(main) : undefined,
  };
}

interface Module {
  kind: 'Pooling' | 'Dense' | 'Normalize';
  path: string;
}

/** The modules after the Transformer. Without modules.json a 1_Pooling is the only one, if it is there. */
async function readModules(files: ModelFiles, options: ReadOptions): Promise<Module[]> {
  const name = 'modules.json';
  const json = await readJson(files, name, { ...options, required: false });
  if (json === undefined) {
    const path = '1_Pooling';
    const pooling = await readJson(files, `${path}/config.json`, { ...options, required: false });
    return pooling === undefined ? [] : [{ kind: 'Pooling', path }];
  }
  const entries: { type?: unknown; path?: unknown }[] | undefined = Array.isArray(json) ? json : undefined;
  if (!entries?.every((entry) => typeof entry?.type === 'string' && typeof entry.path === 'string')) {
    throw new ModelFileError(
      `${name} must be a list of modules with a type and a path, it is ${JSON.stringify(json)}.`,
    );
  }
  const types = entries.map(({ type }) => String(type));
  if (types.some((type) => type.includes('.cross_encoder.'))) return []; // its head is in config.json's own class
  const classOf = (type: string) => type.slice(type.lastIndexOf('.') + 1);
  if (classOf(types[0] ?? '') !== 'Transformer') {
    throw new UnsupportedModelError(
      `${name}: [0].type = ${types[0]} is not supported; the first module must be a Transformer.`,
    );
  }
  if (entries[0].path !== '') {
    throw new UnsupportedModelError(
      `${name}: [0].path = '${entries[0].path}' is not supported; the Transformer must lie at the top.`,
    );
  }
  const modules = entries.slice(1).flatMap(({ path }, i): Module[] => {
    const kind = classOf(types[i + 1]);
    if (kind === 'Dropout') return []; // for training only
    if ((kind === 'Pooling' && i === 0) || kind === 'Dense' || kind === 'Normalize')
      return [{ kind, path: String(path) }];
    const known = 'after the Transformer a Pooling, then Dense and Normalize are';
    throw new UnsupportedModelError(`${name}: [${i + 1}].type = ${types[i + 1]} is not supported there; ${known}.`);
  });
  if (!modules.some(({ kind }) => kind === 'Pooling' || kind === 'Dense')) {
    throw new UnsupportedModelError(
      `${name}: it has neither a Pooling nor a Dense module; one is needed for embeddings.`,
    );
  }
  return modules;
}

function poolingOf(fields: Fields): Pooling[] {
  const { json } = fields;
  const named = json.pooling_mode; // how later versions write it: one name or a list
  const unknown = Object.keys(json).find(
    (key) => key.startsWith('pooling_mode_') && json[key] === true && !Object.values(POOLING_FIELDS).includes(key),
  );
  if (unknown) throw fields.unsupported(unknown, `known are ${Object.values(POOLING_FIELDS).join(', ')}`);
  const names = named === undefined ? [] : Array.isArray(named) ? named : [named];
  if (!names.every((name) => POOLINGS.includes(name)))
    throw fields.unsupported('pooling_mode', `known are ${POOLINGS.join(', ')}`);
  const on = POOLINGS.filter((pooling) => names.includes(pooling) || json[POOLING_FIELDS[pooling]] === true);
  if (on.length === 0) throw new UnsupportedModelError(`${fields.file}: it turns no pooling mode on.`);
  return on;
}

function denseOf(fields: Fields, path: string): DenseSpec {
  const { json } = fields;
  if (fields.boolean('use_residual', false)) throw fields.unsupported('use_residual', 'no residual is added');
  for (const key of ['module_input_name', 'module_output_name']) {
    const known = [undefined, null, 'sentence_embedding', 'token_embeddings'];
    if (!known.includes(json[key] as string)) throw fields.unsupported(key, 'a Dense takes and gives the embedding');
  }
  // Without the field it is sentence-transformers' default.
  const name = String(json.activation_function ?? 'torch.nn.modules.activation.Tanh');
  const torchClass = /^torch\.nn\.(?:.*\.)?(\w+)$/.exec(name)?.[1] ?? '';
  if (!ACTIVATIONS.has(torchClass)) {
    throw fields.unsupported('activation_function', `known are torch's ${[...ACTIVATIONS.keys()].join(', ')}`);
  }
  const sizeOf = (key: string) => {
    const size = fields.integer(key);
    if (size === undefined) throw new ModelFileError(`${fields.file}: ${key} is missing.`);
    return size;
  };
  return {
    kind: 'dense',
    path,
    in_features: sizeOf('in_features'),
    out_features: sizeOf('out_features'),
    bias: fields.boolean('bias', true),
    activation: ACTIVATIONS.get(torchClass),
  };
}

/** The defaults are PyLate's. */
function multiVectorOf(fields: Fields): MultiVectorConfig {
  const do_query_expansion = fields.boolean('do_query_expansion', true);
  const words = fields.json.skiplist_words ?? PUNCTUATION;
  if (!Array.isArray(words) || !words.every((word) => typeof word === 'string')) {
    throw new ModelFileError(`${fields.file}: skiplist_words must be a list of words.`);
  }
  return {
    query_prefix: fields.text('query_prefix') ?? '[Q] ',
    document_prefix: fields.text('document_prefix') ?? '[D] ',
    query_length: fields.integer('query_length') ?? 32,
    document_length: fields.integer('document_length') ?? 180,
    do_query_expansion,
    attend_to_expansion_tokens: fields.boolean('attend_to_expansion_tokens', false),
    skiplist_words: words,
  };
}

type Fields = ReturnType<typeof fieldsOf>;

/** The fields of a JSON file by their type; a file that is not there has none, and null is none. */
function fieldsOf(file: string, value: unknown) {
  const json = (value ?? {}) as Record<string, unknown>;
  if (typeof json !== 'object' || Array.isArray(json)) throw new ModelFileError(`${file} does not hold a JSON object.`);
  const show = (key: string) => JSON.stringify(json[key]) ?? 'missing';
  const wrong = (key: string, what: string) =>
    new ModelFileError(`${file}: ${key} must be ${what}, it is ${show(key)}.`);
  const unsupported = (key: string, why: string) =>
    new UnsupportedModelError(`${file}: ${key} = ${show(key)} is not supported; ${why}.`);
  return {
    file,
    json,
    unsupported,
    boolean(key: string, fallback: boolean): boolean {
      const field = json[key] ?? fallback;
      if (typeof field === 'boolean') return field;
      throw wrong(key, 'true or false');
    },
    integer(key: string): number | undefined {
      const field = json[key] ?? undefined;
      if (field === undefined || (Number.isInteger(field) && Number(field) > 0)) return field as number | undefined;
      throw wrong(key, 'a positive integer');
    },
    text(key: string): string | undefined {
      const field = json[key] ?? undefined;
      if (field === undefined || typeof field === 'string') return field;
      throw wrong(key, 'a text');
    },
    strings(key: string): Record<string, string> {
      const field = json[key] ?? {};
      if (typeof field === 'object' && Object.values(field).every((text) => typeof text === 'string'))
        return { ...field };
      throw wrong(key, 'an object of texts');
    },
    oneOf<T extends string>(key: string, known: readonly T[], fallback: T): T {
      const found = known.find((name) => name === (json[key] ?? fallback));
      if (found !== undefined) return found;
      throw unsupported(key, `known are ${known.join(', ')}`);
    },
  };
}
