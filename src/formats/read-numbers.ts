import { UnsupportedModelError } from '../api/errors';
import { convertElements, isFloatDtype } from './float';
import type { ModelFile } from './model-files';
import type { StreamOptions } from './read';
import { readSafetensors, type TensorInfo } from './safetensors';

export interface Numbers {
  shape: number[];
  data: Float32Array<ArrayBuffer>;
}

/** Of what is neither F32, F16 nor BF16: bytes of a number, and how to read it. */
const OTHERS = new Map<string, [bytes: number, read: (view: DataView, at: number) => number]>([
  ['F64', [8, (view, at) => view.getFloat64(at, true)]],
  ['I64', [8, (view, at) => Number(view.getBigInt64(at, true))]],
  ['I32', [4, (view, at) => view.getInt32(at, true)]],
  ['I16', [2, (view, at) => view.getInt16(at, true)]],
  ['I8', [1, (view, at) => view.getInt8(at)]],
]);
const BYTES = { F32: 4, F16: 2, BF16: 2 };

/**
 * The tensors of a safetensors file that are wanted, as f32: whole numbers up to 2²⁴ stay exact. Throws a ModelFileError for a broken file, an
 * UnsupportedModelError for another kind of numbers, and what `isWanted` throws.
 */
export async function readNumbers(
  file: ModelFile,
  isWanted: (tensor: TensorInfo) => boolean,
  options: StreamOptions,
): Promise<Map<string, Numbers>> {
  const found = new Map<string, Numbers>();
  await readSafetensors(
    file,
    {
      header(tensors) {
        for (const tensor of tensors) {
          if (!isWanted(tensor)) continue;
          const { name, dtype, shape } = tensor;
          if (!isFloatDtype(dtype) && !OTHERS.has(dtype)) {
            const known = [...Object.keys(BYTES), ...OTHERS.keys()].join(', ');
            throw new UnsupportedModelError(`${file.name}: ${name} is ${dtype}; known are ${known}.`);
          }
          found.set(name, { shape, data: new Float32Array(shape.reduce((a, b) => a * b, 1)) });
        }
        return found;
      },
      chunk({ name, dtype }, offset, bytes) {
        const { data } = found.get(name)!;
        if (isFloatDtype(dtype)) {
          const index = offset / BYTES[dtype];
          convertElements({ file: file.name, tensor: name, index }, bytes, dtype, data, index);
          return;
        }
        const [size, read] = OTHERS.get(dtype)!;
        const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
        for (let at = 0; at < bytes.length; at += size) data[(offset + at) / size] = read(view, at);
      },
    },
    options,
  );
  return found;
}
