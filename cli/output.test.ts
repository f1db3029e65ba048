import { execFileSync, spawnSync } from 'node:child_process';
import { createReadStream } from 'node:fs';
import {
  chmod,
  link,
  lstat,
  mkdir,
  mkdtemp,
  readdir,
  readFile,
  rm,
  stat,
  symlink,
  unlink,
  writeFile,
} from 'node:fs/promises';
import { hostname, tmpdir } from 'node:os';
import { join, relative } from 'node:path';
import { execPath } from 'node:process';
import { text } from 'node:stream/consumers';
import { setImmediate } from 'node:timers/promises';
import { beforeEach, describe, expect, it } from 'vitest';
import { UsageError } from './command';
import { fileId } from './files';
import { type OutputOptions, openOutput, outputLine } from './output';

let folder: string;
let out: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'output-'));
  out = join(folder, 'out.jsonl');
});

const NEW = { resume: false, overwrite: false, input: undefined };
const RESUME = { ...NEW, resume: true };
const OVERWRITE = { ...NEW, overwrite: true };
const line = (number: number) => outputLine(number, [], { n: number });
const contents = () => readFile(out, 'utf8');

/** One job: writes lines and stops, or finishes. */
async function job(options: OutputOptions, numbers: number[], end: 'stop' | 'finish', path = out) {
  const output = await openOutput(path, options);
  for (const number of numbers) await output.write(line(number));
  if (end === 'finish') await output.finish();
  return { done: output.done, left: await output.close() };
}

it('writes a new file in its place, resumes it, and leaves nothing else', async () => {
  expect((await job(NEW, [1, 2], 'stop')).left).toBe(`The lines so far are in ${out}: --resume continues there.`);
  expect(await contents()).toBe(line(1) + line(2));
  await expect(openOutput(out, NEW)).rejects.toThrow(/already exists\. --resume continues where it ends/);
  await writeFile(out, '{"line":3,"n', { flag: 'a' });
  expect(await job(RESUME, [3], 'finish')).toEqual({ done: 2, left: undefined });
  expect(await contents()).toBe(line(1) + line(2) + line(3));
  expect(await readdir(folder)).toEqual(['out.jsonl']);
});

it('a new file of a job that wrote nothing is removed', async () => {
  await job(NEW, [], 'stop');
  await job(RESUME, [], 'stop');
  expect(await readdir(folder)).toEqual([]);
  await job(NEW, [], 'finish'); // no input lines
  expect(await contents()).toBe('');
});

it('an existing file stays until the new one is whole; a stopped one is resumed', async () => {
  await writeFile(out, 'old');
  const { left } = await job(OVERWRITE, [1], 'stop');
  expect(left).toBe(`${out} is unchanged. The lines so far are in ${out}.part: --resume continues there.`);
  expect([await contents(), await readFile(`${out}.part`, 'utf8')]).toEqual(['old', line(1)]);
  await expect(openOutput(out, NEW)).rejects.toThrow(/out\.jsonl\.part is the unfinished output of a stopped job/);
  expect((await job(RESUME, [2], 'stop')).done).toBe(1);
  expect(await contents()).toBe('old');
  expect((await job(RESUME, [3], 'finish')).done).toBe(2);
  expect(await contents()).toBe(line(1) + line(2) + line(3));
  expect(await readdir(folder)).toEqual(['out.jsonl']);
});

it('begins anew over what a stopped job left', async () => {
  await writeFile(out, 'old');
  await job(OVERWRITE, [1, 2], 'stop');
  await job(OVERWRITE, [5], 'finish');
  expect(await contents()).toBe(line(5));
  await job(OVERWRITE, [], 'stop'); // such as a model that does not load
  expect(await contents()).toBe(line(5));
  expect(await readdir(folder)).toEqual(['out.jsonl']);
});

