/** What a drop brought, in no order. */
export interface Dropped {
  /** Those of folders are named with them. */
  files: File[];
  /** In sentences, what else could not be read and why. */
  problems: string[];
}

/** Reads files and folders that were dropped. What cannot be read does not keep the rest from being taken. */
export async function readDropped(entries: readonly (FileSystemEntry | File)[]): Promise<Dropped> {
  const files: File[] = [];
  const problems: string[] = [];

  async function read(entry: FileSystemEntry | File): Promise<void> {
    if (entry instanceof File) return void files.push(entry);
    const path = entry.fullPath.replace(/^\//, '');
    try {
      if (isFile(entry)) files.push(await fileOf(entry, path));
      else await Promise.all((await entriesOf(entry)).filter(({ name }) => !isHidden(name)).map(read));
    } catch (error) {
      problems.push(`${path} ${reasonOf(error)}`);
    }
  }

  await Promise.all(entries.map(read));
  return { files, problems: problems.sort() };
}

/** The system's own: .git, .DS_Store. */
const isHidden = (name: string) => name.startsWith('.');

const isFile = (entry: FileSystemEntry): entry is FileSystemFileEntry => entry.isFile;

async function fileOf(entry: FileSystemFileEntry, path: string): Promise<File> {
  const file = await new Promise<File>((resolve, reject) => entry.file(resolve, reject));
  return path === file.name ? file : new File([file], path, { type: file.type, lastModified: file.lastModified });
}

async function entriesOf(entry: FileSystemEntry): Promise<FileSystemEntry[]> {
  const reader = (entry as FileSystemDirectoryEntry).createReader();
  const found: FileSystemEntry[] = [];
  for (;;) {
    const batch = await new Promise<FileSystemEntry[]>((resolve, reject) => reader.readEntries(resolve, reject));
    if (batch.length === 0) return found; // at most 100 come at a time
    for (const inner of batch) found.push(inner);
  }
}

/** Why a file or folder was not read, for people; browsers say little. */
function reasonOf(error: unknown): string {
  const name = error instanceof DOMException ? error.name : '';
  if (name === 'NotFoundError') return 'is not there any more: it was moved or deleted.';
  if (name === 'NotReadableError' || name === 'SecurityError')
    return 'could not be read: its permissions do not allow it, or another program has it locked.';
  return 'could not be read.';
}
