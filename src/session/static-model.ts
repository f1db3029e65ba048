/** A model that is a table of tokens (StaticEmbedding, SparseStaticEmbedding): it computes in this thread, without a GPU. */
import type { CallProgress } from '../api/calls';
import { disposedError, NumericError, UnsupportedModelError } from '../api/errors';
import type { Dtype, ModelInfo } from '../api/types';
import { fieldsOf, type Json } from '../formats/json-fields';
import { inFolder, type ModelFiles } from '../formats/model-files';
import { missingFile, readJson } from '../formats/read';
import { readTensors } from '../formats/safetensors';
import { chooseDtype, type DtypeFacts } from '../model/choose-dtype';
import type { ModelConfig } from '../model/config';
import { type Applies, type CpuSequence, throughModules } from '../model/cpu-sequence';
import { notFinite } from '../model/heads/head';
import { type Module, unchanged } from '../model/modules/module';
import { poolingModule } from '../model/modules/pooling';
import { type InputModule, type Pipeline, unsupported } from '../model/pipeline';
import { readEmbeddings, readTokenWeights, tableAmong } from '../model/read-token-table';
import { readSentenceConfig, type SentenceConfig } from '../model/sentence';
import { tableModules } from '../model/table-modules';
import { meanOf, presentOf, type TokenTable } from '../model/token-table';
import type { Item } from '../runtime/pass-items';
import type { SubmitOptions } from '../runtime/scheduler';
import { modelCalls } from '../tasks/calls';
import type { Parts, Spaces } from '../tasks/common';
import { turns } from '../turns';
import type { OpenOptions } from './load-runtime';
import type { BaseModel } from './opener';

/** What every text fits: these models have no positions. */
const NO_LIMIT = 2 ** 31 - 1;

const SPARSE = 'SparseStaticEmbedding';

/** Numbers stay as they are, f32; the store goes by what was asked for. */
const WHOLE: DtypeFacts = { isF32: true, parameters: 0, maxBufferSize: Infinity, deviceMemory: undefined };

/** Throws ModelFileError and UnsupportedModelError. */
export async function staticModel(
  root: ModelFiles,
  pipeline: Pipeline,
  input: InputModule,
  options: OpenOptions,
  spaces: Spaces,
): Promise<BaseModel> {
  const files = inFolder(root, input.path);
  const [configJson, tokenizerJson, tokenizerConfig] = await Promise.all([
    files === root ? pipeline.config : readJson(files, 'config.json', options),
    readJson(files, 'tokenizer.json', { ...options, required: true }),
    readJson(files, 'tokenizer_config.json', options),
  ]);
  const { json: config } = fieldsOf('config.json', configJson);
  const { checkTokenIds, createTokenizer, promptNamesOf, warmUp } = (await import('./every-load')).everyLoad;
  // Texts have no special tokens here.
  const tokenizer = createTokenizer({ ...(tokenizerJson as object), post_processor: null }, tokenizerConfig);
  const idOf = tokenizer.tokenId;
  const table =
    input.kind === SPARSE
      ? await readTokenWeights(files, config, { size: (tokenizer.last?.id ?? -1) + 1, idOf }, options)
      : await readEmbeddings(files, options);
  checkTokenIds(tokenizer, table.size);
  const sentence = await sentenceOf(root, files, pipeline, input, table.columns, options);
  const applies: Applies = new Map();
  for (const { modules } of Object.values(sentence.chains)) {
    const own = await tableModules(root, { modules, before: table.columns }, twins, options);
    for (const [path, apply] of own) applies.set(path, apply);
  }
  const sequenceOf = (ids: Uint32Array) => tableSequence(table, input.kind, applies, ids);
  const maxTokens = options.maxLength ?? maxTokensOf(input, tokenizerJson, tokenizerConfig);
  if (!Number.isInteger(maxTokens) || maxTokens < 1) {
    throw new RangeError(`maxLength must be a positive integer, it is ${maxTokens}.`);
  }
  const info = infoOf(config, sentence, table, maxTokens, chooseDtype(options.dtype ?? 'auto', WHOLE));
  info.promptNames = promptNamesOf(info.prompts);
  let disposed = false;
  const parts: Parts = {
    config: modelConfig(table, maxTokens),
    logits: 0,
    hasPooler: false,
    sentence,
    info,
    tokenizer,
    where: files.where,
    spaces,
    async submit(items, control) {
      if (disposed) throw disposedError();
      await compute(sequenceOf, input.kind, items, control);
    },
  };
  const calls = modelCalls(parts);
  return {
    info,
    ...calls,
    release: async () => {}, // there is nothing on the GPU
    warm: () => warmUp(calls, parts),
    memory: () => ({ weights: 0, activations: 0, peak: 0 }),
    async dispose() {
      disposed = true;
    },
  };
}