it("leaves a file of another's that is called .part", async () => {
  await writeFile(out, 'old');
  await writeFile(`${out}.part`, 'Dear diary');
  for (const options of [OVERWRITE, RESUME]) {
    await expect(openOutput(out, options)).rejects.toThrow(/out\.jsonl\.part is in the way/);
  }
  expect(await readFile(`${out}.part`, 'utf8')).toBe('Dear diary');
  await rm(`${out}.part`);
  await symlink(out, `${out}.part`);
  await expect(openOutput(out, OVERWRITE)).rejects.toThrow(/is in the way/);
  expect(await contents()).toBe('old');
});

it('refuses the input under any of its names', async () => {
  const input = join(folder, 'in.jsonl');
  await writeFile(input, line(1));
  await link(input, join(folder, 'hard'));
  await symlink('in.jsonl', join(folder, 'soft'));
  await mkdir(join(folder, 'sub'));
  await symlink('..', join(folder, 'sub/up'));
  const names = [
    input,
    join(folder, 'hard'),
    join(folder, 'soft'),
    `${folder}/./sub/../in.jsonl`,
    join(folder, 'sub/up/in.jsonl'),
    relative(process.cwd(), input),
  ];
  for (const name of names) {
    for (const options of [OVERWRITE, RESUME, NEW]) {
      await expect(openOutput(name, { ...options, input: fileId(input) }), name).rejects.toThrow(UsageError);
      await expect(openOutput(name, { ...options, input: fileId(input) }), name).rejects.toThrow('is the input itself');
    }
  }
  const other = join(folder, 'x.jsonl');
  await link(input, `${other}.part`); // an input that is called so
  await expect(openOutput(other, { ...OVERWRITE, input: fileId(input) })).rejects.toThrow('is the input itself');
  expect(await readFile(input, 'utf8')).toBe(line(1));
});

describe.skipIf(process.platform === 'win32')('on POSIX', () => {
  it('writes through symbolic links, also to a file that does not exist yet', async () => {
    await mkdir(join(folder, 'deep'));
    await symlink('deep/target', out);
    await job(NEW, [1], 'finish');
    await job(OVERWRITE, [2], 'finish');
    expect((await lstat(out)).isSymbolicLink()).toBe(true);
    expect(await readFile(join(folder, 'deep/target'), 'utf8')).toBe(line(2));
    expect(await readdir(join(folder, 'deep'))).toEqual(['target']);
    await unlink(out);
    await symlink('out.jsonl', out);
    await expect(openOutput(out, OVERWRITE)).rejects.toThrow(/cannot write .*ELOOP/);
  });

  it('keeps the permissions of a file that it replaces, and shows its lines to nobody else before', async () => {
    await writeFile(out, 'old');
    await chmod(out, 0o640);
    const output = await openOutput(out, OVERWRITE);
    expect((await stat(`${out}.part`)).mode & 0o137).toBe(0);
    await output.finish();
    await output.close();
    expect((await stat(out)).mode & 0o7777).toBe(0o640);
    await chmod(out, 0o666); // more than a umask would give
    await job(OVERWRITE, [1], 'finish');
    expect((await stat(out)).mode & 0o7777).toBe(0o666);
  });

  it('writes to devices and pipes directly', async () => {
    await job(NEW, [1], 'finish', '/dev/null');
    await job({ ...OVERWRITE, input: fileId('/dev/null') }, [1], 'finish', '/dev/null');
    await expect(openOutput('/dev/null', RESUME)).rejects.toThrow('is a device or a pipe');
    expect((await stat('/dev/null')).isCharacterDevice()).toBe(true);
    execFileSync('mkfifo', [out]);
    const [read] = await Promise.all([text(createReadStream(out)), job(NEW, [1, 2], 'finish')]);
    expect(read).toBe(line(1) + line(2));
    expect(await readdir(folder)).toEqual(['out.jsonl']);
  });
});

it('refuses folders, and paths that cannot be written', async () => {
  await expect(openOutput(folder, NEW)).rejects.toThrow('is a folder');
  await expect(openOutput(join(folder, 'none/out'), NEW)).rejects.toThrow(/--output: cannot write .*ENOENT/);
  await expect(openOutput(out, { ...NEW, resume: true, overwrite: true })).rejects.toThrow('cannot be combined');
});

