import { createHash } from 'node:crypto';
import { mkdir, readFile, rename, writeFile } from 'node:fs/promises';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { env, pid } from 'node:process';

/** Measured GEMM plans, one small file per plan, in `folder`: by default modernbert-webgpu in the cache folder of the user. */
export function filePlans(
  folder = join(env.XDG_CACHE_HOME || join(homedir(), '.cache'), 'modernbert-webgpu', 'gemm-plans'),
): { get(key: string): Promise<unknown>; set(key: string, plan: unknown): Promise<void> } {
  const fileOf = (key: string) => join(folder, `${createHash('sha256').update(key).digest('hex')}.json`);
  return {
    get: async (key: string): Promise<unknown> => JSON.parse(await readFile(fileOf(key), 'utf8')),
    async set(key: string, plan: unknown): Promise<void> {
      await mkdir(folder, { recursive: true });
      // Atomic, also when several processes write the same plan.
      const temporary = `${fileOf(key)}.${pid}`;
      await writeFile(temporary, JSON.stringify(plan));
      await rename(temporary, fileOf(key));
    },
  };
}
