import { createWriteStream } from 'node:fs';
import { mkdir, readdir, rename, rm, stat, statfs } from 'node:fs/promises';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { env } from 'node:process';
import { Writable } from 'node:stream';
import { folderFiles } from '../sources/folder';
import { type OpenStore, storedName } from './entries';

/** In the cache folder of the user. */
const DEFAULT_FOLDER = join(env.XDG_CACHE_HOME || join(homedir(), '.cache'), 'modernbert-webgpu', 'models');

/** An entry unchanged for this long was abandoned by its writer. Node has no locks between processes. */
const ABANDONED_MS = 60 * 60 * 1000;

/** Keeps models in a local folder, which is made when the first model is stored. Node only. */
export const folderStore =
  (root: string = DEFAULT_FOLDER): OpenStore =>
  async () => ({
    kind: 'folder',
    entries: () => readdir(root).catch(orElse<string[]>([])),
    read: async (entry, name) => folderFiles(join(root, entry))?.open(storedName(name)),
    async write(entry, name) {
      await mkdir(join(root, entry), { recursive: true });
      const path = join(root, entry, storedName(name));
      const file = createWriteStream(`${path}.part`);
      const writer = Writable.toWeb(file).getWriter();
      return new WritableStream({
        write: (chunk) => writer.write(chunk),
        async close() {
          await writer.close();
          await rename(`${path}.part`, path);
        },
        abort: (reason) => writer.abort(reason),
      });
    },
    remove: (entry) => rm(join(root, entry), { recursive: true, force: true }),
    async hold(entry, { ifAvailable }) {
      if (ifAvailable) {
        const folder = join(root, entry);
        const names = await readdir(folder).catch(orElse<string[]>([]));
        const changes = await Promise.all(
          [folder, ...names.map((name) => join(folder, name))].map((path) => stat(path)),
        );
        if (changes.some(({ mtimeMs }) => mtimeMs > Date.now() - ABANDONED_MS)) return undefined;
      }
      return () => {};
    },
    async space() {
      const { blocks, bavail, bsize } = await statfs(root);
      return { quota: blocks * bsize, usage: (blocks - bavail) * bsize };
    },
  });

/** The value for a file or folder that does not exist. */
const orElse =
  <T>(value: T) =>
  (error: NodeJS.ErrnoException): T => {
    if (error.code === 'ENOENT' || error.code === 'ENOTDIR') return value;
    throw error;
  };
