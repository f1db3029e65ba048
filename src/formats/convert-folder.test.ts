import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, mkdtemp, readdir, readFile, rmdir, writeFile } from 'node:fs/promises';
import { hostname, tmpdir } from 'node:os';
import { join } from 'node:path';
import { execPath } from 'node:process';
import { beforeEach, expect, it, onTestFinished } from 'vitest';
import { convertToFolder } from './convert-folder';
import { fileOf, numberedBytes, safetensorsBytes } from './fixtures';
import type { ModelFiles } from './model-files';

let parent: string;
let target: string;
beforeEach(async () => {
  parent = await mkdtemp(join(tmpdir(), 'convert-folder-'));
  target = join(parent, 'out');
});

/** A checkpoint; its weights are opened after `before`. */
function checkpoint(before: () => Promise<unknown> = async () => {}): ModelFiles {
  const header = { a: { dtype: 'F32', shape: [4], data_offsets: [0, 16] } };
  const files: Record<string, Uint8Array> = {
    'config.json': new TextEncoder().encode('{}'),
    'model.safetensors': safetensorsBytes(header, new Uint8Array(16)),
    'tokenizer.json': numberedBytes(10),
  };
  return {
    where: 'the test',
    async open(name) {
      if (name === 'model.safetensors') await before();
      return files[name] && fileOf(files[name], { name });
    },
  };
}
const convert = (files = checkpoint()) => convertToFolder(files, 'f16', target, async () => () => () => undefined, {});
const CONVERTED = ['config.json', 'model.safetensors', 'tokenizer.json'];

/** The folder of an earlier try. */
async function leftover(pid: number, start = '0', host = hostname(), name = 'out'): Promise<string> {
  const folder = `.${name}-${host}-${pid}-${start}`;
  await mkdir(join(parent, folder));
  await writeFile(join(parent, folder, 'model.safetensors'), 'half');
  return folder;
}
const deadPid = () => spawnSync(execPath, ['-e', '']).pid;
async function livePid(): Promise<number> {
  const child: ChildProcess = spawn(execPath, ['-e', 'process.stdin.resume()'], {
    stdio: ['pipe', 'ignore', 'ignore'],
  });
  onTestFinished(() => void child.kill());
  await once(child, 'spawn');
  return child.pid!;
}

it('writes a folder and leaves nothing beside it, also into an empty one', async () => {
  await mkdir(target);
  expect((await convert()).bytes).toBeGreaterThan(0);
  expect([await readdir(parent), (await readdir(target)).sort()]).toEqual([['out'], CONVERTED]);
  await expect(convert()).rejects.toThrow(/is not empty/);
  expect(await readdir(parent)).toEqual(['out']);
});

it('removes what killed processes have left for this folder, and nothing else', async () => {
  await leftover(deadPid());
  await leftover(deadPid(), '77');
  const others = [
    await leftover(deadPid(), '0', 'elsewhere'),
    await leftover(deadPid(), '0', hostname(), 'out-2'),
    await leftover(deadPid(), '0', hostname(), 'ou'),
  ];
  await mkdir(join(parent, `.out-${hostname()}-notes`));
  await convert();
  expect((await readdir(parent)).sort()).toEqual([...others, `.out-${hostname()}-notes`, 'out'].sort());
});

it('never removes the folder of a process that runs, and says whose it is', async () => {
  const pid = await livePid();
  const folder = await leftover(pid);
  await expect(convert()).rejects.toThrow(`Process ${pid} is converting to ${target} already. If it has ended, delete`);
  expect(await readdir(parent)).toEqual([folder]);
});

it.skipIf(process.platform !== 'linux')('knows a later process that has the number of a killed one', async () => {
  await leftover(await livePid(), '1');
  await convert();
  expect(await readdir(parent)).toEqual(['out']);
});

it('of two conversions to one folder at once, one wins and the other says so', async () => {
  const results = await Promise.allSettled([convert(), convert(), convert()]);
  const failed = results.flatMap((result) => (result.status === 'rejected' ? [result.reason] : []));
  expect(failed).toHaveLength(2);
  for (const error of failed) expect(error).toBeInstanceOf(RangeError);
  expect(failed.map(({ message }) => message)).toEqual([
    expect.stringContaining(`Process ${process.pid} is converting to ${target} already`),
    expect.stringContaining(`Process ${process.pid} is converting to ${target} already`),
  ]);
  expect([await readdir(parent), (await readdir(target)).sort()]).toEqual([['out'], CONVERTED]);
});

it('writes also if the empty folder is removed meanwhile', async () => {
  await mkdir(target);
  await convert(checkpoint(() => rmdir(target).catch(() => {})));
  expect((await readdir(target)).sort()).toEqual(CONVERTED);
});

it('does not replace a folder that another process has written meanwhile', async () => {
  const meanwhile = async () => {
    await mkdir(target, { recursive: true });
    await writeFile(join(target, 'mine'), 'precious');
  };
  await expect(convert(checkpoint(meanwhile))).rejects.toThrow(
    expect.objectContaining({
      name: 'RangeError',
      message: `${target} is not empty any more: another process wrote it.`,
    }),
  );
  expect(await readdir(parent)).toEqual(['out']);
  expect(await readFile(join(target, 'mine'), 'utf8')).toBe('precious');
});
