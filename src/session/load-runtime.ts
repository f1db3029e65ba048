/** The part of a model below the tokenizer: device, weights, kernels. */

import type { Dtype, LoadOptions, ModelInfo, ModelSource, ReplacedKernel, Task, WebGPU } from '../api/types';
import type { ModelFiles } from '../formats/model-files';
import type { ReadOptions } from '../formats/read';
import { GpuMemory } from '../gpu/buffers';
import { type Gpu, guarded } from '../gpu/device';
import type { AskedProfile } from '../gpu/profile';
import type { DeviceStore } from '../gpu/remembered';
import { type Compile, createCompiler } from '../kernels/compile';
import type { Turn } from '../kernels/tune';
import type { BuiltModel } from '../model/build';
import { dtypeNamed } from '../model/choose-dtype';
import type { ModelConfig } from '../model/config';
import type { LoadedModel } from '../model/model';
import { type InputModule, type Pipeline, readPipeline } from '../model/pipeline';
import type { SentenceConfig } from '../model/sentence';
import type { TensorNames } from '../model/tensors';
import { loadModuleWeights, loadWeights } from '../model/weights';
import { compileChecked } from '../runtime/checked';
import { HeadRunner } from '../runtime/head-runner';
import { compileEncoder, Runtime } from '../runtime/runtime';
import { openFiles, type SourceOptions } from '../sources/source';
import type { CacheOptions } from '../store/cache';
import { adapterOf, describe, deviceOf } from './plan';

/** As the caller gives them. */
export type GivenOptions = Omit<LoadOptions, 'profile' | 'adapter' | 'adapters' | 'gpu'> &
  Pick<SourceOptions, 'folder' | 'sha256' | 'commit'> &
  Pick<CacheOptions, 'store'> & {
    plans?: DeviceStore;
    profile?: LoadOptions['profile'] | AskedProfile;
    /** Or what makes one: not every model needs it. */
    gpu?: WebGPU | (() => Promise<WebGPU>);
    /** Called when an idle model has let go of its GPU memory. */
    onRelease?: () => void;
  };

export type OpenOptions = GivenOptions & { dtype?: 'auto' | Dtype };

/** The part below the tokenizer: files, device, weights, kernels, which are tuned at once. Benchmarks use it directly. */
export async function loadRuntime(source: ModelSource, given: GivenOptions) {
  const options = withDtype(given);
  const files = openFiles(source, options);
  const pipeline = await readPipeline(files, options);
  const loaded = await runtimeOf(files, pipeline, pipeline.inputs[0], options);
  await loaded.tune?.((piece) => guarded(loaded.runtime.gpu, async () => piece()));
  return loaded;
}

/** The options with the dtype's own name. Integers want integers: q8 is what `auto` means for them. */
export function withDtype<T extends GivenOptions>(options: T): T & OpenOptions {
  const dtype = dtypeNamed(options.dtype ?? 'auto');
  return { ...options, dtype: options.compute === 'int8' && dtype === 'auto' ? 'q8' : dtype };
}

/** What is known of a model when its weights begin to come. `options`: their signal is aborted if the load fails. */
export interface Known {
  files: ModelFiles;
  config: ModelConfig;
  sentence: SentenceConfig;
  task: Task;
  options: ReadOptions;
}

/**
 * `root`: the checkpoint's files; `input`: its Transformer, which may lie in a folder. `whileWeightsCome`: for what can be done beside them; it
 * must not throw.
 */
