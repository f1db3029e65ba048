/** The part of a model below the tokenizer: device, weights, kernels. */

import { WebGPUUnavailableError, wrongChoice } from '../api/errors';
import type {
  Arithmetic,
  Compute,
  Dtype,
  LoadOptions,
  ModelInfo,
  ModelSource,
  ReplacedKernel,
  Task,
} from '../api/types';
import { inFolder, type ModelFiles } from '../formats/model-files';
import type { QuantizedDtype } from '../formats/quantize';
import { missingFile, readJson } from '../formats/read';
import type { TensorInfo } from '../formats/safetensors';
import { GpuMemory } from '../gpu/buffers';
import { type Gpu, guarded, openGpu } from '../gpu/device';
import { type AskedProfile, withTuning } from '../gpu/profile';
import type { DeviceStore } from '../gpu/remembered';
import { createCompiler } from '../kernels/compile';
import {
  type BuildOptions,
  type BuiltModel,
  buildModel,
  declaredModulePlaces,
  declaredPlaces,
  glinerPlaces,
  parametersOf,
} from '../model/build';
import { chooseDtype, dtypeNamed } from '../model/choose-dtype';
import { readModelConfig } from '../model/families/registry';
import type { Head } from '../model/heads/head';
import { TASKS } from '../model/heads/tasks';
import type { LoadedModel } from '../model/model';
import { type InputModule, type Pipeline, readPipeline } from '../model/pipeline';
import { readSentenceConfig, type SentenceConfig } from '../model/sentence';
import { checkModuleWeights, loadModuleWeights, loadWeights } from '../model/weights';
import { compileChecked } from '../runtime/checked';
import { HeadRunner } from '../runtime/head-runner';
import { compileEncoder, Runtime } from '../runtime/runtime';
import { openFiles, type SourceOptions } from '../sources/source';
import type { CacheOptions } from '../store/cache';

/** As the caller gives them. */
export type GivenOptions = Omit<LoadOptions, 'profile' | 'adapter' | 'adapters' | 'gpu'> &
  Pick<SourceOptions, 'folder' | 'sha256' | 'commit'> &
  Pick<CacheOptions, 'store'> & {
    plans?: DeviceStore;
    profile?: LoadOptions['profile'] | AskedProfile;
    /** Or what makes one: not every model needs it. */
    gpu?: GPU | (() => Promise<GPU>);
    /** Called when an idle model has let go of its GPU memory. */
    onRelease?: () => void;
  };

export type OpenOptions = GivenOptions & { dtype?: 'auto' | Dtype };

/** The part below the tokenizer: files, device, weights, kernels. Benchmarks use it directly. */
export async function loadRuntime(source: ModelSource, given: GivenOptions) {
  const options = withDtype(given);
  const files = openFiles(source, options);
  const pipeline = await readPipeline(files, options);
  return runtimeOf(files, pipeline, pipeline.inputs[0], options);
}

/** The options with the dtype's own name. Integers want integers: q8 is what `auto` means for them. */
export function withDtype<T extends GivenOptions>(options: T): T & OpenOptions {
  const dtype = dtypeNamed(options.dtype ?? 'auto');
  return { ...options, dtype: options.compute === 'int8' && dtype === 'auto' ? 'q8' : dtype };
}

