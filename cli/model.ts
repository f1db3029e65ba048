/** Options of the commands that run a model, and loading it. */
import { env } from 'node:process';
import {
  type Dtype,
  type DtypeName,
  type Progress as FileProgress,
  loadModel,
  type Model,
  type Task,
} from 'modernbert-webgpu/node';
import { type Option, UsageError, type Values } from './command';
import { type Progress, withProgress } from './progress';

export const FILE_OPTIONS: Record<string, Option> = {
  revision: { value: 'NAME', help: 'branch, tag or commit of a Hub model (main)' },
  token: { value: 'TOKEN', help: 'access token for private Hub models (HF_TOKEN)' },
  'hub-url': { value: 'URL', help: 'base address of the Hub or a mirror (HF_ENDPOINT, https://huggingface.co)' },
};

export const CACHE_FOLDER: Option = {
  value: 'FOLDER',
  help: "where models are cached (modernbert-webgpu/models in the user's cache folder)",
};

/** A dtype's name here and in other tools. */
export const DTYPES: readonly (Dtype | DtypeName)[] = [
  'f32',
  'fp32',
  'float32',
  'f16',
  'fp16',
  'float16',
  'half',
  'q8',
  'int8',
  'q8_0',
  'q4',
  'int4',
  'q4_0',
];

export const MODEL_OPTIONS: Record<string, Option> = {
  dtype: { value: 'DTYPE', help: 'weights: auto, f32, f16, q8 or q4, or fp32, fp16, int8, int4 (auto)' },
  adapter: { value: 'SOURCE', help: 'a LoRA adapter of the model' },
  arithmetic: { value: 'DTYPE', help: 'activations: auto, f32 or f16 (auto)' },
  compute: { value: 'KIND', help: 'matrix products: float, or int8 for q8 weights (float)' },
  task: { value: 'TASK', help: 'encoder, mlm, seqcls or tokcls, if config.json does not name the head' },
  'max-length': { value: 'N', help: 'most tokens per text (as the checkpoint says)' },
  'tokens-per-pass': { value: 'N', help: 'most tokens per GPU pass' },
  cache: { value: 'MODE', help: 'caching: auto, always, refresh or none (auto)' },
  'cache-folder': CACHE_FOLDER,
  ...FILE_OPTIONS,
};

export const fileOptions = (values: Values) => ({
  revision: values.text('revision'),
  token: values.text('token') ?? (env.HF_TOKEN || undefined),
  hubUrl: values.text('hub-url') ?? (env.HF_ENDPOINT || undefined),
});

/** Checks MODEL_OPTIONS; the returned function loads the model. */
export function modelLoader(source: string, values: Values): (signal: AbortSignal) => Promise<Model> {
  const options = {
    dtype: values.choice('dtype', ['auto', ...DTYPES]),
    adapter: values.text('adapter'),
    arithmetic: values.choice('arithmetic', ['auto', 'f32', 'f16']),
    compute: values.choice('compute', ['float', 'int8']),
    task: values.text('task') as Task | undefined, // the library checks it
    maxLength: values.count('max-length'),
    maxTokensPerPass: values.count('tokens-per-pass'),
    cache: values.choice('cache', ['auto', 'always', 'refresh', 'none']),
    cacheFolder: values.text('cache-folder'),
    ...fileOptions(values),
  };
  return (signal) =>
    withProgress(source, async (progress) => {
      try {
        const model = await loadModel(source, { ...options, signal, onProgress: showFile(progress) });
        const { dtype, adapter, profile } = model.info;
        if (profile !== 'software') await model.warm(); // tunes it for this card, once: a job is never idle
        const weights = megabytes(model.memory().weights);
        progress.end(`${weights} of ${dtype} weights on ${adapter.description || adapter.vendor}`);
        return model;
      } catch (error) {
        // A wrong source or option.
        throw error instanceof TypeError || error instanceof RangeError ? new UsageError(error.message) : error;
      }
    });
}

/** An `onProgress` for loading and converting. */
export const showFile =
  (progress: Progress) =>
  ({ file, loaded, total }: FileProgress): void =>
    progress.show(total && loaded / total, `${file}, ${megabytes(loaded)}`);

export const megabytes = (bytes: number): string => `${(bytes / 1e6).toFixed(1)} MB`;
