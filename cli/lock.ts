/** A file beside another, for as long as one process writes that one. Node has no locks between processes. */
import { readFileSync } from 'node:fs';
import { readFile, rm, stat, writeFile } from 'node:fs/promises';
import { hostname } from 'node:os';

interface Owner {
  pid: number;
  host: string;
  /** When the process began, where the system tells: a later process may have its number. */
  began: string | undefined;
}

/** Milliseconds after which a lock without content was abandoned between its creation and its first byte. */
const ABANDONED_MS = 10_000;

/**
 * Takes the lock of `path`, also from a process of this machine that has died. Resolves to its release. Throws an Error if another
 * process has it, and the system's error if the folder cannot be written.
 */
export async function lockFile(path: string): Promise<() => Promise<void>> {
  const lock = `${path}.lock`;
  for (;;) {
    try {
      await writeFile(lock, JSON.stringify(ownerOf(process.pid)), { flag: 'wx' });
      return () => rm(lock, { force: true });
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
    }
    const held = await contentOf(lock);
    if (held === undefined) continue; // released meanwhile
    const owner = parseOwner(held);
    if (owner ? isDead(owner) : held === '' && (await isAbandoned(lock))) {
      await takeAway(lock, held);
      continue;
    }
    const who = owner ? `process ${owner.pid} on ${owner.host}` : 'another process';
    throw new Error(`${path} is being written by ${who}. If that process has ended, delete ${lock}.`);
  }
}

const ownerOf = (pid: number): Owner => ({ pid, host: hostname(), began: beginningOf(pid) });

/** Linux only: field 22 of its stat, in clock ticks since the machine started; the name in field 2 may hold anything. */
function beginningOf(pid: number): string | undefined {
  try {
    return readFileSync(`/proc/${pid}/stat`, 'utf8').replace(/^.*\)/s, '').split(' ')[20];
  } catch {
    return undefined;
  }
}

function parseOwner(text: string): Owner | undefined {
  try {
    const { pid, host, began } = JSON.parse(text);
    return Number.isSafeInteger(pid) && pid > 0 && typeof host === 'string' ? { pid, host, began } : undefined;
  } catch {
    return undefined;
  }
}

function isDead({ pid, host, began }: Owner): boolean {
  if (host !== hostname()) return false;
  try {
    process.kill(pid, 0);
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'ESRCH';
  }
  const now = beginningOf(pid);
  return began !== undefined && now !== undefined && now !== began;
}

const isAbandoned = async (lock: string): Promise<boolean> =>
  stat(lock).then(
    ({ mtimeMs }) => mtimeMs < Date.now() - ABANDONED_MS,
    () => false,
  );

/**
 * Removes a dead process's lock. Whoever does it holds the lock of the lock meanwhile: otherwise a second process could remove the lock
 * that a first has put there since.
 */
async function takeAway(lock: string, held: string): Promise<void> {
  const release = await lockFile(lock);
  try {
    if ((await contentOf(lock)) === held) await rm(lock);
  } finally {
    await release();
  }
}

const contentOf = (path: string): Promise<string | undefined> =>
  readFile(path, 'utf8').catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return undefined;
    throw error;
  });
