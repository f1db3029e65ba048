/**
 * Output as JSON lines. Each starts with the number of its input line, from which a stopped job resumes. A new file is written in its
 * place; one that replaces another is written beside it, and takes its place when it is whole.
 */
import { constants, type Stats } from 'node:fs';
import { access, type FileHandle, lstat, open, rename, rm, stat } from 'node:fs/promises';
import { UsageError } from './command';
import { fileId, resolveLinks, statOf } from './files';
import { lockFile } from './lock';

export interface Output {
  /** Number of the last input line already in the output; 0 if none. */
  done: number;
  /** Writes whole lines. */
  write(text: string): Promise<void>;
  /** The output is whole: it takes its place. */
  finish(): Promise<void>;
  /** Without finish, what is written stays for a resumed job; resolves to a message that says where. */
  close(): Promise<string | undefined>;
}

export interface OutputOptions {
  resume: boolean;
  overwrite: boolean;
  /** fileId of the input. */
  input: string | undefined;
}

/** How every line starts. */
const START = '{"line":';

/** Nine digits identify every f32; as a double it would print with up to 17. */
export const shortest = (x: number): number => Number(x.toPrecision(9));

/** `kept`: names and JSON texts, written as they are. */
export function outputLine(line: number, kept: [name: string, json: string][], fields: object): string {
  const own = JSON.stringify(fields).slice(1, -1);
  const parts = kept.map(([name, json]) => `${JSON.stringify(name)}:${json}`);
  return `${[`${START}${line}`, ...parts, ...(own ? [own] : [])].join(',')}}\n`;
}

/**
 * Opens a file, or stdout for '-'. `resume` keeps the lines of an existing file and cuts off an incomplete last one. Throws a
 * UsageError for an existing file without `resume` or `overwrite`, for resuming a file that is not output of a command, and for the input
 * itself under any name; an Error if another process writes the file.
 */
export async function openOutput(path: string, options: OutputOptions): Promise<Output> {
  const { resume, overwrite, input } = options;
  if (resume && overwrite) throw new UsageError('--resume and --overwrite cannot be combined.');
  const isInput = (file: string | number) => input !== undefined && fileId(file) === input;
  const refuse = () => new UsageError(`--output: ${path} is the input itself. Write to another file.`);
  if (path === '-') {
    if (resume) throw new UsageError('--resume needs an output file: set --output.');
    if (isInput(process.stdout.fd))
      throw new UsageError('--output: stdout is the input itself. Write to another file.');
    return { done: 0, write: writeStdout, finish: async () => {}, close: async () => undefined };
  }
  if (isInput(path)) throw refuse();
  const found = statOf(path);
  if (found?.isDirectory()) throw new UsageError(`--output: ${path} is a folder.`);
  if (found && !found.isFile()) return openDevice(path, resume);
  const target = await orUsageError(path, resolveLinks(path));
  if (isInput(partOf(target))) throw refuse();
  const release = await orUsageError(path, lockFile(target));
  try {
    return await openLocked(target, path, options, release);
  } catch (error) {
    await release();
    throw error;
  }
}

/** Where the successor of an existing file is written. */
const partOf = (target: string): string => `${target}.part`;

/** A pipe or a device, such as /dev/null: nothing to keep, nothing to put in place. */
async function openDevice(path: string, resume: boolean): Promise<Output> {
  if (resume) throw new UsageError(`--resume needs an output file; ${path} is a device or a pipe.`);
  const handle = await orUsageError(path, open(path, 'w'));
  const close = () => handle.close().then(() => undefined);
  return { done: 0, write: (text) => handle.appendFile(text), finish: async () => {}, close };
}

