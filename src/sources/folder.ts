import { type Stats, statSync } from 'node:fs';
import { open, stat } from 'node:fs/promises';
import { basename, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { ModelFileError } from '../api/errors';
import type { ModelFiles } from '../formats/model-files';
import { messageOf, streamFrom } from '../formats/read';

const CHUNK_BYTES = 1 << 20;

/** For a path where nothing is: undefined. Throws a ModelFileError for other errors of the system. */
const nothingAt = (path: string) => (cause: NodeJS.ErrnoException) => {
  if (cause.code === 'ENOENT' || cause.code === 'ENOTDIR') return undefined;
  throw new ModelFileError(`Cannot open ${path.slice(0, 100)}: ${messageOf(cause)}`, { cause });
};

/**
 * The files of a local folder, given as a path or a file: URL; undefined if there is none. Links in it are followed: the Hub's own cache
 * consists of them. Node only. Throws a TypeError for a file: URL of another machine.
 */
export function folderFiles(path: string): ModelFiles | undefined {
  const folder = path.startsWith('file:') ? fileURLToPath(path) : path;
  let found: Stats | undefined;
  try {
    found = statSync(folder);
  } catch (error) {
    nothingAt(folder)(error as NodeJS.ErrnoException);
  }
  if (!found?.isDirectory()) return undefined;
  return {
    where: folder,
    name: basename(resolve(folder)),
    async open(name, signal) {
      signal?.throwIfAborted();
      const filePath = join(folder, name);
      const found = await stat(filePath).catch(nothingAt(filePath));
      return found?.isFile() ? { name, size: found.size, stream: streamFrom(fileChunks(filePath)) } : undefined;
    },
  };
}

/** Opens the file at the first read, so that an unread stream holds no file handle. */
async function* fileChunks(path: string): AsyncGenerator<Uint8Array> {
  const handle = await open(path);
  try {
    for (;;) {
      const { bytesRead, buffer } = await handle.read(new Uint8Array(CHUNK_BYTES), 0, CHUNK_BYTES);
      if (bytesRead === 0) return;
      yield buffer.subarray(0, bytesRead);
    }
  } finally {
    await handle.close();
  }
}
