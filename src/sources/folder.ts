import { statSync } from 'node:fs';
import { type FileHandle, open, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { ModelFileError } from '../api/errors';
import type { ModelFiles } from '../formats/model-files';
import { messageOf } from '../formats/read';

const CHUNK_BYTES = 1 << 20;

/** The files of a local folder, given as a path or a file: URL; undefined if there is none. Node only. */
export function folderFiles(path: string): ModelFiles | undefined {
  const folder = path.startsWith('file:') ? fileURLToPath(path) : path;
  if (!statSync(folder, { throwIfNoEntry: false })?.isDirectory()) return undefined;
  return {
    where: folder,
    async open(name, signal) {
      signal?.throwIfAborted();
      const filePath = join(folder, name);
      const found = await stat(filePath).catch((cause: NodeJS.ErrnoException) => {
        if (cause.code === 'ENOENT' || cause.code === 'ENOTDIR') return undefined;
        throw new ModelFileError(`Cannot open ${filePath}: ${messageOf(cause)}`, { cause });
      });
      return found?.isFile() ? { name, size: found.size, stream: fileStream(filePath) } : undefined;
    },
  };
}

/** Opens the file at the first read, so that an unread stream holds no file handle. */
function fileStream(path: string): ReadableStream<Uint8Array> {
  let opened: Promise<FileHandle> | undefined;
  return new ReadableStream<Uint8Array>(
    {
      async pull(controller) {
        opened ??= open(path);
        const handle = await opened;
        const { bytesRead, buffer } = await handle.read(new Uint8Array(CHUNK_BYTES), 0, CHUNK_BYTES);
        if (bytesRead > 0) {
          controller.enqueue(buffer.subarray(0, bytesRead));
        } else {
          await handle.close();
          controller.close();
        }
      },
      cancel: async () => (await opened)?.close(),
    },
    { highWaterMark: 0 },
  );
}
