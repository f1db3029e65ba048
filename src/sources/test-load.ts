import { listCheckpointFiles } from '../formats/checkpoint';
import { readJson } from '../formats/read';
import { readSafetensors } from '../formats/safetensors';
import { openFiles, type SourceOptions } from './source';

/** A load as far as files are concerned: a required one, one that may be missing, the weights. */
export async function loadAll(url: string, options: SourceOptions) {
  const files = openFiles(url, options);
  const config = await readJson(files, 'config.json', { required: true });
  const modules = await readJson(files, 'modules.json');
  const { names, open } = await listCheckpointFiles(files);
  const data: Uint8Array<ArrayBuffer>[] = [];
  await readSafetensors(await open(names[0]), {
    header: (tensors) => new Set(tensors.map(({ name }) => name)),
    chunk: (_, __, bytes) => void data.push(bytes.slice()),
  });
  return { config, modules, data: await new Blob(data).arrayBuffer() };
}
