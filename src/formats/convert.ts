/**
 * Converted checkpoints are ordinary safetensors files. f32 and f16: every tensor is F32 or F16, for any reader. q8 and q4: the matrices of the layers and
 * the embedding table are laid out as quantize.ts says, each under its own name and followed by its scales as `NAME.scales`;
 * other matrices are F16, vectors unchanged. `__metadata__` of quantised files names the format, so that other readers reject them.
 */
import { ModelFileError } from '../api/errors';
import type { Dtype } from '../api/types';
import { GLINER_CONFIG, isTransformer, listCheckpointFiles } from './checkpoint';
import { convertElements, isFloatDtype } from './float';
import { shown } from './json-fields';
import type { ModelFile, ModelFiles } from './model-files';
import { GROUP, isQuantized, K_STEP, type QuantizedDtype, quantize, quantizedBytes } from './quantize';
import { type ReadOptions, readJson } from './read';
import { type Rewriter, type RewrittenFile, rewriteSafetensors } from './rewrite';
import type { Metadata, TensorInfo } from './safetensors';

const FORMAT = 'modernbert-webgpu';
/** q4's version of the format. */
const VERSION = '2';
/** q8's version. In it q4 had q8 tables of embeddings. */
export const FIRST = '1';

/** What a file was quantised to; undefined for an ordinary file. Throws a ModelFileError for another version of the format. */
export function quantizedDtypeOf({ format, version, dtype = '' }: Metadata, file: string): QuantizedDtype | undefined {
  if (format !== FORMAT) return undefined;
  if ((version === VERSION || version === FIRST) && isQuantized(dtype)) return dtype;
  throw new ModelFileError(
    `${file} holds '${dtype}' weights in version ${version} of the format; this version of the library supports q8 and q4 up to version ${VERSION}. Update it, or convert the checkpoint again.`,
  );
}

/** What a tensor is quantised to; undefined for those that are not. A model's loader decides it (model/build.ts). */
export type QuantizedAs = (name: string) => QuantizedDtype | undefined;

/** What a tensor becomes; undefined if it stays as it is. */
function targetOf({ name, dtype, shape }: TensorInfo, to: Dtype, quantizedAs: QuantizedAs): Dtype | undefined {
  if (!isFloatDtype(dtype)) return undefined;
  if (to === 'f32') return dtype === 'F32' ? undefined : 'f32';
  const half = dtype === 'F16' ? undefined : 'f16';
  if (to === 'f16') return half;
  if (shape.length === 1) return undefined;
  const quantized = quantizedAs(name);
  if (quantized && (shape.length !== 2 || shape[1] % K_STEP !== 0)) {
    throw new ModelFileError(
      `Tensor '${name}' has shape ${shown(shape)} and cannot be quantised; it must have two dimensions, the second a multiple of ${K_STEP}, by config.json.`,
    );
  }
  return quantized ?? half;
}

/** What the tensors of a file become (undefined: unchanged), and the `__metadata__` of the result. */
interface Conversion {
  targetOf(tensor: TensorInfo): Dtype | undefined;
  metadata: Metadata;
}

/**
 * The file with its weights converted, as a stream that holds a few MB: chunks of the source become chunks of the result. Resolves once
 * the header of the source is read. The stream fails with a ModelFileError for a broken source or a value that `to` cannot hold; cancelling
 * it cancels the source. `quantizedIn`: given the names of the file's tensors.
 */
export const convertFile = (
  file: ModelFile,
  to: Dtype,
  quantizedIn: (names: string[]) => QuantizedAs,
  options: ReadOptions = {},
) =>
  convertAs(
    file,
    (metadata, tensors) => {
      if (quantizedDtypeOf(metadata, file.name)) {
        throw new ModelFileError(`${file.name} is already converted to ${metadata.dtype}; convert the original.`);
      }
      const quantizedAs = quantizedIn(tensors.map(({ name }) => name));
      return { targetOf: (tensor) => targetOf(tensor, to, quantizedAs), metadata: metadataOf(to, metadata) };
    },
    options,
  );

/**
 * The file as the loader uploads it to the GPU: quantised, or with its matrices as f16. `choose` returns the dtype once the header is
 * known. Files that are already converted, or are to be f32, stay unchanged.
 */
export const prepareFile = (
  file: ModelFile,
  choose: (tensors: TensorInfo[], metadata: Metadata, stored: QuantizedDtype | undefined) => Dtype,
  quantizedAs: QuantizedAs,
  options: ReadOptions = {},
) =>
  convertAs(
    file,
    (metadata, tensors) => {
      const stored = quantizedDtypeOf(metadata, file.name);
      const to = choose(tensors, metadata, stored);
      if (stored || to === 'f32') return { targetOf: () => undefined, metadata };
      const isVector = ({ shape }: TensorInfo) => shape.length === 1; // f32 on the GPU
      return {
        targetOf: (tensor) => (isVector(tensor) ? undefined : targetOf(tensor, to, quantizedAs)),
        metadata: metadataOf(to, metadata),
      };
    },
    options,
  );

