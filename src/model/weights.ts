import { ModelFileError } from '../api/errors';
import type { Dtype } from '../api/types';
import { listCheckpointFiles } from '../formats/checkpoint';
import { FIRST, prepareFile, quantizedDtypeOf } from '../formats/convert';
import type { ModelFile, ModelFiles } from '../formats/model-files';
import type { QuantizedDtype } from '../formats/quantize';
import { missingFile, type StreamOptions } from '../formats/read';
import { type Metadata, readSafetensors, readTensors, type TensorInfo } from '../formats/safetensors';
import type { Gpu } from '../gpu/device';
import type { TensorNames } from './tensors';
import { checkTensor, createUploader, type Placement, quantizedDtype } from './upload';

type Places = Map<string, Placement>;

/** What a checkpoint's tensors become, which is decided when the first file's header is known. */
export interface WeightPlaces {
  /** Where each tensor would go, without a GPU: the header is checked against it before anything is allocated. */
  declaredAs(names: TensorNames, dtype: Dtype): Places;
  /** `stored`: what the file was converted to. */
  dtypeOf(tensors: TensorInfo[], stored: QuantizedDtype | undefined): Dtype;
  /** Where each tensor goes; called once, when the bytes begin to come. */
  placesOf(names: TensorNames, dtype: Dtype): Places;
}

/** Streams the checkpoint's tensors to the GPU. Throws a ModelFileError for a missing, misshapen or broken tensor. */
export async function loadWeights(
  files: ModelFiles,
  gpu: Gpu,
  { declaredAs, dtypeOf, placesOf }: WeightPlaces,
  options: StreamOptions,
): Promise<void> {
  const checkpoint = await listCheckpointFiles(files, options);
  let dtype: Dtype | undefined;
  let places: Places = new Map();
  const choose = (tensors: TensorInfo[], metadata: Metadata, stored: QuantizedDtype | undefined): Dtype => {
    if (dtype) return dtype;
    const all = new Set(checkpoint.weightMap?.keys() ?? tensors.map((t) => t.name));
    const names: TensorNames = Object.assign(all, { haveQ8Tables: stored && metadata.version === FIRST });
    // Tensors as this file has them; other shards are checked as they come. An index can be that of the unquantised checkpoint.
    checkNames(declaredAs(names, 'f32'), names, files.where);
    checkShapes(tensors, declaredAs(names, stored ?? 'f32'), checkpoint.names[0]);
    dtype = dtypeOf(tensors, stored);
    checkAdded(files, declaredAs(names, 'f32'));
    places = placesOf(names, dtype);
    return dtype;
  };
  const quantizedAs = (name: string) => quantizedDtype(places.get(name));
  const seen = new Set<string>();
  for (const name of checkpoint.names) {
    const source = await checkpoint.open(name, options.signal);
    const converted = source.isPrepared ? undefined : await prepareFile(source, choose, quantizedAs, options);
    const file = converted ? (files.keep?.(converted) ?? converted) : source;
    const found = await uploadFile(
      gpu,
      file,
      (tensors, metadata) => {
        if (!converted) choose(tensors, metadata, quantizedDtypeOf(metadata, name));
        return places;
      },
      { signal: options.signal, onProgress: converted ? undefined : options.onProgress },
    );
    for (const tensor of found) seen.add(tensor);
  }
  checkNames(places, seen, files.where);
}

/** Throws a ModelFileError if a place has no tensor. */
function checkNames(places: Places, names: ReadonlySet<string>, where: string): void {
  const missing = [...places.keys()].filter((name) => !names.has(name));
  if (missing.length === 0) return;
  const more = missing.length > 3 ? ` and ${missing.length - 3} more` : '';
  throw new ModelFileError(
    `${where}: the checkpoint lacks ${missing.length} of the tensors that config.json asks for: ${missing.slice(0, 3).join(', ')}${more}.`,
  );
}

/** Throws a ModelFileError for a tensor that an adapter brings and the model does not read. */
function checkAdded(files: ModelFiles, places: Places): void {
  const unread = files.added?.()?.find((name) => !places.has(name));
  if (unread === undefined) return;
  throw new ModelFileError(
    `adapter_model.safetensors: nothing reads tensor '${unread}' that the adapter adds to the base in ${files.where}; its task_type may be wrong.`,
  );
}

/** Throws a ModelFileError if a tensor does not fit its place. */
function checkShapes(tensors: TensorInfo[], places: Places, file: string): void {
  for (const tensor of tensors) {
    const place = places.get(tensor.name);
    if (place) checkTensor(tensor, place, file);
  }
}

/** Bytes that modules may claim without a look into their files first, which costs a request each. */
const MOST_UNCHECKED = 64 << 20;

/**
 * Checks the headers of modules' own weights against what their config.json ask for, before anything is allocated, if they ask for much.
 * Throws a ModelFileError.
 */
export async function checkModuleWeights(
  files: ModelFiles,
  modules: { folder: string; places: Places }[],
  { signal }: StreamOptions,
): Promise<void> {
  const shapes = modules.flatMap(({ places }) => Array.from(places.values(), ({ shape }) => shape));
  const bytes = shapes.reduce((sum, shape) => sum + 4 * shape.reduce((a, b) => a * b, 1), 0);
  if (bytes <= MOST_UNCHECKED) return;
  for (const { folder, places } of modules) {
    if (places.size === 0) continue;
    const file = await openModule(files, folder, signal);
    const tensors = await readTensors(file, { signal });
    checkModule(folder, places, new Set(tensors.map(({ name }) => name)));
    checkShapes(tensors, places, file.name);
  }
}

/** Streams a module's own weights, FOLDER/model.safetensors, to the GPU; does nothing if the module has none. Throws what loadWeights throws. */
export async function loadModuleWeights(
  files: ModelFiles,
  gpu: Gpu,
  folder: string,
  places: Places,
  options: StreamOptions,
): Promise<void> {
  if (places.size === 0) return;
  const file = await openModule(files, folder, options.signal);
  checkModule(folder, places, await uploadFile(gpu, files.keep?.(file) ?? file, () => places, options));
}

async function openModule(files: ModelFiles, folder: string, signal: AbortSignal | undefined): Promise<ModelFile> {
  const name = `${folder}/model.safetensors`;
  const file = await files.open(name, signal);
  if (!file) throw missingFile(files, name);
  return file;
}

function checkModule(folder: string, places: Places, found: ReadonlySet<string>): void {
  const missing = [...places.keys()].find((tensor) => !found.has(tensor));
  if (missing) {
    throw new ModelFileError(
      `${folder}/model.safetensors has no tensor '${missing}', which ${folder}/config.json asks for.`,
    );
  }
}

/** Writes a file's tensors to their places. Resolves to the names of those that it has. */
async function uploadFile(
  gpu: Gpu,
  file: ModelFile,
  placesOf: (tensors: TensorInfo[], metadata: Metadata) => Places,
  options: StreamOptions,
): Promise<Set<string>> {
  const uploader = createUploader(gpu, file.name);
  const seen = new Set<string>();
  let places: Places = new Map();
  await readSafetensors(
    file,
    {
      header(tensors, metadata) {
        places = placesOf(tensors, metadata);
        for (const tensor of tensors) {
          const place = places.get(tensor.name);
          if (!place) continue;
          checkTensor(tensor, place, file.name);
          seen.add(tensor.name);
        }
        return places;
      },
      chunk: (tensor, _offset, bytes) => uploader.chunk(tensor, bytes, places.get(tensor.name)!),
    },
    options,
  );
  return seen;
}