/** What a table's config files and the header of its weights say, for isSupported. Throws what staticModel throws, as far as these tell. */
export async function describeTable(root: ModelFiles, pipeline: Pipeline, input: InputModule, options: OpenOptions) {
  const files = inFolder(root, input.path);
  const isSparse = input.kind === SPARSE;
  const tokenizerConfig = isSparse ? await readJson(files, 'tokenizer_config.json', options) : undefined;
  await sentenceOf(root, files, pipeline, input, isSparse ? 1 : await columnsOf(files, options), options);
  return {
    task: 'encoder' as const,
    architecture: input.kind,
    weightBytes: 0,
    gpuBytes: 0,
    moduleFolders: Object.values(input.chains)
      .flat()
      .map(({ path }) => path),
    dtype: chooseDtype(options.dtype ?? 'auto', WHOLE),
    maxTokens: options.maxLength ?? (isSparse ? maxTokensOf(input, {}, tokenizerConfig) : undefined),
  };
}

async function columnsOf(files: ModelFiles, options: OpenOptions): Promise<number> {
  const file = await files.open('model.safetensors', options.signal);
  if (!file) throw missingFile(files, 'model.safetensors');
  const tensors = await readTensors(file, options);
  const { shape } = tableAmong(
    new Map(tensors.map((tensor) => [tensor.name, tensor])),
    `${file.name} in ${files.where}`,
  );
  return shape[1];
}

const twins = async () => (await import('../runtime/first-load')).firstLoad.twins;

async function compute(
  sequenceOf: (ids: Uint32Array) => CpuSequence,
  kind: string,
  items: Item[],
  { signal, onProgress }: SubmitOptions = {},
): Promise<void> {
  const totalTokens = items.reduce((sum, { ids }) => sum + ids.length, 0);
  const progress: CallProgress = { done: 0, total: items.length, tokens: 0, totalTokens };
  const pause = turns(signal);
  for (const item of items) {
    const { ids, name = 'A sequence', wanted, hidden } = item;
    for (const { head, spans = [[0, 0, ids.length]], deliver } of wanted) {
      const rows = spans.map(([, first, end]) => head.onCpu?.(sequenceOf(ids.subarray(first, end))));
      const width = rows[0]?.length;
      if (width === undefined || hidden) throw needsTransformer(kind);
      const answer = new Float32Array(rows.length * width);
      for (const [r, row] of rows.entries()) answer.set(row!, r * width);
      const problem = notFinite(answer); // a text without tokens may have a row of zeros
      if (problem) throw new NumericError(`${name} has no answer: ${problem}.`);
      deliver(answer, width);
    }
    progress.done++;
    progress.tokens += ids.length;
    const turn = pause();
    if (turn) onProgress?.({ ...progress });
    await turn;
  }
  if (items.length > 0) onProgress?.(progress);
}

const needsTransformer = (kind: string): UnsupportedModelError =>
  new UnsupportedModelError(`This call needs a Transformer, and this checkpoint has only a ${kind}.`);

