/** How much a load would download. */
import { listCheckpointFiles } from '../formats/checkpoint';
import { inFolder, type ModelFile, type ModelFiles } from '../formats/model-files';
import { readTensors } from '../formats/safetensors';
import type { OpenOptions } from './load-runtime';

/** The same files, which note what is read of them, and the bytes of all that a load would read. */
export function downloadOf(from: ModelFiles, { signal }: OpenOptions) {
  const sizes = new Map<string, number>();
  const files: ModelFiles = {
    ...from,
    async open(name, ...rest) {
      const file = await from.open(name, ...rest);
      if (!file) return undefined;
      sizes.set(name, file.size ?? 0);
      return file.size === undefined && !isWeights(name) ? counted(file, sizes) : file;
    },
  };

  /** Notes the size of a file that was not read. A server may not tell it; the header of weights does. */
  async function note(name: string): Promise<void> {
    if (sizes.get(name)) return;
    const file = await files.open(name, signal, true);
    if (file && file.size === undefined && isWeights(name)) {
      sizes.set(name, (await readTensors(file, { signal })).at(-1)?.end ?? 0);
    } else await file?.stream.cancel();
  }

  return {
    files,
    /** `weights` and `tokenizers`: the folders where the load reads some. */
    async bytes({ weights, tokenizers }: { weights: string[]; tokenizers: string[] }): Promise<number> {
      const at = (folder: string, name: string) => (folder ? `${folder}/${name}` : name);
      for (const folder of weights) {
        const isSharded = sizes.has(at(folder, 'model.safetensors.index.json'));
        const names = isSharded
          ? (await listCheckpointFiles(inFolder(files, folder), { signal })).names
          : ['model.safetensors'];
        for (const name of names) await note(at(folder, name));
      }
      for (const folder of tokenizers) await note(at(folder, 'tokenizer.json'));
      return [...sizes.values()].reduce((sum, size) => sum + size, 0);
    },
  };
}

const isWeights = (name: string): boolean => name.endsWith('.safetensors');

/** The file, whose bytes are counted as they are read. */
function counted(file: ModelFile, sizes: Map<string, number>): ModelFile {
  let read = 0;
  const count = new TransformStream<Uint8Array, Uint8Array>({
    transform(chunk, controller) {
      read += chunk.byteLength;
      sizes.set(file.name, read);
      controller.enqueue(chunk);
    },
  });
  return { ...file, stream: file.stream.pipeThrough(count) };
}
