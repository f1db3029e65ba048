/** What a checkpoint becomes on a device, before a byte of it is loaded: load-runtime.ts carries it out, support.ts tells of it. */
import { WebGPUUnavailableError, wrongChoice } from '../api/errors';
import type { Arithmetic, Compute, Dtype, Task } from '../api/types';
import type { Json } from '../formats/json-fields';
import { inFolder, type ModelFiles } from '../formats/model-files';
import type { QuantizedDtype } from '../formats/quantize';
import { missingFile, readJson } from '../formats/read';
import type { TensorInfo } from '../formats/safetensors';
import type { GpuMemory } from '../gpu/buffers';
import { findAdapter, type Gpu, openDevice } from '../gpu/device';
import { withTuning } from '../gpu/profile';
import {
  type BuildOptions,
  buildModel,
  declaredModulePlaces,
  declaredPlaces,
  glinerPlaces,
  parametersOf,
} from '../model/build';
import { chooseDtype } from '../model/choose-dtype';
import { readModelConfig } from '../model/families/registry';
import type { Head } from '../model/heads/head';
import { TASKS } from '../model/heads/tasks';
import type { InputModule, Pipeline } from '../model/pipeline';
import { readSentenceConfig, type SentenceConfig } from '../model/sentence';
import type { TensorNames } from '../model/tensors';
import { checkModuleWeights } from '../model/weights';
import type { OpenOptions } from './load-runtime';

/** The adapter to load on. Throws WebGPUUnavailableError. */
export const adapterOf = async ({ gpu }: OpenOptions): Promise<GPUAdapter> =>
  findAdapter((typeof gpu === 'function' ? await gpu() : gpu) as GPU | undefined);

/** Its device. Tests ask for more than a profile's name. Throws what `openDevice` throws. */
export async function deviceOf(adapter: GPUAdapter, { profile = 'auto', autotune }: OpenOptions): Promise<Gpu> {
  const asked = typeof profile === 'object' ? profile : profile === 'auto' ? {} : { name: profile };
  const gpu = await openDevice(adapter, asked);
  gpu.profile = withTuning(gpu.profile, autotune);
  return gpu;
}

/**
 * Reads what the config.json of a checkpoint's Transformer says. `root`: the checkpoint's files; `input`: the Transformer, which may lie in a folder.
 * Throws ModelFileError, UnsupportedModelError, and a RangeError for options that are none.
 */
export async function describe(
  root: ModelFiles,
  pipeline: Pipeline,
  { path, chains: entries }: Pick<InputModule, 'path' | 'chains'>,
  options: OpenOptions,
) {
  const files = inFolder(root, path);
  const json = (files === root ? pipeline.config : await readJson(files, 'config.json', options)) as Json | undefined;
  if (json === undefined) throw missingFile(files, 'config.json');
  const { family, config } = await readModelConfig(json);
  const { task } = options;

  /** Reads what sentence-transformers' files say, and the headers of large modules. */
  async function planFor(gpu: Gpu) {
    const compute = computeOf(options.compute);
    const from = { root, files, pipeline, entries, hidden_size: config.hidden_size, config: json! };
    const sentence = await readSentenceConfig(from, options);
    const { gliner } = pipeline;
    const labels = gliner?.labels && { ...gliner.labels.encoder, head: gliner.labels.head };
    if (gliner && task !== undefined && task !== 'gliner') throw wrongChoice('task', ['gliner'], task);
    await checkModuleWeights(root, declaredModulePlaces(sentence.modules), options);
    return {
      sentence,

      dtypeOf: (tensors: TensorInfo[], stored: QuantizedDtype | undefined): Dtype =>
        chooseDtype(options.dtype ?? 'auto', {
          stored,
          isF32: isF32(tensors),
          parameters: parametersOf(family, config),
          maxBufferSize: gpu.limits.maxBufferSize,
          deviceMemory: (globalThis.navigator as { deviceMemory?: number } | undefined)?.deviceMemory,
        }),

      /** Tokens of a pass where the device allows `limit`. */
      tokensPerPass: (limit: number) => tokensPerPass(options.maxTokensPerPass, gpu.profile.tokensPerPass, limit),

      declaredAs: (names: TensorNames, dtype: Dtype) =>
        gliner
          ? glinerPlaces(gliner, dtype, names)
          : declaredPlaces(family, config, dtype, names, task, sentence.chains),

      /** Allocates the weights; their contents are still to come. */
      build(memory: GpuMemory, names: TensorNames, dtype: Dtype) {
        if (compute === 'int8' && dtype !== 'q8') {
          throw new RangeError(`compute: 'int8' needs dtype 'q8'; it is '${dtype}'.`);
        }
        const act = arithmeticOf(gpu, options.arithmetic ?? 'auto', dtype);
        const alloc = (label: string, bytes: number) => memory.alloc('weights', label, bytes);
        const common = { gpu, names, dtype, alloc };
        const built = buildModel({ ...common, family, config, sentence, act, compute, task, gliner: gliner?.text });
        const forLabels = labels && buildModel({ ...common, ...labels, ...LABELS, gliner: labels.head });
        return {
          ...built,
          places: new Map([...built.places, ...(forLabels?.places ?? [])]),
          head: gliner?.text.usual ?? usualHead(built.model.task, sentence),
          /** Of a GLiNER model that reads labels with an encoder of their own: that one. */
          labels: forLabels && { ...forLabels, head: labels!.head.usual },
        };
      },
    };
  }

  return { files, json, config, planFor };
}

export type Described = Awaited<ReturnType<typeof describe>>;

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

/** Whether a file's weights are F32: those of its largest tensor. */
const isF32 = (tensors: TensorInfo[]): boolean =>
  tensors.reduce((a, b) => (b.end - b.begin > a.end - a.begin ? b : a), tensors[0])?.dtype === 'F32';

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
