/** A file beside another, for as long as one process writes that one. Node has no locks between processes. */
import { readFileSync } from 'node:fs';
import { open, readFile, rm } from 'node:fs/promises';
import { hostname } from 'node:os';

interface Owner {
  pid: number;
  host: string;
  /** When the process began, where the system tells: a later process may have its number. */
  began: string | undefined;
}

/**
 * Takes the lock of `path`, also from a process of this machine that has died. Resolves to its release. Throws an Error if another
 * process has it, and the system's error if the folder cannot be written.
 */
export async function lockFile(path: string): Promise<() => Promise<void>> {
  const lock = `${path}.lock`;
  for (;;) {
    if (await create(lock)) return () => rm(lock, { force: true });
    const held = await contentOf(lock);
    if (held === undefined) continue; // released meanwhile
    const owner = parseOwner(held);
    // Other programs call their locks so too, and an empty one may be about to get its content.
    if (!owner) throw new Error(`Another process may be writing ${path}: there is ${lock}. If none is, move it away.`);
    if (!isDead(owner)) {
      const who = `process ${owner.pid} on ${owner.host}`;
      throw new Error(`${path} is being written by ${who}. If that process has ended, delete ${lock}.`);
    }
    await takeAway(lock, held);
  }
}

/** Whether there was no lock and this process has it now. */
async function create(lock: string): Promise<boolean> {
  try {
    const handle = await open(lock, 'wx');
    try {
      await handle.writeFile(JSON.stringify(ownerOf(process.pid)));
    } catch (error) {
      await rm(lock);
      throw error;
    } finally {
      await handle.close();
    }
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false;
    throw error;
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