/** `root`: the checkpoint's files; `input`: its Transformer, which may lie in a folder. */
export async function runtimeOf(
  root: ModelFiles,
  pipeline: Pipeline,
  { path, chains }: Pick<InputModule, 'path' | 'chains'>,
  given: OpenOptions,
) {
  const files = inFolder(root, path);
  const end = new AbortController();
  const signals = [end.signal, ...(given.signal ? [given.signal] : [])];
  const options: OpenOptions = { ...given, signal: AbortSignal.any(signals) };
  const configJson = files === root ? pipeline.config : await readJson(files, 'config.json', options);
  if (configJson === undefined) throw missingFile(files, 'config.json');
  const { family, config } = await readModelConfig(configJson);
  const compute = computeOf(options.compute);
  const source = typeof options.gpu === 'function' ? await options.gpu() : options.gpu;
  const gpu = await openGpu(source, askedProfile(options.profile));
  gpu.profile = withTuning(gpu.profile, options.autotune);
  const memory = new GpuMemory(gpu);
  try {
    return await guarded(gpu, async () => {
      const json = configJson as Record<string, unknown>;
      const { hidden_size } = config;
      const from = { root, files, pipeline, entries: chains, hidden_size, config: json };
      const sentence = await readSentenceConfig(from, options);
      await checkModuleWeights(root, declaredModulePlaces(sentence.modules), options);
      const dtypeOf = (tensors: TensorInfo[], stored: QuantizedDtype | undefined) =>
        chooseDtype(options.dtype ?? 'auto', {
          stored,
          isF32: isF32(tensors),
          parameters: parametersOf(family, config),
          maxBufferSize: gpu.limits.maxBufferSize,
          deviceMemory: (globalThis.navigator as { deviceMemory?: number } | undefined)?.deviceMemory,
        });
      const { gliner } = pipeline;
      const labels = gliner?.labels && { ...gliner.labels.encoder, head: gliner.labels.head };
      if (gliner && options.task !== undefined && options.task !== 'gliner') {
        throw wrongChoice('task', ['gliner'], options.task);
      }
      let started: ReturnType<typeof start> | undefined;
      const start = (names: ReadonlySet<string>, dtype: Dtype) => {
        if (compute === 'int8' && dtype !== 'q8') {
          throw new RangeError(`compute: 'int8' needs dtype 'q8'; it is '${dtype}'.`);
        }
        const act = arithmeticOf(gpu, options.arithmetic ?? 'auto', dtype);
        const alloc = (label: string, bytes: number) => memory.alloc('weights', label, bytes);
        const { task } = options;
        const common = { gpu, names, dtype, alloc };
        const built = buildModel({ ...common, family, config, sentence, act, compute, task, gliner: gliner?.text });
        const head = gliner?.text.usual ?? usualHead(built.model.task, sentence);
        const { selfCheck = true, plans: store } = options;
        const compiled = compileChecked({ ...built, memory, head, store, selfCheck });
        compiled.catch(() => {}); // a broken file is reported first; otherwise it is awaited below
        const forLabels = labels && buildModel({ ...common, ...labels, ...LABELS, gliner: labels.head });
        const compiledLabels = compiled.then(
          () => forLabels && compileChecked({ ...forLabels, memory, head: labels!.head.usual, store, selfCheck }),
        );
        compiledLabels.catch(() => {});
        const places = new Map([...built.places, ...(forLabels?.places ?? [])]);
        return { ...built, places, compiled, labels: forLabels?.model, compiledLabels };
      };
      // Kernels compile while the weights stream in.
      const placesOf = (names: ReadonlySet<string>, dtype: Dtype) => {
        started = start(names, dtype);
        return started.places;
      };
      const declaredAs = (names: ReadonlySet<string>, dtype: Dtype) =>
        gliner
          ? glinerPlaces(gliner, dtype, names)
          : declaredPlaces(family, config, dtype, names, options.task, sentence.chains);
      await loadWeights(files, gpu, { declaredAs, dtypeOf, placesOf }, options);
      const { model, modulePlaces, compiled } = started!;
      const { encoder, heads, replaced } = await compiled;
      for (const { folder, places } of modulePlaces) await loadModuleWeights(root, gpu, folder, places, options);
      const runtime = new Runtime(gpu, memory, model, encoder, heads);
      const own = await started!.compiledLabels;
      const labelsRuntime = own && new Runtime(gpu, memory, started!.labels!, own.encoder, own.heads);
      const maxTokensPerPass = tokensPerPass(options.maxTokensPerPass, gpu.profile.tokensPerPass, runtime.tokenLimit);
      const info = infoOf(json, model, sentence, gpu, replaced, maxTokensPerPass);
      const mayOverflow = model.act === 'f16' && (options.arithmetic ?? 'auto') === 'auto';
      const precise = mayOverflow ? () => preciseRuntime(runtime, started!) : undefined;
      return { runtime, precise, labels: labelsRuntime, config, sentence, info, files };
    });
  } catch (error) {
    end.abort(error); // after a loss the download is still under way
    memory.dispose();
    gpu.device.destroy();
    throw error;
  }
}

