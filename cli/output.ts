/** JSON lines out: each begins with the number of the input's line that it belongs to, by which a stopped job goes on. */
import { type FileHandle, open } from 'node:fs/promises';
import { UsageError } from './command';

export interface Output {
  /** The last input line whose result is there already; 0 for none. */
  done: number;
  /** Writes whole lines. */
  write(text: string): Promise<void>;
  close(): Promise<void>;
}

/** What every line begins with. */
const START = '{"line":';

/** 9 digits name every f32; printed as a double it would have 17. */
export const shortest = (x: number): number => Number(x.toPrecision(9));

export const outputLine = (line: number, fields: object): string => `${JSON.stringify({ line, ...fields })}\n`;

/**
 * Opens a file, or stdout for '-'. With `resume` what is there stays, but for a last line that was not written to its end. Throws a
 * UsageError where a file is there and neither `resume` nor `overwrite` is asked for, and where it holds something else.
 */
export async function openOutput(path: string, options: { resume: boolean; overwrite: boolean }): Promise<Output> {
  if (options.resume && options.overwrite) throw new UsageError('--resume and --overwrite exclude each other.');
  if (path === '-') {
    if (options.resume) throw new UsageError('--resume needs a file: name it with --output.');
    return { done: 0, write: writeStdout, close: async () => {} };
  }
  const handle = await openFile(path, options);
  try {
    const done = options.resume ? await cutTornLine(handle, path) : 0;
    return { done, write: (text) => handle.appendFile(text), close: () => handle.close() };
  } catch (error) {
    await handle.close();
    throw error;
  }
}

async function openFile(path: string, { resume, overwrite }: { resume: boolean; overwrite: boolean }) {
  try {
    return await open(path, resume ? 'a+' : overwrite ? 'w' : 'wx');
  } catch (cause) {
    const { code, message } = cause as NodeJS.ErrnoException;
    throw new UsageError(
      code === 'EEXIST'
        ? `${path} is there already. --resume goes on where it ends, --overwrite begins anew.`
        : `--output: cannot write ${path} (${message}).`,
    );
  }
}

const BLOCK = 1 << 16;

/** Cuts off what follows the last line end, and gives the line number of what is then the last line. */
async function cutTornLine(handle: FileHandle, path: string): Promise<number> {
  const { size } = await handle.stat();
  // From the end backwards until a whole line is there, after the torn one.
  let tail = Buffer.alloc(0);
  let from = size;
  const lineStart = () => tail.lastIndexOf('\n', tail.lastIndexOf('\n') - 1) + 1;
  while (from > 0 && (tail.lastIndexOf('\n') < 1 || lineStart() === 0)) {
    const bytes = Math.min(BLOCK, from);
    from -= bytes;
    const block = Buffer.alloc(bytes);
    await handle.read(block, 0, bytes, from);
    tail = Buffer.concat([block, tail]);
  }
  const end = tail.lastIndexOf('\n') + 1;
  const torn = tail.subarray(end).toString();
  const last = end > 0 ? lineNumber(tail.subarray(lineStart(), end).toString()) : 0;
  if (last === undefined || !(torn.startsWith(START) || START.startsWith(torn))) {
    throw new UsageError(`--resume: ${path} does not end as an output of this command does, with lines ${START}N, …}.`);
  }
  await handle.truncate(from + end);
  return last;
}

function lineNumber(text: string): number | undefined {
  try {
    const { line } = JSON.parse(text);
    return Number.isInteger(line) ? line : undefined;
  } catch {
    return undefined;
  }
}

const writeStdout = (text: string): Promise<void> =>
  new Promise((resolve, reject) => process.stdout.write(text, (error) => (error ? reject(error) : resolve())));
