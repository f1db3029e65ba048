/**
 * What sentence-transformers' files say of a Transformer: the modules after it and their config.json, config_sentence_transformers.json,
 * sentence_bert_config.json. PyLate's multi-vector (ColBERT) checkpoints have the same files.
 */
import type { Kind, Metric } from '../api/embeddings';
import { ModelFileError, UnsupportedModelError } from '../api/errors';
import type { LoadOptions } from '../api/types';
import { fieldsOf, isObject, type JsonFields, wrongField } from '../formats/json-fields';
import type { ModelFiles } from '../formats/model-files';
import { type ReadOptions, readJson } from '../formats/read';
import type { Before, Feature, Module } from './modules/module';
import { isPooling, type PoolingModule, poolingModule } from './modules/pooling';
import { fetchModules, MODULES } from './modules/registry';
import type { MultiVectorConfig } from './multi-vector';
import { type ModuleEntry, type Pipeline, unsupported } from './pipeline';

/** The modules that one kind of text goes through after the Transformer. */
export interface Chain {
  /** Names it: equal chains have equal names. */
  name: string;
  modules: Module[];
  pooling: PoolingModule | undefined;
  /** Numbers per row at the end. */
  columns: number;
}

export interface SentenceConfig {
  /** By the kind of text; a kind that no route exists for is missing. */
  chains: Partial<Record<Kind | 'any', Chain>>;
  /** Why it is missing. */
  refused: Pipeline['refused'];
  /** Those of all chains, each once. */
  modules: Module[];
  /** What the modules make of a text. */
  output: Feature;
  /** Whether texts lose the whitespace at their ends, as in sentence-transformers before 5.4. */
  strips: boolean;
  do_lower_case: boolean;
  prompts: Record<string, string>;
  default_prompt_name: string | undefined;
  similarity: Metric | 'MaxSim';
  /** Matryoshka: how many numbers of an embedding are kept by default. */
  truncate_dim: number | undefined;
  /** Of sparse embeddings: how many weights are kept by default. */
  max_active_dims: number | undefined;
  max_seq_length: number | undefined;
  /** What a cross-encoder makes of its logits: the class of torch's module; undefined if the files do not say. */
  activation: string | undefined;
  multiVector: MultiVectorConfig | undefined;
}

const METRICS = ['cosine', 'dot', 'euclidean', 'manhattan', 'MaxSim', 'maxsim', 'meanmaxsim'] as const;
/** Before it, texts lose the whitespace at their ends: sentence-transformers 5.4 rewrote the Transformer module. */
const KEEPS_WHITESPACE = [5, 4];

/** `files`: the Transformer's (or the table's), of which `root` may be the folder above. */
export interface SentenceFiles {
  root: ModelFiles;
  files: ModelFiles;
  pipeline: Pipeline;
  /** The chains of this Transformer. */
  entries: Partial<Record<Kind | 'any', ModuleEntry[]>>;
  hidden_size: number;
  /** config.json. */
  config: Record<string, unknown>;
  /** What a table of tokens does itself, as a module: its texts keep their whitespace. */
  own?: Module;
}

