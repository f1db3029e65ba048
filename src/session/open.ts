import { DeviceLostError, WebGPUUnavailableError } from '../api/errors';
import type { Arithmetic, Dtype, LoadOptions, Model, ModelInfo, ModelSource } from '../api/types';
import type { ModelFiles } from '../formats/model-files';
import { readJson } from '../formats/read';
import { GpuMemory } from '../gpu/buffers';
import { type Gpu, guarded, openGpu } from '../gpu/device';
import { createTuner, type PlanStore } from '../kernels/tune';
import { type ModelConfig, parseConfig } from '../model/config';
import { compileEncoder, type EncoderKernels } from '../model/families/modernbert';
import { geometryOf } from '../model/geometry';
import { embeddingWidths, type HeadKernels, headKernels } from '../model/heads';
import { loadModule, planModules } from '../model/modules/dense';
import { readSentenceConfig } from '../model/sentence';
import { loadWeights } from '../model/weights';
import { Runtime } from '../runtime/runtime';
import { createScheduler } from '../runtime/scheduler';
import { openFiles, type SourceOptions } from '../sources/source';
import { type CacheOptions, cachedFiles } from '../store/cache';
import { modelCalls } from '../tasks/calls';
import { createTokenizer } from '../tokenizer/tokenizer';

export type EncoderOptions = LoadOptions &
  Pick<SourceOptions, 'folder' | 'sha256'> &
  Pick<CacheOptions, 'store'> & { plans?: PlanStore };

/** Most tokens in a pass unless the caller or the device says otherwise: large enough to fill a large GPU. */
const DEFAULT_TOKENS_PER_PASS = 8192;

/**
 * Loads a checkpoint onto the GPU of `options.gpu` and gives the model, in this thread. The worker and Node both use it.
 * Throws WebGPUUnavailableError, ModelFileError, UnsupportedModelError, RangeError (it does not fit) or the signal's reason.
 */
export async function loadEncoder(source: ModelSource, given: EncoderOptions): Promise<Model> {
  const options = withDtype(given);
  options.signal?.throwIfAborted();
  const files = await cachedFiles(openFiles(source, options), options);
  try {
    const model = await modelOf(files, { ...options, dtype: files.dtype ?? options.dtype });
    model.info.cache = await files.finish(model.info.dtype);
    model.info.commit = files.identity?.commit;
    return model;
  } catch (error) {
    await files.discard(error);
    throw error;
  }
}

async function modelOf(files: ModelFiles, options: EncoderOptions): Promise<Model> {
  const { runtime, config, sentence, info } = await runtimeOf(files, options);
  try {
    const [tokenizerJson, tokenizerConfig] = await Promise.all([
      readJson(files, 'tokenizer.json', options),
      readJson(files, 'tokenizer_config.json', options),
    ]);
    const tokenizer = tokenizerJson === undefined ? undefined : createTokenizer(tokenizerJson, tokenizerConfig);
    info.maskToken = tokenizer?.maskToken;
    options.signal?.throwIfAborted();

    const scheduler = createScheduler(
      (sequences, requests, wants) => runtime.run(sequences, requests, wants),
      () => info.maxTokensPerPass,
    );
    void runtime.gpu.device.lost.then(() =>
      scheduler.stop(runtime.gpu.lost ?? new DeviceLostError('The GPU device was lost.')),
    );
    let disposed = false;
    return {
      info,
      ...modelCalls({
        config,
        sentence,
        info,
        tokenizer,
        where: files.where,
        submit(items, control) {
          if (disposed) throw new DeviceLostError('This model was disposed. Load it again.');
          if (runtime.gpu.lost) throw runtime.gpu.lost;
          return scheduler.submit(items, control);
        },
      }),
      memory: () => runtime.memoryUse(),
      async dispose() {
        disposed = true;
        scheduler.stop(new DeviceLostError('The model was disposed while this call waited.'));
        runtime.dispose();
      },
    };
  } catch (error) {
    runtime.dispose();
    throw error;
  }
}

/** The part below the tokenizer: files, device, weights, kernels. Benchmarks use it directly. */
export const loadRuntime = (source: ModelSource, options: EncoderOptions) =>
  runtimeOf(openFiles(source, options), withDtype(options));

/** Integers want integers: q8 is what `auto` means for them. */
const withDtype = (options: EncoderOptions): EncoderOptions =>
  options.compute === 'int8' && (options.dtype ?? 'auto') === 'auto' ? { ...options, dtype: 'q8' } : options;

