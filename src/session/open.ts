import type { Kind } from '../api/embeddings';
import { DeviceLostError, disposedError } from '../api/errors';
import type { MemoryUse, Model, ModelInfo, ModelSource } from '../api/types';
import { shown } from '../formats/json-fields';
import { inFolder, type ModelFiles } from '../formats/model-files';
import { missingFile, type ReadOptions, readJson } from '../formats/read';
import { multiVectorLength } from '../model/multi-vector';
import { type InputModule, type Pipeline, readPipeline } from '../model/pipeline';
import { createScheduler } from '../runtime/scheduler';
import { openFiles } from '../sources/source';
import { cachedFiles } from '../store/cache';
import { fetchCalls, modelCalls, routedCalls } from '../tasks/calls';
import type { Parts, Spaces } from '../tasks/common';
import type { Loaded } from './engine';
import { type GivenOptions, type Known, type OpenOptions, runtimeOf, withDtype } from './load-runtime';
import { type Adapters, type BaseModel, fixed, type Opener, withConfig } from './opener';

/**
 * Loads a checkpoint onto the GPU of `options.gpu`, in this thread. The worker and Node both use it.
 * Throws WebGPUUnavailableError, ModelFileError, UnsupportedModelError, RangeError (an option, or it does not fit), DeviceLostError or the signal's reason.
 */
export async function openModel(source: ModelSource, given: GivenOptions & Adapters): Promise<Model> {
  const { adapter, adapters, ...options } = withDtype(given);
  options.signal?.throwIfAborted();
  const { recover = true, keepAlive = Infinity } = options;
  if (typeof keepAlive !== 'number' || !(keepAlive >= 0)) {
    const value = typeof keepAlive === 'number' ? keepAlive : shown(keepAlive);
    throw new RangeError(`keepAlive must be milliseconds, 0 or more, or Infinity; it is ${value}.`);
  }
  const tools = { open: storedFiles, modelOf, options };
  const load = async (): Promise<Model> => {
    if (adapter !== undefined || adapters !== undefined) {
      const { openAdapted } = await import('./adapters');
      return openAdapted(source, { adapter, adapters }, tools);
    }
    const open = storedFiles(source);
    const found = await open(options, async (files, dtype) => {
      const started = await withConfig(files, options.signal);
      if (started) return modelOf(open, started, { ...options, dtype });
      const { readAdapter } = await import('./adapters');
      return readAdapter(files, options);
    });
    if (!('edits' in found)) return fixed(found);
    const { openNamed } = await import('./adapters');
    return openNamed(source, found, tools);
  };
  return load().catch((error: unknown) => {
    if (recover && error instanceof DeviceLostError) return load();
    throw error;
  });
}

/** Opens a source's files, those of the store where it has them; they are kept for the next time if the reading succeeds. */
const storedFiles =
  (source: ModelSource): Opener =>
  async (options, read) => {
    const files = await cachedFiles(openFiles(source, options), options);
    try {
      const result = await read(files, files.dtype ?? options.dtype);
      const asked = options.dtype === 'auto' ? undefined : options.dtype;
      const info = 'info' in result ? result.info : undefined;
      const use = await files.finish(asked ?? info?.dtype ?? 'f32');
      if (info) Object.assign(info, { cache: use, commit: files.identity?.commit });
      return result;
    } catch (error) {
      await files.discard(error);
      throw error;
    }
  };

const everyLoad = async () => (await import('./every-load')).everyLoad;

/** The model of these files' modules: of several where a Router sends queries and documents to models of their own. `open` opens them again if the device is lost. */
async function modelOf(open: Opener, files: ModelFiles, options: OpenOptions): Promise<BaseModel> {
  const pipeline = await readPipeline(files, options);
  const models: BaseModel[] = [];
  const spaces = {} as Spaces;
  try {
    for (const input of pipeline.inputs) {
      const isStatic = input.kind !== 'Transformer';
      models.push(
        await (isStatic
          ? (await import('./static-model')).staticModel(files, pipeline, input, options, spaces)
          : transformerModel(open, files, pipeline, input, options, spaces)),
      );
    }
    const infos = models.map(({ info }) => info);
    spaces.of = await (await everyLoad()).spacesOf(files, pipeline, infos, options.signal);
  } catch (error) {
    for (const model of models) await model.dispose();
    throw error;
  }
  return models.length === 1 ? models[0] : routedModel(pipeline, models);
}

