/** Writes a converted checkpoint to a folder. Node only. */
import { mkdir, open, readdir, rename, rm, rmdir } from 'node:fs/promises';
import { basename, dirname, join, resolve } from 'node:path';
import process from 'node:process';
import { type ConvertedDtype, convertCheckpoint } from './convert';
import type { ModelFiles } from './model-files';
import { type ReadOptions, readBytes, readJson } from './read';

/** Files besides the weights that this or other loaders read. */
const SMALL_FILES = [
  'config.json',
  'tokenizer.json',
  'tokenizer_config.json',
  'special_tokens_map.json',
  'modules.json',
  'sentence_bert_config.json',
  'config_sentence_transformers.json',
  'README.md',
  'LICENSE',
];

/**
 * Writes `files`, with weights converted to `to`, into a new folder, which appears once it is complete. Resolves to the size of the
 * weights. Throws a RangeError if the folder is not empty, a ModelFileError for a broken checkpoint, the reason of `signal`.
 */
export async function convertToFolder(
  files: ModelFiles,
  to: ConvertedDtype,
  folder: string,
  quantizedBy: Parameters<typeof convertCheckpoint>[2],
  options: ReadOptions,
): Promise<{ bytes: number }> {
  const target = resolve(folder);
  const held = await readdir(target).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return undefined;
    throw error.code === 'ENOTDIR' ? new RangeError(`${folder} is a file, not a folder.`) : error;
  });
  if (held?.length)
    throw new RangeError(`${folder} is not empty (${held[0]}, …). Name a folder that does not exist yet.`);

  const unfinished = join(dirname(target), `.${basename(target)}-${process.pid}`);
  await mkdir(unfinished, { recursive: true });
  try {
    let bytes = 0;
    for await (const { name, size, stream } of convertCheckpoint(files, to, quantizedBy, options)) {
      await write(unfinished, name, stream);
      bytes += size;
    }
    for (const name of [...SMALL_FILES, ...(await moduleFiles(files, options))]) {
      const file = await readBytes(files, name, options);
      if (file) await write(unfinished, name, [file]);
    }
    if (held) await rmdir(target); // only on POSIX does rename replace an empty folder
    await rename(unfinished, target);
    return { bytes };
  } finally {
    await rm(unfinished, { recursive: true, force: true });
  }
}

/** The files in the module folders of a sentence-transformers model, such as 1_Pooling and 2_Dense. */
async function moduleFiles(files: ModelFiles, options: ReadOptions): Promise<string[]> {
  const modules = await readJson(files, 'modules.json', options);
  const paths = Array.isArray(modules) ? modules.map(({ path }: { path?: unknown }) => path) : ['1_Pooling'];
  return paths
    .filter((path): path is string => typeof path === 'string' && /^[\w-][\w.-]*$/.test(path))
    .flatMap((path) => [`${path}/config.json`, `${path}/model.safetensors`]);
}

async function write(folder: string, name: string, chunks: AsyncIterable<Uint8Array> | Iterable<Uint8Array>) {
  const path = join(folder, name);
  await mkdir(dirname(path), { recursive: true });
  const handle = await open(path, 'wx');
  try {
    for await (const chunk of chunks) await handle.writeFile(chunk);
    await handle.sync();
  } finally {
    await handle.close();
  }
}