/** Reads the files that exist. Throws ModelFileError for broken ones, UnsupportedModelError for what cannot be computed. */
export async function readSentenceConfig(
  { root, files, pipeline, entries, hidden_size, config, own }: SentenceFiles,
  options: ReadOptions & Pick<LoadOptions, 'stripTexts'>,
): Promise<SentenceConfig> {
  const { main, isListed } = pipeline;
  const read = async (from: ModelFiles, name: string) =>
    fieldsOf(name, await readJson(from, name, { ...options, required: false }));
  const bert = files === root ? pipeline.bert : await read(files, 'sentence_bert_config.json');
  const known = new Map<string, Module>();
  const chains: SentenceConfig['chains'] = {};
  for (const [kind, list] of Object.entries(entries) as [Kind | 'any', ModuleEntry[]][]) {
    chains[kind] = await readChain(list);
  }
  const [first, ...others] = Object.values(chains);
  const output = outputOf(first);
  const other = others.map(outputOf).find((feature) => feature !== output);
  if (other)
    throw new UnsupportedModelError(`modules.json: routes that end in ${output} and in ${other} are not supported.`);
  const logits = [...known.values()].find(({ task }) => task === 'mlm');
  if (logits && (bert.text('transformer_task') ?? 'fill-mask') !== 'fill-mask') {
    throw bert.unsupported('transformer_task', `the ${logits.kind} after it needs the logits of fill-mask`);
  }
  const isMultiVector = output === 'token_embeddings';
  const prompts = main.strings('prompts');
  const default_prompt_name = main.text('default_prompt_name');
  const promptNames = ['query', 'document', ...Object.keys(prompts)]; // see promptOf
  if (default_prompt_name !== undefined && !promptNames.includes(default_prompt_name)) {
    throw new ModelFileError(`${main.file}: default_prompt_name '${default_prompt_name}' is not one of prompts.`);
  }
  const optional = (fields: JsonFields, key: string, most?: number) =>
    fields.has(key) ? fields.integer(key, undefined, most) : undefined;
  const truncate_dim = optional(main, 'truncate_dim');
  if (truncate_dim !== undefined && truncate_dim > first.columns) {
    throw main.wrong('truncate_dim', `at most the ${first.columns} numbers of an embedding`);
  }
  const usual = isMultiVector ? 'MaxSim' : output === 'sparse' ? 'dot' : 'cosine';
  const metric = main.oneOf('similarity_fn_name', METRICS, usual);
  return {
    chains,
    refused: pipeline.refused,
    modules: [...known.values()],
    output,
    strips: stripsOf(options.stripTexts),
    do_lower_case: bert.boolean('do_lower_case', false),
    prompts,
    default_prompt_name,
    similarity: metric === 'maxsim' || metric === 'meanmaxsim' ? 'MaxSim' : metric,
    truncate_dim,
    max_active_dims: optional(main, 'max_active_dims'),
    max_seq_length: optional(bert, 'max_seq_length', Infinity), // tokenizers without a limit write 1e30
    activation: activationOf(main, config),
    multiVector: isMultiVector ? (await fetchModules()).multiVectorOf(main, bert, first.modules) : undefined,
  };

  function stripsOf(asked: unknown): boolean {
    if (asked !== undefined && typeof asked !== 'boolean') {
      throw new TypeError(`stripTexts must be true or false, it is ${String(asked)}.`);
    }
    return asked ?? (!own && isListed && !isCrossEncoder(main) && isBefore(versionOf(main), KEEPS_WHITESPACE));
  }

  async function readChain(list: ModuleEntry[]): Promise<Chain> {
    const modules: Module[] = own ? [own] : [];
    let before: Before = {
      feature: own?.gives ?? 'token_embeddings',
      columns: hidden_size,
      hasLayers: config.output_hidden_states === true,
    };
    for (const { kind, path, listed } of list) {
      const { file, field, type } = listed;
      const reader = await MODULES.get(kind)?.();
      if (!reader) {
        throw unsupported(main, file, field, type, `known are ${[...MODULES.keys()].join(', ')}`);
      }
      if (path === '') throw wrongField(file, field.replace('type', 'path'), path, 'a folder of this checkpoint');
      if (
        before.feature === 'scores' ||
        before.feature === 'sparse' ||
        modules.at(-1)?.kind === 'HierarchicalTokenPooling'
      ) {
        throw unsupported(main, file, field, type, `nothing can follow the ${modules.at(-1)!.kind} before it`);
      }
      const module = known.get(path) ?? reader(await read(root, `${path}/config.json`), path, before);
      known.set(path, module);
      modules.push(module);
      before = { feature: module.gives, columns: module.columns(before.columns), hasLayers: false };
    }
    if (modules.length === 0) {
      const isOwn = !isListed || isCrossEncoder(main); // its head is the checkpoint's own
      if (!isOwn) throw new UnsupportedModelError('modules.json lists only a Transformer; embeddings need a Pooling.');
      modules.push(known.get('') ?? poolingModule(['mean']));
      known.set('', modules[0]);
    }
    return chainOf(modules, hidden_size);
  }
}

/** A chain of modules after a Transformer of this width. */
export const chainOf = (modules: Module[], hidden_size: number): Chain => ({
  name: modules.map(({ path }) => path).join(' '),
  modules,
  pooling: modules.find(isPooling),
  columns: modules.reduce((columns, module) => module.columns(columns), hidden_size),
});

const outputOf = ({ modules }: Chain): Feature => modules[modules.length - 1].gives;

const isCrossEncoder = ({ json }: JsonFields): boolean => json.model_type === 'CrossEncoder';

/** The version of sentence-transformers that wrote the file; none before 2.1. */
function versionOf({ json }: JsonFields): number[] {
  const { sentence_transformers: version } = isObject(json.__version__) ? json.__version__ : {};
  return typeof version === 'string' ? version.split('.').map((part) => Number.parseInt(part, 10) || 0) : [];
}

/** Whether the first version comes before the second. */
function isBefore(version: number[], other: number[]): boolean {
  const at = other.findIndex((part, i) => (version[i] ?? 0) !== part);
  return at >= 0 && (version[at] ?? 0) < other[at];
}

/** A cross-encoder's activation: since 5.4 in its own file, before that in config.json, under another name up to 3. */
function activationOf(main: JsonFields, config: Record<string, unknown>): string | undefined {
  const own = isObject(config.sentence_transformers) ? config.sentence_transformers : {};
  const name = main.json.activation_fn ?? own.activation_fn ?? config.sbert_ce_default_activation_function;
  return typeof name === 'string' ? name.slice(name.lastIndexOf('.') + 1) : undefined;
}
