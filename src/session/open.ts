import type { Kind } from '../api/calls';
import { DeviceLostError, disposedError } from '../api/errors';
import type { MemoryUse, Model, ModelInfo, ModelSource } from '../api/types';
import { fieldsOf } from '../formats/json-fields';
import type { ModelFiles } from '../formats/model-files';
import { readJson } from '../formats/read';
import type { ModelConfig } from '../model/config';
import { type InputModule, type Pipeline, readPipeline } from '../model/pipeline';
import type { SentenceConfig } from '../model/sentence';
import { createScheduler } from '../runtime/scheduler';
import { openFiles } from '../sources/source';
import { cachedFiles } from '../store/cache';
import { modelCalls, routedCalls } from '../tasks/calls';
import { multiVectorLength } from '../tasks/embed-multi-vector';
import { lowercased } from '../tokenizer/lowercased';
import { checkTokenIds, createTokenizer } from '../tokenizer/tokenizer';
import { createEngine, type Loaded } from './engine';
import { type OpenOptions, runtimeOf, withDtype } from './load-runtime';
import { staticModel } from './static-model';

/**
 * Loads a checkpoint onto the GPU of `options.gpu`, in this thread. The worker and Node both use it.
 * Throws WebGPUUnavailableError, ModelFileError, UnsupportedModelError, RangeError (it does not fit), DeviceLostError or the signal's reason.
 */
export async function openModel(source: ModelSource, given: OpenOptions): Promise<Model> {
  const options = withDtype(given);
  options.signal?.throwIfAborted();
  const { recover = true } = options;
  const load = () => stored(source, options, (files, dtype) => modelOf(source, files, { ...options, dtype }));
  return load().catch((error: unknown) => {
    if (recover && error instanceof DeviceLostError) return load();
    throw error;
  });
}

/** Runs a load with the source's files, those of the store where it has them; it is kept for the next time if it succeeds. */
async function stored<T extends { info: Model['info'] }>(
  source: ModelSource,
  options: OpenOptions,
  load: (files: ModelFiles, dtype: OpenOptions['dtype']) => Promise<T>,
): Promise<T> {
  const files = await cachedFiles(openFiles(source, options), options);
  try {
    const loaded = await load(files, files.dtype ?? options.dtype);
    loaded.info.cache = await files.finish(loaded.info.dtype);
    loaded.info.commit = files.identity?.commit;
    return loaded;
  } catch (error) {
    await files.discard(error);
    throw error;
  }
}

/** The model of all modules: of several where a Router sends queries and documents to models of their own. */
async function modelOf(source: ModelSource, files: ModelFiles, options: OpenOptions): Promise<Model> {
  const pipeline = await readPipeline(files, options);
  const models: Model[] = [];
  try {
    for (const input of pipeline.inputs) {
      const isStatic = input.kind !== 'Transformer';
      models.push(
        await (isStatic
          ? staticModel(files, pipeline, input, options)
          : transformerModel(source, files, pipeline, input, options)),
      );
    }
  } catch (error) {
    for (const model of models) await model.dispose();
    throw error;
  }
  return models.length === 1 ? models[0] : routedModel(pipeline, models);
}

