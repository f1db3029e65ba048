import { UnsupportedModelError } from '../api/errors';
import { f16ToF32 } from './float';
import type { ModelFile } from './model-files';
import type { StreamOptions } from './read';
import { readSafetensors } from './safetensors';

export interface Numbers {
  shape: number[];
  data: Float32Array<ArrayBuffer>;
}

const BF16 = new DataView(new ArrayBuffer(4));

/** Bytes of a number, and how to read it. Names are safetensors'. */
const READERS = new Map<string, [bytes: number, read: (view: DataView, at: number) => number]>([
  ['F64', [8, (view, at) => view.getFloat64(at, true)]],
  ['F32', [4, (view, at) => view.getFloat32(at, true)]],
  ['F16', [2, (view, at) => f16ToF32(view.getUint16(at, true))]],
  [
    'BF16',
    [
      2,
      (view, at) => {
        BF16.setUint16(0, view.getUint16(at, true));
        return BF16.getFloat32(0);
      },
    ],
  ],
  ['I64', [8, (view, at) => Number(view.getBigInt64(at, true))]],
  ['I32', [4, (view, at) => view.getInt32(at, true)]],
  ['I16', [2, (view, at) => view.getInt16(at, true)]],
  ['U16', [2, (view, at) => view.getUint16(at, true)]],
  ['I8', [1, (view, at) => view.getInt8(at)]],
  ['U8', [1, (view, at) => view.getUint8(at)]],
]);

/**
 * The tensors of these names that a safetensors file has, as f32: whole numbers up to 2²⁴ stay exact. Throws a ModelFileError for a broken file, an
 * UnsupportedModelError for another kind of numbers.
 */
export async function readNumbers(
  file: ModelFile,
  names: string[],
  options: StreamOptions,
): Promise<Map<string, Numbers>> {
  const found = new Map<string, Numbers>();
  await readSafetensors(
    file,
    {
      header(tensors) {
        for (const { name, dtype, shape } of tensors) {
          if (!names.includes(name)) continue;
          if (!READERS.has(dtype)) {
            throw new UnsupportedModelError(
              `${file.name}: ${name} is ${dtype}; known are ${[...READERS.keys()].join(', ')}.`,
            );
          }
          found.set(name, { shape, data: new Float32Array(shape.reduce((a, b) => a * b, 1)) });
        }
        return found;
      },
      chunk({ name, dtype }, offset, bytes) {
        const [size, read] = READERS.get(dtype)!;
        const { data } = found.get(name)!;
        const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
        const first = offset / size;
        for (let i = 0; i * size < bytes.length; i++) data[first + i] = read(view, i * size);
      },
    },
    options,
  );
  return found;
}
