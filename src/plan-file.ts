import { createHash } from 'node:crypto';
import { mkdir, readFile, rename, writeFile } from 'node:fs/promises';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { env, pid } from 'node:process';
import type { PlanStore } from './kernels/tune';

/** Measured GEMM plans, a small file each, in `folder`: by default modernbert-webgpu in the user's cache folder. */
export function filePlans(
  folder = join(env.XDG_CACHE_HOME || join(homedir(), '.cache'), 'modernbert-webgpu', 'gemm-plans'),
): PlanStore {
  const fileOf = (key: string) => join(folder, `${createHash('sha256').update(key).digest('hex')}.json`);
  return {
    get: async (key) => JSON.parse(await readFile(fileOf(key), 'utf8')),
    async set(key, plan) {
      await mkdir(folder, { recursive: true });
      // Whole or not at all, whoever else writes it.
      const temporary = `${fileOf(key)}.${pid}`;
      await writeFile(temporary, JSON.stringify(plan));
      await rename(temporary, fileOf(key));
    },
  };
}