/** A text's tokens, by their ids. */
function tableSequence(table: TokenTable, kind: string, applies: Applies, ids: Uint32Array): CpuSequence {
  const refused = () => {
    throw needsTransformer(kind);
  };
  return {
    through(modules, poolings = ['mean']) {
      if (poolings.length === 1 && poolings[0] === 'mean') return throughModules(meanOf(table, ids), modules, applies);
      throw new RangeError(`This checkpoint is a table of tokens, whose pooling is mean, not ${poolings}.`);
    },
    weights: () => presentOf(table, ids),
    logits: refused,
    best: refused,
  };
}

/** Throws an UnsupportedModelError for modules that do not run on a table's rows. */
async function sentenceOf(
  root: ModelFiles,
  files: ModelFiles,
  pipeline: Pipeline,
  { kind, path, chains }: InputModule,
  columns: number,
  options: OpenOptions,
): Promise<SentenceConfig> {
  const known = kind === SPARSE ? [] : ['Normalize', 'Dense', 'LayerNorm'];
  for (const { kind: next, listed } of Object.values(chains).flat()) {
    if (known.includes(next)) continue;
    const { file, field, type } = listed;
    throw unsupported(
      pipeline.main,
      file,
      field,
      type,
      `after a ${kind} there can be ${known.join(', ') || 'no module'}`,
    );
  }
  const own: Module = kind === SPARSE ? { kind, path, gives: 'sparse', ...unchanged } : poolingModule(['mean']);
  const from = { root, files, pipeline, entries: chains, hidden_size: columns, config: {}, own };
  return readSentenceConfig(from, options);
}

/** Tokens at which the library cuts: a StaticEmbedding's tokenizer where tokenizer.json says so, the other at model_max_length. */
function maxTokensOf({ kind }: InputModule, tokenizerJson: unknown, tokenizerConfig: unknown): number {
  const { truncation } = fieldsOf('tokenizer.json', tokenizerJson).json;
  const [fields, key] =
    kind === SPARSE
      ? [fieldsOf('tokenizer_config.json', tokenizerConfig ?? undefined), 'model_max_length']
      : [fieldsOf('tokenizer.json: truncation', truncation ?? undefined), 'max_length'];
  return Math.min(NO_LIMIT, fields.integer(key, NO_LIMIT, Infinity));
}

/** For calls that look into config.json. */
const modelConfig = ({ size, columns }: TokenTable, maxTokens: number): ModelConfig => ({
  vocab_size: size,
  hidden_size: columns,
  num_hidden_layers: 0,
  max_position_embeddings: maxTokens,
  windows: [],
  architectures: [],
  labels: [],
  names_labels: false,
  multi_label: false,
  writer: undefined,
});

function infoOf(
  config: Json,
  sentence: SentenceConfig,
  { size, columns }: TokenTable,
  maxTokens: number,
  dtype: Dtype,
): ModelInfo {
  const isSparse = sentence.output === 'sparse';
  return {
    config,
    task: 'encoder',
    dtype,
    arithmetic: 'f32',
    compute: 'float',
    maxTokens,
    maxTokensPerPass: maxTokens,
    hiddenSize: columns,
    vocabSize: size,
    labels: [],
    pooling: isSparse ? [] : ['mean'],
    embeddingSize: isSparse ? size : (sentence.truncate_dim ?? columns),
    prompts: sentence.prompts,
    defaultPrompt: sentence.default_prompt_name,
    promptNames: { query: undefined, document: undefined },
    similarity: sentence.similarity,
    multiVector: undefined,
    maskToken: undefined,
    adapter: { vendor: '', architecture: '', device: '', description: 'none: a table of tokens needs no GPU' },
    profile: 'software',
    loraAdapters: [],
    loraAdapter: undefined,
    replaced: [],
    features: [],
    commit: undefined,
    cache: { state: 'off' },
  };
}
