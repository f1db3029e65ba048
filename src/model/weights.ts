import { ModelFileError } from '../api/errors';
import type { Dtype } from '../api/types';
import { listCheckpointFiles } from '../formats/checkpoint';
import { prepareFile, quantizedDtypeOf } from '../formats/convert';
import type { ModelFile, ModelFiles } from '../formats/model-files';
import type { QuantizedDtype } from '../formats/quantize';
import { missingFile, type StreamOptions } from '../formats/read';
import { type Metadata, readSafetensors, type TensorInfo } from '../formats/safetensors';
import type { Gpu } from '../gpu/device';
import { checkTensor, createUploader, type Placement, quantizedDtype } from './upload';

type Places = Map<string, Placement>;

/** What a checkpoint's tensors become, which is decided when the first file's header is known. */
export interface WeightPlaces {
  /** `stored`: what the file was converted to. */
  dtypeOf(tensors: TensorInfo[], stored: QuantizedDtype | undefined): Dtype;
  /** Where each tensor goes; called once, when the bytes begin to come. */
  placesOf(names: ReadonlySet<string>, dtype: Dtype): Places;
}

/** Streams the checkpoint's tensors to the GPU. Throws a ModelFileError for a missing, misshapen or broken tensor. */
export async function loadWeights(
  files: ModelFiles,
  gpu: Gpu,
  { dtypeOf, placesOf }: WeightPlaces,
  options: StreamOptions,
): Promise<void> {
  const checkpoint = await listCheckpointFiles(files, options);
  let dtype: Dtype | undefined;
  let places: Places = new Map();
  const choose = (tensors: TensorInfo[], stored: QuantizedDtype | undefined): Dtype => {
    if (dtype) return dtype;
    dtype = dtypeOf(tensors, stored);
    places = placesOf(new Set(checkpoint.weightMap?.keys() ?? tensors.map((t) => t.name)), dtype);
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
        if (!converted) choose(tensors, quantizedDtypeOf(metadata, name));
        return places;
      },
      { signal: options.signal, onProgress: converted ? undefined : options.onProgress },
    );
    for (const tensor of found) seen.add(tensor);
  }
  const missing = [...places.keys()].filter((name) => !seen.has(name));
  if (missing.length > 0) {
    const more = missing.length > 3 ? ` and ${missing.length - 3} more` : '';
    throw new ModelFileError(
      `${files.where}: the checkpoint lacks ${missing.length} of the tensors that config.json asks for: ${missing.slice(0, 3).join(', ')}${more}.`,
    );
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
  const name = `${folder}/model.safetensors`;
  const file = await files.open(name, options.signal);
  if (!file) throw missingFile(files, name);
  const seen = await uploadFile(gpu, files.keep?.(file) ?? file, () => places, options);
  const missing = [...places.keys()].find((tensor) => !seen.has(tensor));
  if (missing) throw new ModelFileError(`${name} has no tensor '${missing}', which ${folder}/config.json asks for.`);
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
