/**
 * The result of an evaluation as a JSON file, and beside it, until it is whole, a folder FILE.part with what is done, from which a stopped job
 * resumes. Without a file the folder is a temporary one, and goes when the job ends.
 */
import { lstat, mkdir, mkdtemp, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { UsageError } from '../command';
import { resolveLinks, statOf } from '../files';
import { lockFile } from '../lock';

export interface Job {
  /** The path of a file in the folder. */
  at(name: string): string;
  /** undefined if it is not there. */
  read(name: string): Promise<Buffer | undefined>;
  /** Replaces a file as a whole. */
  write(name: string, parts: (string | Uint8Array)[]): Promise<void>;
  /** Writes the result in its place; the folder goes. */
  finish(result: object): Promise<void>;
  /** Without finish, what is done stays for a resumed job; resolves to a message that says where. */
  close(): Promise<string | undefined>;
}

export interface JobOptions {
  /** The result's file. */
  json: string | undefined;
  resume: boolean;
  overwrite: boolean;
  /** What decides the result: a job resumes only with the same. */
  identity: Record<string, unknown>;
}

const IDENTITY = 'job.json';

/**
 * Throws a UsageError for an existing file or an unfinished job without `resume` or `overwrite`, and for resuming a finished job or one of another
 * identity; an Error if another process has the job.
 */
export async function openJob({ json, resume, overwrite, identity }: JobOptions): Promise<Job> {
  if (resume && overwrite) throw new UsageError('--resume and --overwrite cannot be combined.');
  if (json === undefined) {
    if (resume) throw new UsageError('--resume needs the file of the result: set --json.');
    const folder = await mkdtemp(join(tmpdir(), 'modernbert-webgpu-'));
    const close = async () => void (await rm(folder, { recursive: true, force: true }));
    return { ...jobIn(folder), finish: async () => {}, close: async () => close().then(() => undefined) };
  }
  if (statOf(json)?.isDirectory()) throw new UsageError(`--json: ${json} is a folder.`);
  const target = await orUsageError(json, resolveLinks(json));
  const release = await orUsageError(json, lockFile(target));
  try {
    const folder = `${target}.part`;
    await beginOrResume(folder, target, { json, resume, overwrite, identity });
    const job = jobIn(folder);
    let finished = false;
    return {
      ...job,
      async finish(result) {
        await job.write('result.json', [`${JSON.stringify(result, null, 2)}\n`]);
        await rename(job.at('result.json'), target);
        await rm(folder, { recursive: true });
        finished = true;
      },
      async close() {
        await release();
        return finished ? undefined : `What is done so far is in ${folder}: --resume continues there.`;
      },
    };
  } catch (error) {
    await release();
    throw error;
  }
}

async function beginOrResume(
  folder: string,
  target: string,
  { json, resume, overwrite, identity }: JobOptions,
): Promise<void> {
  const begun = await lstat(folder).catch(() => undefined);
  const before = begun && (await readFile(join(folder, IDENTITY), 'utf8').catch(() => undefined));
  if (begun && before === undefined) {
    throw new UsageError(`--json: ${folder} is in the way, which is not the folder of an evaluation. Move it away.`);
  }
  if (begun && !resume && !overwrite) {
    throw new UsageError(`${folder} is an unfinished evaluation. --resume continues it, --overwrite begins anew.`);
  }
  if (!begun && !overwrite && statOf(target)) {
    throw new UsageError(`${json} already exists${resume ? ', and is complete' : ''}. --overwrite replaces it.`);
  }
  if (resume && before !== undefined)
    return checkIdentity(folder, JSON.parse(before), JSON.parse(JSON.stringify(identity)));
  if (begun) await rm(folder, { recursive: true });
  await orUsageError(String(json), mkdir(folder));
  await writeFile(join(folder, IDENTITY), JSON.stringify(identity));
}

function checkIdentity(folder: string, before: Record<string, unknown>, now: Record<string, unknown>): void {
  for (const name of new Set([...Object.keys(before), ...Object.keys(now)])) {
    const [old, current] = [before[name], now[name]].map((value) => JSON.stringify(value) ?? 'not given');
    if (old === current) continue;
    throw new UsageError(
      `--resume: ${folder} was begun with another ${name} (${old}, now ${current}). Use the same, or --overwrite.`,
    );
  }
}

const jobIn = (folder: string): Pick<Job, 'at' | 'read' | 'write'> => ({
  at: (name) => join(folder, name),
  read: (name) =>
    readFile(join(folder, name)).catch((error: NodeJS.ErrnoException) => {
      if (error.code === 'ENOENT') return undefined;
      throw error;
    }),
  async write(name, parts) {
    const path = join(folder, name);
    await writeFile(`${path}.new`, parts);
    await rename(`${path}.new`, path);
  },
});

/** The system's error as a UsageError that names the file; others as they are. */
async function orUsageError<T>(path: string, work: Promise<T>): Promise<T> {
  try {
    return await work;
  } catch (cause) {
    if (typeof (cause as NodeJS.ErrnoException).code !== 'string') throw cause;
    throw new UsageError(`--json: cannot write ${path} (${(cause as Error).message}).`, { cause });
  }
}