const metadataOf = (to: Dtype, metadata: Metadata): Metadata =>
  isQuantized(to)
    ? { format: FORMAT, version: to === 'q4' ? VERSION : FIRST, dtype: to }
    : { format: 'pt', ...metadata };

function convertAs(
  file: ModelFile,
  conversionOf: (metadata: Metadata, tensors: TensorInfo[]) => Conversion,
  options: ReadOptions,
): Promise<RewrittenFile> {
  const targets = new Map<string, Dtype | undefined>();
  const values = new Float32Array(1 << 19); // of one chunk of 1 MiB
  let scales = new Uint16Array();

  const rewriter: Rewriter = {
    header(tensors, metadata) {
      const conversion = conversionOf(metadata, tensors);
      const entries = tensors.flatMap((tensor) => {
        const target = conversion.targetOf(tensor);
        targets.set(tensor.name, target);
        return entriesOf(tensor, target);
      });
      return { entries, metadata: conversion.metadata };
    },
    async chunk(tensor, offset, bytes, write) {
      const { name, dtype, begin, end } = tensor;
      const target = targets.get(name);
      if (!target || !isFloatDtype(dtype)) return write(bytes.slice());
      const size = dtype === 'F32' ? 4 : 2;
      const elements = { file: file.name, tensor: name, index: offset / size };
      const count = bytes.length / size;
      if (!isQuantized(target)) {
        const converted = target === 'f16' ? new Uint16Array(count) : new Float32Array(count);
        convertElements(elements, bytes, dtype, converted);
        return write(new Uint8Array(converted.buffer));
      }
      if (offset === 0) scales = new Uint16Array((end - begin) / size / GROUP);
      const part = values.subarray(0, count);
      convertElements(elements, bytes, dtype, part);
      const integers = new Uint8Array(quantizedBytes(count, target));
      quantize(part, target, integers, scales.subarray(elements.index / GROUP), elements);
      await write(integers);
      if (offset + bytes.length === end - begin) await write(new Uint8Array(scales.buffer));
    },
  };
  return rewriteSafetensors(file, rewriter, options);
}

/**
 * Yields the converted weight files of a checkpoint, then the index if there is one. Each file must be read to its end, or cancelled,
 * before the next. Other files of the folder (config.json, tokenizer, …) need no conversion. Throws a ModelFileError as loading the
 * checkpoint does.
 */
export async function* convertCheckpoint(
  files: ModelFiles,
  to: Dtype,
  quantizedBy: (config: unknown, dtype: Dtype) => Promise<(names: ReadonlySet<string>) => QuantizedAs>,
  options: ReadOptions = {},
): AsyncGenerator<ModelFile & { size: number }> {
  const own = await readJson(files, 'config.json', { ...options, required: false });
  const gliner = isTransformer(own) ? undefined : await readJson(files, GLINER_CONFIG, options);
  const config = gliner ?? own ?? (await readJson(files, 'config.json', { ...options, required: true }));
  const quantizedIn = await quantizedBy(config, to);
  const { names, weightMap, open } = await listCheckpointFiles(files, options);
  const weight_map: Record<string, string> = {};
  let total_size = 0;
  for (const name of names) {
    const file = await convertFile(
      await open(name, options.signal),
      to,
      (own) => quantizedIn(new Set(weightMap?.keys() ?? own)),
      options,
    );
    for (const tensor of file.tensors) weight_map[tensor] = name;
    total_size += file.size;
    yield file;
  }
  if (weightMap) {
    const index = new Blob([JSON.stringify({ metadata: { total_size }, weight_map }, null, 2)]);
    yield { name: 'model.safetensors.index.json', size: index.size, stream: index.stream() };
  }
}

/** The tensors of the result that a tensor of the source becomes. */
function entriesOf({ name, dtype, shape, begin, end }: TensorInfo, target: Dtype | undefined) {
  if (!target) return [{ name, dtype, shape, bytes: end - begin }];
  const count = shape.reduce((a, b) => a * b, 1);
  if (target === 'f16') return [{ name, dtype: 'F16', shape, bytes: 2 * count }];
  if (target === 'f32') return [{ name, dtype: 'F32', shape, bytes: 4 * count }];
  const [n, k] = shape;
  const integers = target === 'q8' ? { dtype: 'I8', shape } : { dtype: 'U8', shape: [n, k / 2] };
  return [
    { name, ...integers, bytes: quantizedBytes(count, target) },
    { name: `${name}.scales`, dtype: 'F16', shape: [n, k / GROUP], bytes: (2 * count) / GROUP },
  ];
}