export async function runtimeOf(
  root: ModelFiles,
  pipeline: Pipeline,
  input: Pick<InputModule, 'path' | 'chains'>,
  given: OpenOptions,
  whileWeightsCome?: (known: Known) => void,
) {
  const end = new AbortController();
  const signals = [end.signal, ...(given.signal ? [given.signal] : [])];
  const options: OpenOptions = { ...given, signal: AbortSignal.any(signals) };
  const adapter = await adapterOf(options); // before the architecture's part is fetched
  const { files, json, config, planFor } = await describe(root, pipeline, input, options);
  const gpu = await deviceOf(adapter, options);
  const memory = new GpuMemory(gpu);
  try {
    return await guarded(gpu, async () => {
      const plan = await planFor(gpu);
      const { sentence } = plan;
      let started: ReturnType<typeof start> | undefined;
      const start = (names: TensorNames, dtype: Dtype) => {
        const built = plan.build(memory, names, dtype);
        const { selfCheck = true, plans: store } = options;
        const compiled = compileChecked({ ...built, memory, store, selfCheck });
        compiled.catch(() => {}); // a broken file is reported first; otherwise it is awaited below
        const compiledLabels = compiled.then(
          () => built.labels && compileChecked({ ...built.labels, memory, store, selfCheck }),
        );
        compiledLabels.catch(() => {});
        return { ...built, compiled, compiledLabels };
      };
      // Kernels compile while the weights stream in.
      const placesOf = (names: TensorNames, dtype: Dtype) => {
        started = start(names, dtype);
        whileWeightsCome?.({ files, config, sentence, task: started.model.task, options });
        return started.places;
      };
      await loadWeights(files, gpu, { ...plan, placesOf }, options);
      const { model, modulePlaces, compiled } = started!;
      for (const { folder, places } of modulePlaces) await loadModuleWeights(root, gpu, folder, places, options);
      const checked = await compiled;
      const { encoder, heads, replaced } = checked;
      const runtime = new Runtime(gpu, memory, model, encoder, heads);
      const own = await started!.compiledLabels;
      const labelsRuntime = own && new Runtime(gpu, memory, started!.labels!.model, own.encoder, own.heads);
      const maxTokensPerPass = plan.tokensPerPass(runtime.tokenLimit);
      const info = infoOf(json, model, sentence, gpu, replaced, maxTokensPerPass);
      const mayOverflow = model.act === 'f16' && (options.arithmetic ?? 'auto') === 'auto';
      const precise = mayOverflow ? () => preciseRuntime(runtime, started!) : undefined;
      const tuneOne = async (turn: Turn, of?: Runtime, tuned?: typeof checked.tuned) => {
        const steps = await tuned?.(turn);
        await turn(() => {
          if (steps) of!.steps = steps;
        });
      };
      const tune = async (turn: Turn) => {
        await tuneOne(turn, runtime, checked.tuned);
        await tuneOne(turn, labelsRuntime, own?.tuned);
      };
      const facts = { config, sentence, info, files, tune: checked.tuned || own?.tuned ? tune : undefined };
      return { runtime, precise, labels: labelsRuntime, ...facts };
    });
  } catch (error) {
    end.abort(error); // after a loss the download is still under way
    memory.dispose();
    gpu.device.destroy();
    throw error;
  }
}

/** The same model on the same device with f32 activations: for texts that overflow f16. */
async function preciseRuntime({ gpu, memory }: Runtime, { model: f16, forward }: BuiltModel): Promise<Runtime> {
  return guarded(gpu, async () => {
    const compile = createCompiler(gpu);
    const model: LoadedModel = { ...f16, act: 'f32', encoder: forward('f32') };
    return runtimeWith(gpu, memory, model, compile);
  });
}

/** A runtime whose kernels `compile` makes. */
export const runtimeWith = async (
  gpu: Gpu,
  memory: GpuMemory,
  model: LoadedModel,
  compile: Compile,
): Promise<Runtime> =>
  new Runtime(gpu, memory, model, await compileEncoder(model, compile), new HeadRunner(memory, model, compile));

type BuiltFacts = Pick<LoadedModel, 'config' | 'task' | 'dtype' | 'act' | 'compute' | 'logits'>;

/** `gpu`: or what takes its place. */
export function infoOf(
  json: Record<string, unknown>,
  { config, task, dtype, act, compute, logits }: BuiltFacts,
  sentence: SentenceConfig,
  gpu: Pick<Gpu, 'info'> & { profile: Pick<Gpu['profile'], 'name'> },
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