async function openLocked(
  target: string,
  path: string,
  { resume, overwrite }: OutputOptions,
  release: () => Promise<void>,
): Promise<Output> {
  const part = partOf(target);
  const [old, begun] = await Promise.all([target, part].map((file) => lstat(file).catch(() => undefined)));
  if (begun && !((resume || overwrite) && (await isOutput(part, begun)))) {
    throw new UsageError(
      resume || overwrite
        ? `--output: ${part} is in the way, which is not output of a command. Move it away.`
        : `${part} is the unfinished output of a stopped job. --resume continues it, --overwrite begins anew.`,
    );
  }
  if (old && !resume && !overwrite) {
    throw new UsageError(`${path} already exists. --resume continues where it ends, --overwrite replaces it.`);
  }
  if (old) await orUsageError(path, access(target, constants.W_OK));
  const inPart = begun !== undefined || (overwrite && old !== undefined);
  const file = inPart ? part : target;
  if (overwrite && begun) await rm(part);
  // A new file is created here and nowhere else: 'x' refuses what another program has put there meanwhile.
  const isNew = overwrite || !(inPart ? begun : old);
  const mode = old ? old.mode & 0o777 : 0o666;
  const handle = await orUsageError(path, open(file, isNew ? 'ax+' : 'a+', mode));
  let finished = false;
  try {
    const done = isNew ? 0 : await cutTornLine(handle, file);
    return {
      done,
      write: (text) => handle.appendFile(text),
      async finish() {
        if (inPart) await putInPlace(handle, part, target);
        finished = true;
      },
      async close() {
        try {
          const { size } = await handle.stat();
          await handle.close();
          if (finished) return undefined;
          if (size === 0 && isNew) await rm(file);
          if (size === 0) return inPart ? `${path} is unchanged.` : undefined;
          return `${inPart ? `${path} is unchanged. ` : ''}The lines so far are in ${file}: --resume continues there.`;
        } finally {
          await release();
        }
      },
    };
  } catch (error) {
    await handle.close();
    throw error;
  }
}

/** Gives the whole file the owner and permissions of the one that it replaces, and its name. */
async function putInPlace(handle: FileHandle, part: string, target: string): Promise<void> {
  const old = await stat(target).catch(() => undefined);
  if (old) {
    await handle.chown(old.uid, old.gid).catch(() => {}); // for an administrator only
    await handle.chmod(old.mode & 0o7777);
  }
  await handle.sync();
  await rename(part, target);
}

/** The system's error as a UsageError that names the file; others as they are. */
async function orUsageError<T>(path: string, work: Promise<T>): Promise<T> {
  try {
    return await work;
  } catch (cause) {
    if (typeof (cause as NodeJS.ErrnoException).code !== 'string') throw cause;
    throw new UsageError(`--output: cannot write ${path} (${(cause as Error).message}).`, { cause });
  }
}

const NEWLINE = 10;
const BLOCK = 1 << 16;

/** Cuts off an incomplete last line; returns the input line number of the last complete one. */
async function cutTornLine(handle: FileHandle, path: string): Promise<number> {
  const { size } = await handle.stat();
  const end = (await lastNewline(handle, size)) + 1;
  const torn = await startOf(handle, end, size);
  const last = end > 0 ? lineNumber(await startOf(handle, (await lastNewline(handle, end - 1)) + 1, end)) : 0;
  if (last === undefined || !(torn.startsWith(START) || START.startsWith(torn))) {
    throw new UsageError(`--resume: ${path} is not output of this command: its last line must start with ${START}.`);
  }
  if (end < size) await handle.truncate(end);
  return last;
}

/** Offset of the last newline before `end`; -1 if there is none. */
async function lastNewline(handle: FileHandle, end: number): Promise<number> {
  const block = Buffer.alloc(BLOCK);
  for (let to = end; to > 0; to -= BLOCK) {
    const from = Math.max(0, to - BLOCK);
    const { bytesRead } = await handle.read(block, 0, to - from, from);
    const at = block.subarray(0, bytesRead).lastIndexOf(NEWLINE);
    if (at >= 0) return from + at;
  }
  return -1;
}

/** Enough of a line for its number. */
async function startOf(handle: FileHandle, from: number, to: number): Promise<string> {
  const bytes = Buffer.alloc(Math.min(to - from, 64));
  const { bytesRead } = await handle.read(bytes, 0, bytes.length, from);
  return bytes.toString('utf8', 0, bytesRead);
}

function lineNumber(text: string): number | undefined {
  const number = /^\{\s*"line"\s*:\s*(\d{1,15})\s*[,}]/.exec(text)?.[1];
  return number === undefined ? undefined : Number(number);
}

/** Whether an existing file was begun by a job: it is empty or starts as output does. */
async function isOutput(path: string, stats: Stats): Promise<boolean> {
  if (!stats.isFile()) return false;
  const handle = await open(path, 'r');
  try {
    const start = (await startOf(handle, 0, stats.size)).slice(0, START.length);
    return START.startsWith(start);
  } finally {
    await handle.close();
  }
}

const writeStdout = (text: string): Promise<void> =>
  new Promise((resolve, reject) => process.stdout.write(text, (error) => (error ? reject(error) : resolve())));