async function transformerModel(
  source: ModelSource,
  root: ModelFiles,
  pipeline: Pipeline,
  input: InputModule,
  options: OpenOptions,
): Promise<Model> {
  const loaded = await runtimeOf(root, pipeline, input, options);
  const { runtime, precise, config, sentence, info } = loaded;
  try {
    const [tokenizerJson, tokenizerConfig] = await Promise.all([
      readJson(loaded.files, 'tokenizer.json', options),
      readJson(loaded.files, 'tokenizer_config.json', options),
    ]);
    const json = sentence.do_lower_case ? lowercased(tokenizerJson) : tokenizerJson;
    const tokenizer = json === undefined ? undefined : createTokenizer(json, tokenizerConfig);
    if (tokenizer) checkTokenIds(tokenizer, config.vocab_size);
    info.maskToken = tokenizer?.maskToken;
    info.maxTokens = maxTokensOf(options.maxLength, config, sentence, tokenizerConfig);
    info.multiVector = sentence.multiVector && {
      queryLength: multiVectorLength(sentence.multiVector, 'query', info.maxTokens),
      documentLength: multiVectorLength(sentence.multiVector, 'document', info.maxTokens),
    };
    options.signal?.throwIfAborted();

    const { recover = true } = options;
    const reload = (signal: AbortSignal): Promise<Loaded> => {
      const cache = options.cache === 'refresh' ? 'always' : options.cache;
      const { dtype, commit } = info; // the tokenizer is of this commit
      const again = { ...options, cache, dtype, commit, signal, onProgress: undefined };
      return stored(source, again, (own, dtype) => runtimeOf(own, pipeline, input, { ...again, dtype }));
    };
    const engine = createEngine({ runtime, precise }, recover ? reload : undefined);
    const scheduler = createScheduler({ ...engine, maxTokensPerPass: () => info.maxTokensPerPass });
    let disposed = false;
    return {
      info,
      ...modelCalls({
        config,
        logits: runtime.model.logits.columns,
        sentence,
        info,
        tokenizer,
        where: loaded.files.where,
        async submit(items, control) {
          if (disposed) throw disposedError();
          return scheduler.submit(items, control);
        },
      }),
      memory: engine.memory,
      async dispose() {
        disposed = true;
        scheduler.stop(disposedError());
        engine.dispose();
      },
    };
  } catch (error) {
    runtime.dispose();
    throw error;
  }
}

/** One model of several, each for the kinds of texts that its Transformer (or table) is for. */
function routedModel({ inputs, refused }: Pipeline, models: Model[]): Model {
  const modelFor = (kind: Kind | 'any'): Model => {
    const at = inputs.findIndex(({ chains }) => chains[kind]);
    if (at >= 0) return models[at];
    throw new RangeError(refused[kind] ?? `This checkpoint has no modules for texts of kind '${kind}'.`);
  };
  const usual = refused.any === undefined ? modelFor('any') : models[0];
  const onGpu = models.find((_, i) => inputs[i].kind === 'Transformer');
  return {
    info:
      onGpu && inputs[models.indexOf(usual)].kind !== 'Transformer' ? withDevice(usual.info, onGpu.info) : usual.info,
    ...routedCalls(usual, modelFor),
    memory: () => {
      const all = models.map((model) => model.memory());
      const sum = (key: keyof MemoryUse) => all.reduce((total, use) => total + use[key], 0);
      return { weights: sum('weights'), activations: sum('activations'), peak: sum('peak') };
    },
    async dispose() {
      for (const model of models) await model.dispose();
    },
  };
}

/** What is said of a table, with the device and the weights of the Transformer beside it: the store goes by their dtype. */
function withDevice(table: ModelInfo, transformer: ModelInfo): ModelInfo {
  const { dtype, arithmetic, compute, adapter, profile, replaced, features } = transformer;
  return { ...table, dtype, arithmetic, compute, adapter, profile, replaced, features };
}

/**
 * Tokens of the longest sequence: as asked; else max_seq_length of sentence_bert_config.json; else the tokenizer's model_max_length, which is
 * where sentence-transformers 5.4 and later keep it. Never more than the model has positions.
 */
function maxTokensOf(
  asked: number | undefined,
  { max_position_embeddings: most }: ModelConfig,
  { max_seq_length }: SentenceConfig,
  tokenizerConfig: unknown,
): number {
  if (asked !== undefined) {
    if (Number.isInteger(asked) && asked >= 1 && asked <= most) return asked;
    throw new RangeError(`maxLength must be an integer from 1 to the model's ${most} positions, it is ${asked}.`);
  }
  const { has, integer } = fieldsOf('tokenizer_config.json', tokenizerConfig ?? undefined);
  const own = has('model_max_length') ? integer('model_max_length', undefined, Infinity) : Infinity;
  return Math.min(most, max_seq_length ?? own);
}
