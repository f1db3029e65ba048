import { messageOf } from '../dom';
import { fileName, readableFiles, readBytes, readDocument } from '../files/documents';
import type { Document } from './store';

/** Files after which what was read is handed on, so that its embedding begins. */
const BATCH = 16;

/** SHA-256 in hex. */
export async function hashOf(bytes: BufferSource): Promise<string> {
  if (!globalThis.crypto?.subtle) {
    throw new Error(
      'Files are told apart by their SHA-256, which browsers compute only on pages of https or localhost.',
    );
  }
  const digest = new Uint8Array(await crypto.subtle.digest('SHA-256', bytes));
  return Array.from(digest, (byte) => byte.toString(16).padStart(2, '0')).join('');
}

/** Some of the files: their documents, and they themselves by hash. */
export interface ReadFiles {
  documents: Document[];
  files: Map<string, File>;
}

/**
 * Reads files; those that are the same become one document of several names. `known`: the documents there are, by hash, which need not be read again.
 * `onRead` gets them some at a time. Resolves to sentences: which files could not be read and why. Rejects with the reason of `signal`.
 */
export async function readFiles(
  given: File[],
  known: () => ReadonlyMap<string, Document>,
  signal: AbortSignal,
  on: { progress(done: number, total: number): void; read(some: ReadFiles): void },
): Promise<string[]> {
  const { readable, problems } = readableFiles(given);
  let found = new Map<string, Document>();
  let files = new Map<string, File>();
  const handOn = () => {
    if (found.size > 0) on.read({ documents: [...found.values()], files });
    found = new Map();
    files = new Map();
  };
  try {
    for (const [i, file] of readable.entries()) {
      on.progress(i, readable.length);
      const name = fileName(file);
      try {
        const hash = await hashOf(await readBytes(file));
        signal.throwIfAborted();
        const same = found.get(hash) ?? known().get(hash);
        const text = same?.text ?? (await readDocument(file, signal)).text;
        found.set(hash, { hash, text, names: [...new Set([...(same?.names ?? []), name])] });
        files.set(hash, file);
      } catch (error) {
        signal.throwIfAborted();
        problems.push(messageOf(error));
      }
      if (found.size >= BATCH) handOn();
    }
  } finally {
    handOn();
  }
  return problems;
}
