/** Writes a converted checkpoint to a folder. Node only. */
import { mkdir, open, readdir, readFile, rename, rm, rmdir } from 'node:fs/promises';
import { hostname } from 'node:os';
import { basename, dirname, join, resolve } from 'node:path';
import process from 'node:process';
import type { Dtype } from '../api/types';
import { convertCheckpoint } from './convert';
import { isObject } from './json-fields';
import { inFolder, isFileName, type ModelFiles, unmergedError } from './model-files';
import { type ReadOptions, readBytes, readJson } from './read';

/** Files besides the weights that this or other loaders read, in the checkpoint's own folder and in those of its modules. */
const SMALL_FILES = [
  'config.json',
  'tokenizer.json',
  'tokenizer_config.json',
  'special_tokens_map.json',
  'sentence_bert_config.json',
  'router_config.json',
  'gliner_config.json',
  'labels_tokenizer/tokenizer.json',
  'labels_tokenizer/tokenizer_config.json',
];
const TOP_FILES = ['modules.json', 'config_sentence_transformers.json', 'README.md', 'LICENSE'];

/**
 * Writes `files`, with weights converted to `to`, into a new folder, which appears once it is complete. Resolves to the size of the
 * weights. Throws a RangeError if the folder is not empty or another process writes it, a ModelFileError for a broken checkpoint, the reason
 * of `signal`. Removes what a process that was killed has left of an earlier try.
 */
export async function convertToFolder(
  files: ModelFiles,
  to: Dtype,
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

  const unfinished = await beginFolder(target);
  try {
    let bytes = 0;
    const { transformers, modules } = await foldersOf(files, options);
    const at = (path: string, name: string) => (path === '' ? name : `${path}/${name}`);
    for (const path of transformers) {
      for await (const { name, size, stream } of convertCheckpoint(inFolder(files, path), to, quantizedBy, options)) {
        await write(unfinished, name.startsWith(at(path, '')) ? name : at(path, name), stream); // a folder's files have its name
        bytes += size;
      }
    }
    const unmerged = unmergedError(files);
    if (unmerged) throw unmerged;
    const small = ['', ...transformers, ...modules].flatMap((path) => SMALL_FILES.map((name) => at(path, name)));
    const weights = modules.map((path) => at(path, 'model.safetensors'));
    for (const name of new Set([...TOP_FILES, ...small, ...weights])) {
      const file = await readBytes(files, name, options);
      if (file) await write(unfinished, name, [file]);
    }
    try {
      if (held) await rmdir(target).catch(unless('ENOENT')); // only on POSIX does rename replace an empty folder
      await rename(unfinished, target);
    } catch (cause) {
      const now = await readdir(target).catch(() => []);
      throw now.length > 0
        ? new RangeError(`${folder} is not empty any more: another process wrote it.`, { cause })
        : cause;
    }
    return { bytes };
  } finally {
    await rm(unfinished, { recursive: true, force: true });
  }
}

/**
 * Makes the folder in which this process writes, beside `target`: its name is `.name-host-pid-start`. Node has no locks between processes.
 * Removes those of processes of this machine that have ended; throws a RangeError if there is one of a process that has not.
 */
async function beginFolder(target: string): Promise<string> {
  const parent = dirname(target);
  await mkdir(parent, { recursive: true });
  const prefix = `.${basename(target)}-${hostname()}-`;
  for (const name of await readdir(parent)) {
    const [, pid, start] = (name.startsWith(prefix) && /^(\d+)-(\d+)$/.exec(name.slice(prefix.length))) || [];
    if (!pid) continue;
    const path = join(parent, name);
    if (await isRunning(Number(pid), start)) throw beingWritten(target, pid, path);
    await rm(path, { recursive: true, force: true });
  }
  const path = join(parent, `${prefix}${process.pid}-${await startOf(process.pid)}`);
  await mkdir(path).catch((error) => {
    throw error.code === 'EEXIST' ? beingWritten(target, process.pid, path) : error;
  });
  return path;
}

const beingWritten = (target: string, pid: number | string, path: string) =>
  new RangeError(`Process ${pid} is converting to ${target} already. If it has ended, delete ${path}.`);

/** A later process may have the number of an ended one, but, where the system tells, not its start. */
async function isRunning(pid: number, start: string): Promise<boolean> {
  try {
    process.kill(pid, 0);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ESRCH') return false; // EPERM: it is another user's
  }
  const now = await startOf(pid);
  return start === UNKNOWN || now === UNKNOWN || start === now;
}

const UNKNOWN = '0';

/** Linux tells it in field 22, in ticks since the machine started; the name in field 2 may hold anything. */
const startOf = (pid: number): Promise<string> =>
  readFile(`/proc/${pid}/stat`, 'utf8').then(
    (text) => text.replace(/^.*\)/s, '').split(' ')[20],
    () => UNKNOWN,
  );

const unless = (code: string) => (error: NodeJS.ErrnoException) => {
  if (error.code !== code) throw error;
};

/** The folders of a sentence-transformers model: of its Transformers, whose weights are converted, and of its other modules. */
async function foldersOf(files: ModelFiles, options: ReadOptions) {
  const listed = await readJson(files, 'modules.json', options);
  const typeOf = new Map<string, string>(); // by folder
  const add = (path: unknown, type: unknown) => {
    if (typeof path === 'string' && (path === '' || isFileName(path))) typeOf.set(path, String(type));
  };
  if (Array.isArray(listed)) for (const { path, type } of listed.filter(isObject)) add(path, type);
  else
    for (const [path, type] of [
      ['', '.Transformer'],
      ['1_Pooling', '.Pooling'],
    ])
      add(path, type);
  for (const path of typeOf.keys()) {
    if (!/\.(Router|Asym)$/.test(typeOf.get(path)!)) continue;
    const own = inFolder(files, path);
    const router =
      (await readJson(own, 'router_config.json', options)) ?? (await readJson(own, 'config.json', options));
    const types = isObject(router) && isObject(router.types) ? router.types : {};
    for (const [name, type] of Object.entries(types)) add(path === '' ? name : `${path}/${name}`, type);
  }
  const isTransformer = (path: string) => /\.(MLM)?Transformer$/.test(typeOf.get(path)!);
  const all = [...typeOf.keys()];
  return {
    transformers: all.filter(isTransformer),
    modules: all.filter((path) => path !== '' && !isTransformer(path)),
  };
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
