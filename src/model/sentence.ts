/**
 * The sentence-transformers files of a checkpoint: modules.json and the modules' own config.json, config_sentence_transformers.json,
 * sentence_bert_config.json. PyLate's multi-vector (ColBERT) checkpoints have the same files, without a Pooling.
 */
import type { Metric, Pooling } from '../api/calls';
import { ModelFileError, UnsupportedModelError } from '../api/errors';
import { fieldsOf, isObject, type JsonFields, unsupportedField, wrongField } from '../formats/json-fields';
import { isFileName, type ModelFiles } from '../formats/model-files';
import { type ReadOptions, readJson } from '../formats/read';
import type { Module } from './modules/module';
import { type PoolingModule, poolingModule } from './modules/pooling';
import { embeddingColumns, MODULES } from './modules/registry';

export interface SentenceConfig {
  /** What the checkpoint's Pooling puts side by side; undefined if every token keeps its embedding (multi-vector). */
  pooling: Pooling[] | undefined;
  /** Whether the tokens of a prompt count in the pooling. */
  include_prompt: boolean;
  /** After the Transformer, in the file's order, without a Normalize at the end: that one is the option `normalize`. */
  modules: Module[];
  prompts: Record<string, string>;
  default_prompt_name: string | undefined;
  similarity: Metric | 'MaxSim';
  /** Matryoshka: how many numbers of an embedding are kept by default. */
  truncate_dim: number | undefined;
  max_seq_length: number | undefined;
  multiVector: MultiVectorConfig | undefined;
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

const METRICS = ['cosine', 'dot', 'euclidean', 'manhattan', 'MaxSim'] as const satisfies (Metric | 'MaxSim')[];

/** Files name three or four; each is at least one request. */
const MOST_MODULES = 16;

const PUNCTUATION = [...'!"#$%&\'()*+,-./:;<=>?@[\\]^_`{|}~'];

/** Reads the files that exist. Throws ModelFileError for broken ones, UnsupportedModelError for what cannot be computed. */
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

  let columns = hidden_size;
  const listed = list.map(({ kind, path }, m) => {
    const module = MODULES.get(kind)!(configs[m], path, columns);
    columns = module.columns(columns);
    return module;
  });
  if (listed.at(-1)?.kind === 'Normalize') listed.pop();
  const isMultiVector = listed.length > 0 && !listed.some(isPooling);
  const modules = isMultiVector || listed.some(isPooling) ? listed : [poolingModule(['mean'])];
  const pooling = modules.find(isPooling);
  const prompts = main.strings('prompts');
  const default_prompt_name = main.text('default_prompt_name');
  if (default_prompt_name !== undefined && !Object.hasOwn(prompts, default_prompt_name)) {
    throw new ModelFileError(`${main.file}: default_prompt_name '${default_prompt_name}' is not one of prompts.`);
  }
  const optional = (fields: JsonFields, key: string, most?: number) =>
    fields.has(key) ? fields.integer(key, undefined, most) : undefined;
  const truncate_dim = optional(main, 'truncate_dim');
  const all = embeddingColumns(modules, hidden_size, pooling?.poolings);
  if (truncate_dim !== undefined && truncate_dim > all) {
    throw main.wrong('truncate_dim', `at most the ${all} numbers of an embedding`);
  }
  return {
    pooling: pooling?.poolings,
    include_prompt: pooling?.include_prompt ?? true,
    modules,
    prompts,
    default_prompt_name,
    similarity: main.oneOf('similarity_fn_name', METRICS, isMultiVector ? 'MaxSim' : 'cosine'),
    truncate_dim,
    max_seq_length: isMultiVector ? undefined : optional(bert, 'max_seq_length', Infinity), // tokenizers without a limit write 1e30
    multiVector: isMultiVector ? multiVectorOf(main) : undefined,
  };
}

const isPooling = (module: Module): module is PoolingModule => module.kind === 'Pooling';

/** A line of modules.json. */
interface ModuleEntry {
  kind: string;
  path: string;
}

/** The modules after the Transformer. Without modules.json a 1_Pooling is the only one, if it is there. */
async function readModules(files: ModelFiles, options: ReadOptions): Promise<ModuleEntry[]> {
  const name = 'modules.json';
  const json = await readJson(files, name, { ...options, required: false });
  if (json === undefined) {
    const path = '1_Pooling';
    const pooling = await readJson(files, `${path}/config.json`, { ...options, required: false });
    return pooling === undefined ? [] : [{ kind: 'Pooling', path }];
  }
  if (!Array.isArray(json)) throw wrongField(name, 'the file', json, 'a list of modules');
  if (json.length > MOST_MODULES) {
    throw new UnsupportedModelError(`${name} lists ${json.length} modules, at most ${MOST_MODULES} are supported.`);
  }
  const entries = json.map((entry: unknown, i) => {
    const { type, path } = isObject(entry) ? entry : {};
    if (typeof type !== 'string') throw wrongField(name, `[${i}].type`, type, 'a string');
    if (typeof path === 'string' && (path === '' || isFileName(path))) return { type, path };
    throw wrongField(name, `[${i}].path`, path, 'a folder of this checkpoint');
  });
  const types = entries.map(({ type }) => type);
  if (types.some((type) => type.includes('.cross_encoder.'))) return []; // its head is the checkpoint's own
  const classOf = (type: string) => type.slice(type.lastIndexOf('.') + 1);
  if (classOf(types[0] ?? '') !== 'Transformer') {
    throw unsupportedField(name, '[0].type', types[0], 'the first module must be a Transformer');
  }
  if (entries[0].path !== '') {
    throw unsupportedField(name, '[0].path', entries[0].path, 'the Transformer must be at the top level');
  }
  const modules = entries.slice(1).flatMap(({ path }, i): ModuleEntry[] => {
    const kind = classOf(types[i + 1]);
    if (kind === 'Dropout') return []; // for training only
    if (!MODULES.has(kind) || (kind === 'Pooling' && i > 0)) {
      const known = 'after the Transformer a Pooling, then Dense and Normalize are';
      throw unsupportedField(name, `[${i + 1}].type`, types[i + 1], known);
    }
    if (path === '') throw wrongField(name, `[${i + 1}].path`, path, 'a folder of this checkpoint');
    return [{ kind, path }];
  });
  if (!modules.some(({ kind }) => kind === 'Pooling' || kind === 'Dense')) {
    throw new UnsupportedModelError(`${name} has neither a Pooling nor a Dense module; embeddings need one.`);
  }
  return modules;
}

/** The defaults are PyLate's. */
function multiVectorOf(fields: JsonFields): MultiVectorConfig {
  const do_query_expansion = fields.boolean('do_query_expansion', true);
  const words = fields.json.skiplist_words ?? PUNCTUATION;
  if (!Array.isArray(words) || !words.every((word) => typeof word === 'string')) {
    throw new ModelFileError(`${fields.file}: skiplist_words must be a list of words.`);
  }
  return {
    query_prefix: fields.text('query_prefix') ?? '[Q] ',
    document_prefix: fields.text('document_prefix') ?? '[D] ',
    query_length: fields.integer('query_length', 32),
    document_length: fields.integer('document_length', 180),
    do_query_expansion,
    attend_to_expansion_tokens: fields.boolean('attend_to_expansion_tokens', false),
    skiplist_words: words,
  };
}
