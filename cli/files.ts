/** Which file a path means, whatever it is called. */
import { type BigIntStats, fstatSync, statSync } from 'node:fs';
import { lstat, readlink, realpath } from 'node:fs/promises';
import { basename, dirname, join, resolve } from 'node:path';

/** Follows links; undefined if there is nothing, or for a closed descriptor. Inodes are beyond 2^53 on some systems. */
export function statOf(file: string | number): BigIntStats | undefined {
  try {
    return typeof file === 'number' ? fstatSync(file, { bigint: true }) : statSync(file, { bigint: true });
  } catch {
    return undefined;
  }
}

/** The same for all paths, links and descriptors of one regular file; undefined for anything else. */
export function fileId(file: string | number): string | undefined {
  const stats = statOf(file);
  return stats?.isFile() ? `${stats.dev}:${stats.ino}` : undefined;
}

/** The path behind symbolic links, also of a file that does not exist yet. Rejects if there is no such folder. */
export async function resolveLinks(path: string): Promise<string> {
  try {
    return await realpath(path);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
  }
  const place = join(await realpath(dirname(resolve(path))), basename(path));
  const found = await lstat(place).catch(() => undefined);
  // A link to a file that is not there: realpath has refused links in a circle.
  return found?.isSymbolicLink() ? resolveLinks(resolve(dirname(place), await readlink(place))) : place;
}