/** What the checkpoint's calls usually ask for; heads of parts are in the part of their call. */
const usualHead = async (task: Task, sentence: SentenceConfig): Promise<Head> =>
  sentence.output === 'sparse'
    ? (await import('../tasks/sparse-calls')).sparseCalls.usual(sentence)
    : TASKS[task].usual(sentence);
/** How the encoder of a GLiNER model's labels is built: they are few, and f32 does not overflow. */
const LABELS: Pick<BuildOptions, 'act' | 'compute' | 'task' | 'sentence'> = {
  act: 'f32',
  compute: 'float',
  task: undefined,
  sentence: { modules: [], chains: {} },
};

/** The same model on the same device with f32 activations: for texts that overflow f16. */
async function preciseRuntime({ gpu, memory }: Runtime, { model: f16, forward }: BuiltModel): Promise<Runtime> {
  return guarded(gpu, async () => {
    const compile = createCompiler(gpu);
    const model: LoadedModel = { ...f16, act: 'f32', encoder: forward('f32') };
    return new Runtime(
      gpu,
      memory,
      model,
      await compileEncoder(model, compile),
      new HeadRunner(memory, model, compile),
    );
  });
}

/** Whether a file's weights are F32: those of its largest tensor. */
const isF32 = (tensors: TensorInfo[]): boolean =>
  tensors.reduce((a, b) => (b.end - b.begin > a.end - a.begin ? b : a), tensors[0])?.dtype === 'F32';

function infoOf(
  json: Record<string, unknown>,
  { config, task, dtype, act, compute, logits }: LoadedModel,
  sentence: SentenceConfig,
  gpu: Gpu,
  replaced: ReplacedKernel[],
  maxTokensPerPass: number,
): ModelInfo {
  const [chain] = Object.values(sentence.chains);
  return {
    config: json,
    task,
    dtype,
    arithmetic: act,
    compute,
    maxTokens: config.max_position_embeddings,
    maxTokensPerPass,
    hiddenSize: config.hidden_size,
    vocabSize: config.vocab_size,
    labels: logits.labels,
    pooling: chain.pooling?.poolings ?? [],
    embeddingSize: sentence.output === 'sparse' ? config.vocab_size : (sentence.truncate_dim ?? chain.columns),
    prompts: sentence.prompts,
    defaultPrompt: sentence.default_prompt_name,
    promptNames: { query: undefined, document: undefined },
    similarity: sentence.similarity,
    multiVector: undefined,
    maskToken: undefined,
    adapter: gpu.info,
    loraAdapters: [],
    loraAdapter: undefined,
    profile: gpu.profile.name,
    replaced,
    features: act === 'f16' ? ['shader-f16'] : [],
    commit: undefined,
    cache: { state: 'off' },
  };
}

/** Tests ask for more than a name. */
const askedProfile = (asked: OpenOptions['profile'] = 'auto'): AskedProfile =>
  typeof asked === 'object' ? asked : asked === 'auto' ? {} : { name: asked };

function computeOf(compute: Compute = 'float'): Compute {
  if (compute === 'float' || compute === 'int8') return compute;
  throw wrongChoice('compute', ['float', 'int8'], compute);
}

function arithmeticOf(gpu: Gpu, asked: 'auto' | Arithmetic, dtype: Dtype): Arithmetic {
  if (asked === 'f16' && !gpu.hasF16) {
    throw new WebGPUUnavailableError(
      `arithmetic: 'f16' needs the device feature shader-f16, which this adapter (${gpu.info.description}) lacks. Use 'auto' or 'f32'.`,
    );
  }
  if (asked === 'auto') return dtype !== 'f32' && gpu.hasF16 ? 'f16' : 'f32';
  if (asked === 'f16' || asked === 'f32') return asked;
  throw wrongChoice('arithmetic', ['auto', 'f16', 'f32'], asked);
}

function tokensPerPass(asked: number | undefined, usual: number, limit: number): number {
  if (asked === undefined) return Math.min(usual, limit);
  if (!Number.isInteger(asked) || asked < 1) {
    throw new RangeError(`maxTokensPerPass must be a positive integer, it is ${asked}.`);
  }
  if (asked > limit)
    throw new RangeError(`maxTokensPerPass ${asked} is above this device's limit for this model, ${limit}.`);
  return asked;
}
