/** A base's checkpoint with an adapter merged in: the same files, whose weights are changed while they are read. */
import { ModelFileError, UnsupportedModelError } from '../../api/errors';
import { quantizedDtypeOf } from '../../formats/convert';
import { convertElements, isFloatDtype } from '../../formats/float';
import { isObject, type Json, shown } from '../../formats/json-fields';
import type { ModelFile, ModelFiles } from '../../formats/model-files';
import { dequantize, type QuantizedDtype, quantize, quantizedBytes } from '../../formats/quantize';
import { type ReadOptions, readJson } from '../../formats/read';
import { type Rewriter, rewriteSafetensors } from '../../formats/rewrite';
import type { TensorInfo } from '../../formats/safetensors';
import type { Adapter, Edit, Values } from './adapter';

const INDEX = 'model.safetensors.index.json';
const isWeights = (name: string): boolean => name.endsWith('.safetensors') && !name.includes('/');

/**
 * The files of `base` as they are in the checkpoint, not as they are on the GPU, with an adapter merged in if there is one: W + scale · B · A,
 * computed from the file's values and handed on in f32. What `base.keep` stores stays the base's own.
 */
export function mergedFiles(base: ModelFiles, adapter: Adapter | undefined): ModelFiles {
  const { keep, ...rest } = base;
  const openBase: ModelFiles['open'] = async (name, signal, isOptional) => {
    const found = await base.open(name, signal, isOptional);
    const file = found && (keep?.(found) ?? found);
    return file && { name, size: file.size, stream: file.stream };
  };
  if (!adapter) return { ...rest, open: openBase };

  const own: ModelFiles = { ...rest, open: openBase };
  const changed = async (name: string, change: (json: Json) => Json, options: ReadOptions) => {
    const json = await readJson(own, name, options);
    if (!isObject(json)) return json === undefined ? undefined : jsonFile(name, json);
    return jsonFile(name, change(json));
  };
  /** Of all shards, once their index is read. */
  let sharded: { names: ReadonlySet<string>; first: string } | undefined;
  let added: string[] | undefined;

  return {
    ...rest,
    added: () => added,
    adapter: { files: adapter.files, values: sampleOf(adapter) },
    async open(name, signal, isOptional) {
      if (name === 'config.json') return changed(name, (json) => configOf(json, adapter), { signal });
      if (name === INDEX) {
        return changed(
          name,
          (json) => {
            const map = isObject(json.weight_map) ? json.weight_map : {};
            const names = new Set(Object.keys(map));
            const first = String(Object.values(map)[0]);
            sharded = { names, first };
            const { extra } = placed(adapter, names, own.where);
            return { ...json, weight_map: { ...map, ...Object.fromEntries(extra.map(([tensor]) => [tensor, first])) } };
          },
          { signal },
        );
      }
      if (!isWeights(name)) return (await adapter.open(name, signal, isOptional)) ?? openBase(name, signal, isOptional);
      const file = await openBase(name, signal, isOptional);
      if (!file) return undefined;
      const placesOf = (own: string[]) => {
        const { edits, extra } = placed(adapter, sharded?.names ?? new Set(own), base.where);
        added = extra.map(([tensor]) => tensor);
        return { edits, extra: !sharded || sharded.first === name ? extra : [] };
      };
      return mergedFile(file, placesOf, signal);
    },
  };
}

/** Numbers of an adapter's last tensor that changes: its training made them. */
function sampleOf({ edits }: Adapter): Float32Array {
  const { whole, b, plus, lengths } = [...edits.values()].at(-1)!;
  return (whole ?? b ?? plus ?? lengths)!.data.subarray(0, 1 << 16);
}

function jsonFile(name: string, json: unknown): ModelFile {
  const blob = new Blob([JSON.stringify(json, null, 2)]);
  return { name, size: blob.size, stream: blob.stream() };
}