it('resumes only output of a command, of any length of lines', async () => {
  await writeFile(out, 'Dear diary');
  await expect(openOutput(out, RESUME)).rejects.toThrow('is not output of this command');
  await writeFile(out, `{"id":1}\n`);
  await expect(openOutput(out, RESUME)).rejects.toThrow('is not output of this command');
  expect(await readdir(folder)).toEqual(['out.jsonl']);
  const long = (number: number) => outputLine(number, [], { text: 'x'.repeat(150_000) });
  await writeFile(out, long(1) + long(2) + long(3).slice(0, -1));
  expect((await job(RESUME, [], 'finish')).done).toBe(2);
  expect(await contents()).toBe(long(1) + long(2));
  await writeFile(out, long(1).slice(0, -1));
  expect((await job(RESUME, [], 'finish')).done).toBe(0);
});

describe('the lock', () => {
  const lock = () => `${out}.lock`;
  const deadPid = () => spawnSync(execPath, ['-e', '']).pid;

  it('keeps a second job out until the first is closed', async () => {
    const first = await openOutput(out, NEW);
    for (const options of [NEW, RESUME, OVERWRITE]) {
      const message = `is being written by process ${process.pid} on ${hostname()}`;
      await expect(openOutput(out, options)).rejects.toThrow(message);
    }
    await first.write(line(1));
    await first.close();
    expect((await job(RESUME, [2], 'finish')).done).toBe(1);
  });

  it('is taken over from a dead process', async () => {
    await writeFile(lock(), JSON.stringify({ pid: deadPid(), host: hostname() }));
    await job(NEW, [1], 'finish');
    expect(await readdir(folder)).toEqual(['out.jsonl']);
  });

  it.skipIf(process.platform !== 'linux')(
    'is taken over if another process has the number of the dead one',
    async () => {
      await writeFile(lock(), JSON.stringify({ pid: process.pid, host: hostname(), began: '1' }));
      await job(NEW, [1], 'finish');
      expect(await readdir(folder)).toEqual(['out.jsonl']);
    },
  );

  it.each([
    ['another machine', JSON.stringify({ pid: deadPid(), host: 'elsewhere' }), /by process \d+ on elsewhere\. If that/],
    [
      'another program',
      'mine',
      /^Another process may be writing .*out\.jsonl: there is .*\.lock\. If none is, move it/,
    ],
    ['another program, empty', '', /^Another process may be writing/],
  ])('of %s stays', async (_, content, message) => {
    await writeFile(lock(), content);
    await expect(openOutput(out, NEW)).rejects.toThrow(message);
    expect([await readdir(folder), await readFile(lock(), 'utf8')]).toEqual([['out.jsonl.lock'], content]);
  });

  it('goes to exactly one of many jobs, also if a dead one had it', async () => {
    const dead = JSON.stringify({ pid: deadPid(), host: hostname() });
    for (let round = 0; round < 40; round++) {
      await writeFile(lock(), dead);
      if (round % 2) await writeFile(`${lock()}.lock`, dead); // it died while it took the lock over from another
      const tries = await Promise.allSettled(
        Array.from({ length: 8 }, async (_, i) => {
          for (let turn = 0; turn < (i * round) % 23; turn++) await setImmediate(); // so that they meet at every step
          return openOutput(out, RESUME);
        }),
      );
      const got = tries.flatMap((result) => (result.status === 'fulfilled' ? [result.value] : []));
      expect(got).toHaveLength(1);
      await got[0].close();
      expect(await readdir(folder)).toEqual([]);
    }
  });
});

it('puts kept values before the results, as they are written', () => {
  expect(outputLine(3, [['id', '12345678901234567890']], { a: [1] })).toBe(
    '{"line":3,"id":12345678901234567890,"a":[1]}\n',
  );
  expect(outputLine(3, [['"', '1.0']], {})).toBe('{"line":3,"\\"":1.0}\n');
  expect(outputLine(3, [], {})).toBe('{"line":3}\n');
});
