import { type ChildProcessByStdio, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, writeFileSync } from 'node:fs';
import { copyFile, mkdtemp, rm, symlink } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { env, execPath } from 'node:process';
import type { Readable } from 'node:stream';
import { text } from 'node:stream/consumers';
import { afterAll, beforeAll } from 'vitest';
import { ROOT } from '../tools/bundle.mjs';
import { bundleCli, bundleLibrary } from '../tools/library.mjs';

/** Builds the command line and the library in `folder`; resolves to the path of the command. */
export async function buildCli(folder: string): Promise<string> {
  // Under the library's package.json, the command's import of modernbert-webgpu/node finds the library that is built here.
  await copyFile(join(ROOT, 'package.json'), join(folder, 'package.json'));
  await bundleLibrary(join(folder, 'dist'));
  await bundleCli(join(folder, 'cli'));
  return join(folder, 'cli/main.js');
}

/** The command line built for the tests of a file, in a folder that goes after them; `folder` and `command` are known once they run. */
export function builtCli() {
  let folder: string;
  let command: string;
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'cli-'));
    await symlink(join(ROOT, 'node_modules'), join(folder, 'node_modules'));
    command = await buildCli(folder);
  });
  afterAll(() => rm(folder, { recursive: true }));

  const start = (...args: string[]) =>
    spawn(execPath, [command, ...args], { env: { ...env, HF_TOKEN: '' }, stdio: 'pipe' });

  async function run(args: string[], stdin = '') {
    const child = start(...args);
    child.stdin.end(stdin);
    const [stdout, stderr, [code]] = await Promise.all([text(child.stdout), text(child.stderr), once(child, 'close')]);
    return { code, stdout, stderr, lines: parse(stdout) };
  }

  return { folder: () => folder, command: () => command, at: (name: string) => join(folder, name), start, run };
}

/**
 * Starts code blocks of the documentation as they stand, in bash: `npx modernbert-webgpu-cli` is the built `command`, and npm does nothing.
 * `variables` are added to the environment; `commands`: what to run for further names. The block's processes are one group, of the id -pid.
 */
export function blockShell(
  command: string,
  variables: Record<string, string> = {},
  commands: Record<string, string> = {},
) {
  const bin = mkdtempSync(join(tmpdir(), 'bin-'));
  const put = (name: string, line: string) => writeFileSync(join(bin, name), `#!/bin/sh\n${line}\n`, { mode: 0o755 });
  put('npm', ':');
  put('npx', `[ "$1" = modernbert-webgpu-cli ] && shift && exec "${execPath}" "${command}" "$@"`);
  for (const [name, line] of Object.entries(commands)) put(name, `exec ${line} "$@"`);
  const path = `${bin}:${env.PATH}`;
  return (code: string, cwd: string) =>
    spawn('bash', ['-euc', code], {
      cwd,
      env: { ...env, HF_TOKEN: '', ...variables, PATH: path },
      detached: true,
      stdio: ['ignore', 'pipe', 'pipe'],
    });
}

/** Waits for the end of a child. */
export async function ended(child: ChildProcessByStdio<null, Readable, Readable>) {
  const [stdout, stderr, [code]] = await Promise.all([text(child.stdout), text(child.stderr), once(child, 'close')]);
  return { code: code as number | null, stdout, stderr };
}

/** JSON lines; none of other output. */
export const parse = (lines: string): Record<string, unknown>[] =>
  lines.startsWith('{')
    ? lines
        .trimEnd()
        .split('\n')
        .map((line) => JSON.parse(line))
    : [];

export const jsonl = (rows: unknown[]) => rows.map((row) => `${JSON.stringify(row)}\n`).join('');