/** The base's config.json for the class that the adapter makes of it. A classifier that the adapter brings says how many labels there are. */
function configOf(json: Json, { config, edits }: Adapter): Json {
  // An adapter of the table does not change an output that shares it.
  const losesHead = config.isForFeatures && [...edits.values()].some(({ isTable }) => isTable);
  const classSuffix = losesHead ? 'Model' : config.classSuffix;
  const [name = ''] = Array.isArray(json.architectures) ? json.architectures : [];
  const architectures = classSuffix ? [String(name).replace(/(For[A-Za-z]+|Model)$/, '') + classSuffix] : undefined;
  const last = [...edits].find(([tensor]) => /(^|\.)(score|qa_outputs|classifier(\.out_proj)?)\.weight$/.test(tensor));
  const labels = last?.[1].whole?.shape[0];
  const known = isObject(json.id2label) ? Object.keys(json.id2label).length : json.num_labels;
  return {
    ...json,
    ...(architectures && { architectures }),
    ...(labels !== undefined && labels !== known && { num_labels: labels, id2label: undefined, label2id: undefined }),
  };
}

/** The edits by the base's names, and the tensors that the base lacks. */
function placed({ edits, config }: Adapter, names: ReadonlySet<string>, where: string) {
  const nameOf = namesOf(names);
  const found = new Map<string, Edit>();
  const extra: [string, Values][] = [];
  for (const [name, edit] of edits) {
    const own = nameOf(name);
    if (own !== undefined) found.set(own, edit);
    else if (edit.whole && !edit.a && !edit.plus) extra.push([name, edit.whole]);
    else {
      const [part] = [edit.a, edit.plus].filter((values) => values !== undefined);
      throw new ModelFileError(
        `${part?.file} has ${shown(part?.name)}, but the base in ${where} has no tensor '${name}': is it the base that the adapter was trained on?`,
      );
    }
    // Its input is the table with the adapter, its output the table without it.
    const isTied =
      edit.isTable &&
      !config.isForFeatures &&
      config.classSuffix === undefined &&
      names.has('decoder.bias') &&
      !names.has('decoder.weight');
    if (isTied && !config.ensure_weight_tying) {
      throw new UnsupportedModelError(
        `The adapter changes the embedding table '${name}' but not the masked language model's output, which shares it (ensure_weight_tying is false); that is not supported.`,
      );
    }
  }
  return { edits: found, extra };
}

/** transformers' task classes put the encoder's name before its tensors (model., bert.), the encoder's own class does not. */
function namesOf(names: ReadonlySet<string>): (name: string) => string | undefined {
  const withoutFirst = (name: string) => name.slice(name.indexOf('.') + 1);
  const long = new Map([...names].map((name) => [withoutFirst(name), name]));
  return (name) => (names.has(name) ? name : names.has(withoutFirst(name)) ? withoutFirst(name) : long.get(name));
}

/** `placesOf`: given the names of the file's tensors. */
function mergedFile(
  file: ModelFile,
  placesOf: (names: string[]) => { edits: Map<string, Edit>; extra: [string, Values][] },
  signal: AbortSignal | undefined,
): Promise<ModelFile> {
  let edits = new Map<string, Edit>();
  let extra: [string, Values][] = [];
  let stored: QuantizedDtype | undefined;
  /** All bytes of the tensor that changes, and its integers until their scales have come. */
  let whole = new Uint8Array();
  let integers = new Uint8Array();
  let quantized: QuantizedDtype = 'q8'; // q4 files of version 1 have q8 tables

  const rewriter: Rewriter = {
    header(tensors, metadata) {
      stored = quantizedDtypeOf(metadata, file.name);
      ({ edits, extra } = placesOf(tensors.map(({ name }) => name)));
      const entries = tensors.map((tensor) => {
        const { name, dtype, shape, begin, end } = tensor;
        const edit = edits.get(name);
        if (edit) checkShapes(tensor, edit, stored);
        if (!edit || !isFloatDtype(dtype)) return { name, dtype, shape, bytes: end - begin };
        return entryOf(name, edit.whole?.shape ?? shape);
      });
      return { entries: [...entries, ...extra.map(([name, { shape }]) => entryOf(name, shape))], metadata };
    },

    async chunk({ name, dtype, shape, begin, end }, offset, bytes, write) {
      const scaled = stored && name.endsWith('.scales') ? name.slice(0, -'.scales'.length) : undefined;
      const edit = edits.get(scaled ?? name);
      if (!edit) return write(bytes.slice());
      if (offset === 0) whole = new Uint8Array(end - begin);
      whole.set(bytes, offset);
      if (offset + bytes.length < whole.length) return;
      if (scaled) {
        const scales = new Uint16Array(whole.buffer);
        const values = applied(edit, dequantize(integers, scales, quantized));
        const changed = new Uint8Array(quantizedBytes(values.length, quantized));
        quantize(values, quantized, changed, scales, { file: file.name, tensor: scaled, index: 0 });
        await write(changed);
        await write(whole);
      } else if (isFloatDtype(dtype)) {
        const values = new Float32Array(shape.reduce((a, b) => a * b, 1));
        convertElements({ file: file.name, tensor: name, index: 0 }, whole, dtype, values);
        await write(bytesOf(applied(edit, values)));
      } else {
        integers = whole;
        quantized = dtype === 'I8' ? 'q8' : 'q4';
      }
    },

    async end(write) {
      for (const [, { data }] of extra) await write(bytesOf(data));
    },
  };
  return rewriteSafetensors(file, rewriter, { signal });
}

