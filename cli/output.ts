/** Output as JSON lines. Each starts with the number of its input line, from which a stopped job resumes. */
import { type FileHandle, open } from 'node:fs/promises';
import { UsageError } from './command';

export interface Output {
  /** Number of the last input line already in the output; 0 if none. */
  done: number;
  /** Writes whole lines. */
  write(text: string): Promise<void>;
  close(): Promise<void>;
}

/** How every line starts. */
const START = '{"line":';

/** Nine digits identify every f32; as a double it would print with up to 17. */
export const shortest = (x: number): number => Number(x.toPrecision(9));

export const outputLine = (line: number, fields: object): string => `${JSON.stringify({ line, ...fields })}\n`;

/**
 * Opens a file, or stdout for '-'. `resume` keeps the lines of an existing file and cuts off an incomplete last one. Throws a
 * UsageError for an existing file without `resume` or `overwrite`, and for resuming a file that is not output of a command.
 */
export async function openOutput(path: string, options: { resume: boolean; overwrite: boolean }): Promise<Output> {
  if (options.resume && options.overwrite) throw new UsageError('--resume and --overwrite cannot be combined.');
  if (path === '-') {
    if (options.resume) throw new UsageError('--resume needs an output file: set --output.');
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
        ? `${path} already exists. --resume continues where it ends, --overwrite replaces it.`
        : `--output: cannot write ${path} (${message}).`,
    );
  }
}

const BLOCK = 1 << 16;

/** Cuts off an incomplete last line; returns the input line number of the last complete one. */
async function cutTornLine(handle: FileHandle, path: string): Promise<number> {
  const { size } = await handle.stat();
  // Backwards from the end, until the last complete line has been read.
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
    throw new UsageError(`--resume: ${path} is not output of this command: its last line must start with ${START}.`);
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
