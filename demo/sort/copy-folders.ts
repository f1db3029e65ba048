import { plural } from '../numbers';
import { baseName, folderName, freeName } from './folders';

/** What of a folder that the user chose is needed; `showDirectoryPicker` gives it in Chromium. */
export type Folder = FileSystemDirectoryHandle & { values(): AsyncIterable<FileSystemHandle> };

declare global {
  interface Window {
    showDirectoryPicker?(options: { mode: 'readwrite'; id: string }): Promise<Folder>;
  }
}

/** A file with the class whose folder it goes to. */
export interface Copied {
  name: string;
  label: string;
  file: File;
}

/** Where files without a class go. */
export const UNSORTED = 'unsorted';

/**
 * Copies files into folders of `target` that have the names of their classes. Throws an Error in words if the target is not empty, so that nothing is
 * ever overwritten; rejects with the reason of `signal`, and then what was copied stays.
 */
export async function copyIntoFolders(
  target: Folder,
  files: Copied[],
  signal: AbortSignal,
  onProgress: (done: number, total: number) => void,
): Promise<void> {
  for await (const { name } of target.values()) {
    throw new Error(`The folder ${target.name} is not empty: ${name} is in it. Choose an empty folder, or make one.`);
  }
  const folders = foldersOf(files.map(({ label }) => label));
  const taken = new Map<string, Set<string>>();
  for (const [done, { name, label, file }] of files.entries()) {
    onProgress(done, files.length);
    signal.throwIfAborted();
    const folder = folders.get(label) as string;
    const names = taken.get(folder) ?? new Set();
    taken.set(folder, names);
    const free = freeName(baseName(name), names);
    names.add(free.toLowerCase());
    let written: FileSystemWritableFileStream | undefined;
    try {
      const directory = await target.getDirectoryHandle(folder, { create: true });
      written = await (await directory.getFileHandle(free, { create: true })).createWritable();
      await written.write(file);
      await written.close(); // here too the disk may turn out to be full
    } catch (cause) {
      await written?.abort().catch(() => {});
      const left = plural(files.length - done, 'file');
      throw new Error(`${name} could not be copied; ${left} are left. Free space, or choose another folder.`, {
        cause,
      });
    }
  }
}

/** A folder for each class: two whose names differ only in what folders cannot have get two. */
function foldersOf(labels: string[]): Map<string, string> {
  const folders = new Map<string, string>();
  const taken = new Set<string>();
  for (const label of new Set(labels)) {
    const name = freeName(folderName(label), taken);
    taken.add(name.toLowerCase());
    folders.set(label, name);
  }
  return folders;
}