const entryOf = (name: string, shape: number[]) => ({
  name,
  dtype: 'F32',
  shape,
  bytes: 4 * shape.reduce((a, b) => a * b, 1),
});

const bytesOf = ({ buffer, byteOffset, byteLength }: Float32Array) => new Uint8Array(buffer, byteOffset, byteLength);

/** Throws a ModelFileError for an edit that does not fit the base's tensor. */
function checkShapes({ name, dtype, shape }: TensorInfo, edit: Edit, stored: QuantizedDtype | undefined): void {
  const { a, b, plus, lengths, isTable } = edit;
  const isQuantized = stored !== undefined && !isFloatDtype(dtype);
  if (!isQuantized && !isFloatDtype(dtype)) {
    throw new ModelFileError(`The base's tensor '${name}' has dtype ${dtype}, which an adapter cannot change.`);
  }
  const own = isQuantized && dtype === 'U8' ? [shape[0], shape[1] * 2] : shape;
  if (isQuantized && edit.whole && edit.whole.shape.join() !== own.join()) {
    throw misfit(edit.whole, own, name, own);
  }
  const [rows, columns] = edit.whole?.shape ?? own;
  const wanted: [Values | undefined, number[]][] = [
    [a, [a?.shape[0] ?? 0, isTable ? rows : columns]],
    [b, [isTable ? columns : rows, a?.shape[0] ?? 0]],
    [plus, [rows]],
    [lengths, [rows]],
  ];
  for (const [values, must] of wanted) {
    if (values && values.shape.join() !== must.join()) throw misfit(values, must, name, own);
  }
}

const misfit = (values: Values, must: number[], name: string, own: number[]) =>
  new ModelFileError(
    `${values.file}: ${shown(values.name)} has shape [${values.shape}]; the base's '${name}' has [${own}], so it must be [${must}].`,
  );

/** The tensor with its edit, in place unless the edit brings it whole. */
function applied({ whole, plus, a, b, scale, isTable, lengths }: Edit, given: Float32Array<ArrayBuffer>) {
  const values = whole ? whole.data.slice() : given;
  if (plus) for (let i = 0; i < values.length; i++) values[i] += scale * plus.data[i];
  if (!a || !b) return values;
  const rank = b.shape[1];
  // Of a table, B · A is the transpose of what is added: A's columns are its rows.
  const [rows, columns] = isTable ? [a.shape[1], b.shape[0]] : [b.shape[0], a.shape[1]];
  const left = isTable ? transposed(a) : b.data; // [rows, rank]
  const right = isTable ? transposed(b) : a.data; // [rank, columns]
  const sums = new Float64Array(columns);
  const factor32 = Math.fround(scale);
  for (let row = 0; row < rows; row++) {
    sums.fill(0);
    for (let j = 0; j < rank; j++) {
      const factor = left[row * rank + j];
      const at = j * columns;
      for (let c = 0; c < columns; c++) sums[c] += factor * right[at + c];
    }
    const at = row * columns;
    for (let c = 0; c < columns; c++) values[at + c] += Math.fround(factor32 * Math.fround(sums[c])); // as peft's merge
    if (lengths) toLength(values.subarray(at, at + columns), lengths.data[row]);
  }
  return values;
}

/** DoRA: the row keeps its direction. */
function toLength(row: Float32Array, length: number): void {
  const factor = length / Math.sqrt(row.reduce((sum, x) => sum + x * x, 0));
  for (let c = 0; c < row.length; c++) row[c] *= factor;
}

function transposed({ data, shape: [n, k] }: Values): Float32Array {
  const result = new Float32Array(data.length);
  for (let row = 0; row < n; row++) for (let c = 0; c < k; c++) result[c * n + row] = data[row * k + c];
  return result;
}
