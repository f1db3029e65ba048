import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import type { Environment } from './report';

/** Where a benchmark runs, as far as Node knows. BENCH_COMMIT replaces the commit if there is no repository (bench/pack). */
export const nodeEnvironment = (): Pick<Environment, 'date' | 'commit' | 'runtime'> => ({
  date: new Date().toISOString(),
  commit: process.env.BENCH_COMMIT ?? commit(),
  runtime: `Node ${process.versions.node}, webgpu ${JSON.parse(readFileSync(join(webgpuFolder(), 'package.json'), 'utf8')).version}`,
});

/** Folder of the npm package webgpu. */
export const webgpuFolder = (): string => dirname(createRequire(import.meta.url).resolve('webgpu'));

/** HEAD, with -dirty if a measured file differs from it. */
export function commit(): string {
  const git = (...args: string[]) =>
    execFileSync('git', args, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] });
  try {
    const isDirty = git('status', '--porcelain', '--untracked-files=no', '--', 'src', 'bench/*.ts', 'bench/*.wgsl');
    return `${git('rev-parse', '--short=12', 'HEAD').trim()}${isDirty ? '-dirty' : ''}`;
  } catch {
    return 'unknown: no git repository';
  }
}