async function transformerModel(
  open: Opener,
  root: ModelFiles,
  pipeline: Pipeline,
  input: InputModule,
  options: OpenOptions,
  spaces: Spaces,
): Promise<BaseModel> {
  if (options.gpu) everyLoad().catch(() => {}); // fetched while the weights are; a failure is reported below
  let tokenizing: ReturnType<typeof readTokenizer> | undefined;
  const loaded = await runtimeOf(root, pipeline, input, options, (known) => {
    fetchCalls(known.task);
    tokenizing = readTokenizer(known, pipeline);
    tokenizing.catch(() => {}); // what is wrong with the weights is reported first
  }).catch(async (error: unknown) => {
    await tokenizing?.catch(() => {}); // it reads files, which the store is about to remove
    throw error;
  });
  const { runtime, precise, labels, tune, config, sentence, info } = loaded;
  try {
    const { createEngine, maxTokensOf, promptNamesOf, tokenizerOf, warmUp } = await everyLoad();
    const { tokenizer, tokenizerConfig } = await tokenizing!;
    info.promptNames = promptNamesOf(info.prompts);
    info.maskToken = tokenizer?.maskToken;
    info.maxTokens = maxTokensOf(options.maxLength, config, sentence, tokenizerConfig);
    info.multiVector = sentence.multiVector && {
      queryLength: multiVectorLength(sentence.multiVector, 'query', info.maxTokens),
      documentLength: multiVectorLength(sentence.multiVector, 'document', info.maxTokens),
    };
    options.signal?.throwIfAborted();

    const reload = (signal: AbortSignal): Promise<Loaded> => {
      const cache = options.cache === 'refresh' ? 'always' : options.cache;
      const { dtype, commit } = info; // the tokenizer is of this commit
      const again = { ...options, cache, dtype, commit, signal, onProgress: undefined };
      return open(again, (own, dtype) => runtimeOf(own, pipeline, input, { ...again, dtype }));
    };
    const engine = createEngine({ runtime, precise, labels, tune }, reload, options);
    const maxTokensPerPass = () => info.maxTokensPerPass;
    const scheduler = createScheduler({ ...engine, maxTokensPerPass });
    let disposed = false;
    const submitTo =
      ({ submit }: typeof scheduler): Parts['submit'] =>
      async (items, control) => {
        if (disposed) throw disposedError();
        return submit(items, control);
      };
    const parts: Parts = {
      config,
      logits: runtime.model.logits.columns,
      hasPooler: runtime.model.encoder.pooler !== undefined,
      sentence,
      info,
      tokenizer,
      where: loaded.files.where,
      spaces,
      submit: submitTo(scheduler),
    };
    const labelsConfig = labels?.model.config;
    const forLabels = labelsConfig && createScheduler({ ...engine, run: engine.runLabels, maxTokensPerPass });
    if (pipeline.gliner) parts.gliner = { config: pipeline.gliner.config, heads: pipeline.gliner.heads };
    if (forLabels) {
      const files = inFolder(root, pipeline.gliner!.labels!.tokenizer);
      const [own, ownConfig] = await tokenizerFiles(files, options);
      if (own === undefined)
        throw missingFile(files, 'tokenizer.json', 'GLiNER 0.2.29 saves it: load the model, save it');
      parts.gliner!.labels = {
        ...parts,
        config: labelsConfig,
        tokenizer: tokenizerOf(own, ownConfig, labelsConfig),
        info: { ...info, maxTokens: maxTokensOf(undefined, labelsConfig, sentence, ownConfig) },
        submit: submitTo(forLabels),
      };
    }
    const calls = modelCalls(parts);
    return {
      info,
      ...engine.counted(calls),
      memory: engine.memory,
      release: engine.release,
      warm: () =>
        engine.using(async () => {
          await warmUp(calls, parts);
          await engine.tuned();
        }, true),
      async dispose() {
        disposed = true;
        for (const own of [scheduler, forLabels]) own?.stop(disposedError());
        engine.dispose();
      },
    };
  } catch (error) {
    runtime.dispose();
    throw error;
  }
}

/** The tokenizer, if there is one, and its tokenizer_config.json. */
async function readTokenizer({ files, config, sentence, options }: Known, { gliner }: Pipeline) {
  const [json, tokenizerConfig] = await tokenizerFiles(files, options);
  const { tokenizerOf } = await everyLoad();
  const tokenizer = json === undefined ? undefined : tokenizerOf(json, tokenizerConfig, config, sentence, gliner);
  return { tokenizer, tokenizerConfig };
}

const tokenizerFiles = (files: ModelFiles, options: ReadOptions) =>
  Promise.all([readJson(files, 'tokenizer.json', options), readJson(files, 'tokenizer_config.json', options)]);

/** One model of several, each for the kinds of texts that its Transformer (or table) is for. */
function routedModel({ inputs, refused }: Pipeline, models: BaseModel[]): BaseModel {
  const modelFor = (kind: Kind | 'any'): BaseModel => {
    const at = inputs.findIndex(({ chains }) => chains[kind]);
    if (at >= 0) return models[at];
    throw new RangeError(refused[kind] ?? `This checkpoint has no modules for texts of kind '${kind}'.`);
  };
  const usual = refused.any === undefined ? modelFor('any') : models[0];
  const all = (name: 'release' | 'warm') => async () => {
    await Promise.all(models.map((model) => model[name]()));
  };
  const onGpu = models.find((_, i) => inputs[i].kind === 'Transformer');
  return {
    info:
      onGpu && inputs[models.indexOf(usual)].kind !== 'Transformer' ? withDevice(usual.info, onGpu.info) : usual.info,
    ...routedCalls(usual, modelFor),
    memory: () => {
      const uses = models.map((model) => model.memory());
      const sum = (key: keyof MemoryUse) => uses.reduce((total, use) => total + use[key], 0);
      return { weights: sum('weights'), activations: sum('activations'), peak: sum('peak') };
    },
    release: all('release'),
    warm: all('warm'),
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
