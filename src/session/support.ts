/** Answers `isSupported` in this thread: a part of the worker, and a chunk of the page without one. */
import { ModelFileError, UnsupportedModelError, WebGPUUnavailableError } from '../api/errors';
import type { Support, SupportedModel, UnsupportedReason } from '../api/support';
import type { ModelSource } from '../api/types';
import type { Identity, ModelFiles } from '../formats/model-files';
import { messageOf, readJson } from '../formats/read';
import type { Gpu } from '../gpu/device';
import { isSoftware } from '../gpu/profile';
import { adapterName } from '../gpu/remembered';
import { type InputModule, readPipeline } from '../model/pipeline';
import { openFiles } from '../sources/source';
import { isRemote } from '../sources/urls';
import { cachedFiles } from '../store/cache';
import { estimate, TooLargeError } from './estimate';
import { downloadOf } from './file-sizes';
import { type GivenOptions, type OpenOptions, withDtype } from './load-runtime';
import { withoutWebgpu } from './no-webgpu';
import { type Adapters, withConfig } from './opener';
import { adapterOf, describe, deviceOf } from './plan';

/** There is no device. */
class NoDeviceError extends Error {
  constructor(
    readonly reason: UnsupportedReason,
    message: string,
  ) {
    super(message);
  }
}

/** What is found out on the way. */
type Found = Pick<Support, 'adapter'>;

/**
 * Whether `source`, or without it any model, would load here with these options. Rejects with the reason of `signal`, and for what is no source or no
 * option, as the load would.
 */
export async function supportOf(source: ModelSource | undefined, given: GivenOptions & Adapters): Promise<Support> {
  const { adapter, adapters, ...rest } = given;
  const options: OpenOptions = { ...withDtype(rest), onProgress: undefined };
  options.signal?.throwIfAborted();
  const isMerged = adapter !== undefined || adapters !== undefined;
  const found: Found = {};
  try {
    const model =
      source === undefined
        ? await withDevice(options, found, async () => undefined)
        : await ofSource(source, options, isMerged, found);
    return { supported: true, ...found, ...(model && { model }), ...slowness(found) };
  } catch (error) {
    const reason = reasonOf(error);
    if (!reason) throw error;
    return { supported: false, reason, message: messageOf(error), ...found };
  }
}

function reasonOf(error: unknown): UnsupportedReason | undefined {
  if (error instanceof NoDeviceError) return error.reason;
  if (error instanceof TooLargeError) return 'too-little-memory';
  if (error instanceof WebGPUUnavailableError) return 'no-device'; // for these options
  return error instanceof UnsupportedModelError || error instanceof ModelFileError ? 'model-not-supported' : undefined;
}

const slowness = ({ adapter }: Found): Pick<Support, 'message'> =>
  adapter?.isSoftware
    ? {
        message: `WebGPU runs on the CPU here (${adapterName(adapter)}): models are slow. If the machine has a graphics card, turn on hardware acceleration in the browser's settings.`,
      }
    : {};

/** Runs `use` with a device, which is freed at the end. */
async function withDevice<T>(options: OpenOptions, found: Found, use: (gpu: Gpu) => Promise<T>): Promise<T> {
  const or = (reason: UnsupportedReason) => (error: unknown) => {
    throw error instanceof RangeError ? error : new NoDeviceError(reason, messageOf(error));
  };
  const source = typeof options.gpu === 'function' ? await options.gpu().catch(or('no-webgpu')) : options.gpu;
  if (!source) {
    const { reason, message } = withoutWebgpu();
    throw new NoDeviceError(reason, message);
  }
  const adapter = await adapterOf({ ...options, gpu: source }).catch(or('no-adapter'));
  const gpu = await deviceOf(adapter, options).catch(or('no-device'));
  const { maxBufferSize, maxStorageBufferBindingSize } = gpu.limits;
  found.adapter = {
    ...gpu.info,
    isSoftware: isSoftware(adapter.info),
    features: [...gpu.device.features].filter((name) => !name.startsWith('core-')),
    maxBufferSize,
    maxStorageBufferBindingSize,
  };
  try {
    return await use(gpu);
  } finally {
    gpu.device.destroy();
  }
}

/** `isMerged`: an adapter goes into these files; it is not looked at, as it brings a head at the most. */
async function ofSource(
  source: ModelSource,
  options: OpenOptions,
  isMerged: boolean,
  found: Found,
): Promise<SupportedModel> {
  const asKept: OpenOptions = isMerged ? { ...options, dtype: 'f32' } : options; // an adapter's base is stored as it is
  const stored = await cachedFiles(openFiles(source, options), asKept);
  const { keep: _, ...files } = stored; // nothing is stored
  try {
    const started = isMerged ? files : await withConfig(files, options.signal);
    if (started) {
      const dtype = isMerged ? options.dtype : (stored.dtype ?? options.dtype);
      return await ofFiles(started, { ...options, dtype }, stored.dtype !== undefined, found);
    }
    const { namedBase, readLoraConfig } = await import('./adapters');
    const where = `adapter_config.json in ${files.where}`;
    const config = readLoraConfig(await readJson(files, 'adapter_config.json', options), where);
    const base = namedBase(source, { config, where: files.where }, options);
    return await ofSource(base.named, base.options, true, found);
  } finally {
    await stored.discard(undefined); // lets go of what is stored
  }
}

async function ofFiles(all: ModelFiles, options: OpenOptions, cached: boolean, found: Found): Promise<SupportedModel> {
  const isHere = cached || isOnDevice(all.identity);
  const download = downloadOf(all, options);
  const { files } = download;
  const pipeline = await readPipeline(files, options);
  const isTable = ({ kind }: InputModule) => kind !== 'Transformer';
  const describeAll = async (gpu?: Gpu) => {
    const models = [];
    for (const input of pipeline.inputs) {
      models.push(
        isTable(input)
          ? await (await import('./static-model')).describeTable(files, pipeline, input, options)
          : await estimate(await describe(files, pipeline, input, options), gpu!, options),
      );
    }
    return models;
  };
  const models = pipeline.inputs.every(isTable)
    ? await describeAll()
    : await withDevice(options, found, (gpu) => describeAll(gpu));
  // As `Model.info`: of what reads texts of no kind, but for the device's part.
  const usual =
    models[
      Math.max(
        0,
        pipeline.inputs.findIndex(({ chains }) => chains.any),
      )
    ];
  const onGpu =
    models[
      Math.max(
        0,
        pipeline.inputs.findIndex((input) => !isTable(input)),
      )
    ];
  const sum = (key: 'weightBytes' | 'gpuBytes') => models.reduce((total, model) => total + model[key], 0);
  const inputs = pipeline.inputs.map(({ path }) => path);
  const { labels } = pipeline.gliner ?? {};
  const folders = {
    weights: [...inputs, ...models.flatMap(({ moduleFolders }) => moduleFolders)],
    tokenizers: [...inputs, ...(labels ? [labels.tokenizer] : [])],
  };
  return {
    task: usual.task,
    architecture: onGpu.architecture,
    dtype: onGpu.dtype,
    maxTokens: usual.maxTokens,
    cached,
    downloadBytes: isHere ? 0 : await download.bytes(folders),
    weightBytes: sum('weightBytes'),
    gpuBytes: sum('gpuBytes'),
  };
}

/** Files of this machine, of the user's choice or of the app itself. */
const isOnDevice = (identity: Identity | undefined): boolean =>
  !identity || (identity.revision === undefined && !isRemote(identity.source));