async function runtimeOf(files: ModelFiles, options: EncoderOptions) {
  const configJson = await readJson(files, 'config.json', { ...options, required: true });
  const config = parseConfig(configJson);
  const geometry = geometryOf(config);
  const gpu = await openGpu(options.gpu);
  const memory = new GpuMemory(gpu);
  try {
    return await guarded(gpu, async () => {
      const sentence = await readSentenceConfig(files, config.hidden_size, options);
      let compiled: Promise<{ kernels: EncoderKernels; heads: HeadKernels; act: Arithmetic }> | undefined;
      const { compute = 'float' } = options;
      if (!['float', 'int8'].includes(compute))
        throw new RangeError(`compute must be one of float, int8; it is '${compute}'.`);
      const weights = await loadWeights(files, config, geometry, memory, options, (planned) => {
        if (compute === 'int8' && planned.dtype !== 'q8') {
          throw new RangeError(`compute: 'int8' needs dtype 'q8'; it is '${planned.dtype}'.`);
        }
        const act = arithmeticOf(gpu, options.arithmetic ?? 'auto', planned.dtype);
        const modules = planModules(sentence.modules, memory, planned.dtype);
        const heads = headKernels(gpu, config, geometry, planned, modules);
        const planFor = (options.autotune ?? !gpu.isSoftware) ? createTuner(gpu, options.plans) : undefined;
        compiled = Promise.all([
          compileEncoder(gpu, config, geometry, planned, act, compute, planFor),
          heads.warm(sentence.pooling),
        ]).then(([kernels]) => ({ kernels, heads, act }));
        compiled.catch(() => {}); // a broken file is reported first; otherwise it is awaited below
      });
      const { kernels, heads, act } = await compiled!;
      for (const module of heads.modules) await loadModule(files, module, gpu, options);
      const runtime = new Runtime(gpu, memory, config, geometry, weights, kernels, heads, act, compute);
      const { multiVector } = sentence;
      const { pooled, widths } = embeddingWidths(config, geometry, heads.modules, sentence.pooling?.length ?? 1);
      const info: ModelInfo = {
        config: configJson as Record<string, unknown>,
        task: weights.task,
        dtype: weights.dtype,
        arithmetic: act,
        compute,
        maxTokens: Math.min(config.max_position_embeddings, sentence.max_seq_length ?? Infinity),
        maxTokensPerPass: tokensPerPass(options.maxTokensPerPass, runtime.tokenLimit),
        hiddenSize: config.hidden_size,
        vocabSize: config.vocab_size,
        labels: labelsOf(config, weights.classifier?.labels),
        pooling: sentence.pooling ?? [],
        embeddingSize: sentence.truncate_dim ?? (widths.at(-1) ?? pooled).columns,
        prompts: sentence.prompts,
        defaultPrompt: sentence.default_prompt_name,
        similarity: sentence.similarity,
        multiVector: multiVector && {
          queryLength: multiVector.query_length,
          documentLength: multiVector.document_length,
        },
        maskToken: undefined,
        adapter: gpu.info,
        features: [...(act === 'f16' ? ['shader-f16'] : [])],
        commit: undefined,
        cache: { state: 'off' },
      };
      return { runtime, config, sentence, info, files };
    });
  } catch (error) {
    memory.dispose();
    gpu.device.destroy();
    throw error;
  }
}

function arithmeticOf(gpu: Gpu, asked: 'auto' | Arithmetic, dtype: Dtype): Arithmetic {
  if (asked === 'f16' && !gpu.hasF16) {
    throw new WebGPUUnavailableError(
      `arithmetic: 'f16' needs the device feature shader-f16, which this adapter (${gpu.info.description}) lacks. Use 'auto' or 'f32'.`,
    );
  }
  if (asked === 'auto') return dtype !== 'f32' && gpu.hasF16 ? 'f16' : 'f32';
  return asked;
}

function tokensPerPass(asked: number | undefined, limit: number): number {
  if (asked === undefined) return Math.min(DEFAULT_TOKENS_PER_PASS, limit);
  if (!Number.isInteger(asked) || asked < 1) {
    throw new RangeError(`maxTokensPerPass must be a positive integer, it is ${asked}.`);
  }
  if (asked > limit)
    throw new RangeError(`maxTokensPerPass ${asked} is above this device's limit for this model, ${limit}.`);
  return asked;
}

const labelsOf = (config: ModelConfig, count = 0): string[] =>
  Array.from({ length: count }, (_, i) => config.labels[i] ?? `LABEL_${i}`);
