/** transformers.js, an optional peer dependency: its sessions of ONNX Runtime. */
import type { PreTrainedModel, Tensor } from '@huggingface/transformers';
import { ModelFileError, unlessAborted, WebGPUUnavailableError } from '../api/errors';
import type { Dtype, FileOptions, ModelSource } from '../api/types';
import { messageOf } from '../formats/read';
import { isHubId } from '../sources/source';
import { folderUrl, shownUrl } from '../sources/urls';

type TransformersJs = typeof import('@huggingface/transformers');

/** Throws a WebGPUUnavailableError if the package is not installed. */
export async function transformersJs(): Promise<TransformersJs> {
  try {
    return await import('@huggingface/transformers');
  } catch (cause) {
    const what = 'Without WebGPU the model runs by transformers.js, which could not be loaded';
    const how = 'npm install @huggingface/transformers, version 4';
    throw new WebGPUUnavailableError(`${what}: ${how} (${messageOf(cause)})`, { cause });
  }
}

/** What transformers.js calls a dtype, and how it names the file. */
const DTYPES = {
  f32: { dtype: 'fp32', suffix: '' },
  f16: { dtype: 'fp16', suffix: '_fp16' },
  q8: { dtype: 'q8', suffix: '_quantized' },
  q4: { dtype: 'q4', suffix: '_q4' },
} as const satisfies Record<Dtype, unknown>;

/** ONNX Runtime's name of where it computes. In Node there is no WebAssembly of it. */
const DEVICE =
  (globalThis as { process?: { release?: { name?: string } } }).process?.release?.name === 'node' ? 'cpu' : 'wasm';

/** For `info.adapter`. */
export const DESCRIPTION = `transformers.js (${DEVICE === 'wasm' ? 'WebAssembly' : 'CPU'})`;

/** Of each token its id, whether it is attended to, and its type. */
export type Sequence = Record<'input_ids' | 'attention_mask' | 'token_type_ids', Uint32Array>;

/** f32 numbers, row-major. */
export interface Output {
  data: Float32Array;
  dims: number[];
}

export interface OnnxSession {
  /** The names of what the graph returns. */
  outputs: string[];
  /** Where its file is, for messages. */
  where: string;
  run(sequence: Sequence): Promise<Record<string, Output>>;
  dispose(): Promise<void>;
}

export interface SessionOptions extends Pick<FileOptions, 'revision' | 'onProgress' | 'signal'> {
  dtype: Dtype;
}

/** Loads the ONNX file of a place that transformers.js reads, with its own cache. Throws a ModelFileError, or the reason of the signal. */
export async function openSession(
  { AutoModel, Tensor }: TransformersJs,
  place: string,
  { dtype, revision = 'main', onProgress, signal }: SessionOptions,
): Promise<OnnxSession> {
  const { suffix, ...named } = DTYPES[dtype];
  const file = `onnx/model${suffix}.onnx`;
  const loading = AutoModel.from_pretrained(place, {
    ...named,
    device: DEVICE,
    revision,
    ...(onProgress && {
      progress_callback: (info) => {
        if (signal?.aborted || info.status !== 'progress') return;
        onProgress({ file: info.file, loaded: info.loaded, total: info.total });
      },
    }),
  });
  let model: PreTrainedModel;
  try {
    model = await unlessAborted(loading, signal);
  } catch (cause) {
    if (signal?.aborted) {
      loading.then((late) => late.dispose()).catch(() => {});
      throw cause;
    }
    throw new ModelFileError(
      `transformers.js could not load ${file} of ${shownUrl(place)}: ${messageOf(cause)} Without WebGPU a checkpoint runs from an ONNX file: if its repository has none, name one that has with the option onnx, such as 'onnx-community/ModernBERT-base-ONNX'; dtype chooses the file (${Object.entries(
        DTYPES,
      )
        .map(([name, { suffix }]) => `${name}: model${suffix}.onnx`)
        .join(', ')}).`,
      { cause },
    );
  }
  const { outputNames } = model.sessions.model as { outputNames: string[] };
  return {
    outputs: outputNames,
    where: `${file} of ${shownUrl(place)}`,
    async run(sequence) {
      const tensors = Object.entries(sequence).map(([name, list]) => [
        name,
        new Tensor('int64', BigInt64Array.from(list, BigInt), [1, list.length]),
      ]);
      const outputs: Record<string, Tensor> = await model.forward(Object.fromEntries(tensors));
      return Object.fromEntries(Object.entries(outputs).map(([name, tensor]) => [name, numbersOf(tensor)]));
    },
    async dispose() {
      await model.dispose();
    },
  };
}

const numbersOf = (tensor: Tensor): Output => ({
  data: (tensor.type === 'float32' ? tensor : tensor.to('float32')).data as Float32Array,
  dims: tensor.dims,
});

/**
 * A source as transformers.js names it: a Hub id, or the path of a folder of the page's own origin, for which `env.allowLocalModels` is turned on.
 * Throws a TypeError for others.
 */
export function placeOf(source: ModelSource, { env }: TransformersJs): string {
  if (typeof source !== 'string' && !(source instanceof URL)) {
    throw new TypeError(
      'Without WebGPU a model cannot run from picked files: transformers.js reads from the Hub or a folder of this site.',
    );
  }
  const place = String(source);
  if (isHubId(place)) return place;
  const url = folderUrl('The model source', place);
  if (url.origin !== globalThis.location?.origin || url.search) {
    throw new TypeError(
      `Without WebGPU the model source ${JSON.stringify(shownUrl(place))} cannot be used: transformers.js reads from the Hub, from a mirror of it (hubUrl), or from a folder of this site.`,
    );
  }
  env.allowLocalModels = true;
  return url.pathname.replace(/\/$/, '');
}
