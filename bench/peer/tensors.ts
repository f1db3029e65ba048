// A checkpoint's tensors in memory, as f32.
import { listCheckpointFiles } from '../../src/formats/checkpoint';
import { convertChunk, type FloatDtype } from '../../src/formats/float';
import type { ModelFiles } from '../../src/formats/model-files';
import { readJson } from '../../src/formats/read';
import { readSafetensors } from '../../src/formats/safetensors';

export interface Tensor {
  shape: number[];
  data: Float32Array<ArrayBuffer>;
}

export const floats = (values: Iterable<number>): Float32Array<ArrayBuffer> => Float32Array.from(values);

/** config.json and all tensors of a checkpoint by the ends of their names: prefixes such as `model.` and `bert.` are left out. */
export async function readCheckpoint(files: ModelFiles) {
  const config = (await readJson(files, 'config.json', {})) as Record<string, unknown>;
  const tensors = new Map<string, Tensor>();
  const { names, open } = await listCheckpointFiles(files);
  for (const name of names) {
    await readSafetensors(await open(name), {
      header: (infos) => {
        for (const { name, shape } of infos) {
          tensors.set(name, { shape, data: new Float32Array(shape.reduce((a, b) => a * b, 1)) });
        }
        return tensors;
      },
      chunk: ({ name, dtype, shape, begin, end }, offset, bytes) => {
        const size = (end - begin) / shape.reduce((a, b) => a * b, 1);
        convertChunk(bytes, dtype as FloatDtype, tensors.get(name)!.data, offset / size);
      },
    });
  }
  const unprefixed = [...tensors].map(([name, tensor]) => [name.replace(/^(model|bert)\./, ''), tensor] as const);
  return { config, tensors: new Map(unprefixed) };
}

/** The transpose of a matrix. */
export function transposed({ shape: [rows, columns], data }: Tensor): Tensor {
  const result = new Float32Array(data.length);
  for (let row = 0; row < rows; row++) {
    for (let column = 0; column < columns; column++) result[column * rows + row] = data[row * columns + column];
  }
  return { shape: [columns, rows], data: result };
}
