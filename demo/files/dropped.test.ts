import { expect, it } from 'vitest';
import { readDropped } from './dropped';

/** An entry as browsers give it: of a file's content, of a folder's entries, or of one that fails. */
function entry(path: string, content: string | FileSystemEntry[] | DOMException): FileSystemEntry {
  const name = path.split('/').at(-1)!;
  const batches = Array.isArray(content) ? [content.slice(0, 2), content.slice(2), []] : [];
  const fails = content instanceof DOMException;
  return {
    name,
    fullPath: `/${path}`,
    isFile: typeof content === 'string' || (fails && name.includes('.')),
    file: (done: (file: File) => void, failed: (error: unknown) => void) =>
      fails ? failed(content) : done(new File([content as string], name)),
    createReader: () => ({
      readEntries: (done: (batch: FileSystemEntry[]) => void, failed: (error: unknown) => void) =>
        fails ? failed(content) : done(batches.shift() ?? []),
    }),
  } as unknown as FileSystemEntry;
}

it('reads files and folders, whose entries come in batches, without hidden ones', async () => {
  const folder = entry('letters', [
    entry('letters/a.txt', 'A'),
    entry('letters/.git', [entry('letters/.git/config', 'x')]),
    entry('letters/old', [entry('letters/old/b.txt', 'B')]),
  ]);
  const { files, problems } = await readDropped([folder, entry('c.txt', 'C'), new File(['D'], 'd.txt')]);
  expect(problems).toEqual([]);
  const read = await Promise.all(files.map(async (file) => [file.name, await file.text()]));
  expect(read.sort()).toEqual([
    ['c.txt', 'C'],
    ['d.txt', 'D'],
    ['letters/a.txt', 'A'],
    ['letters/old/b.txt', 'B'],
  ]);
});

it('takes what can be read, and says what cannot and why', async () => {
  const folder = entry('letters', [
    entry('letters/a.txt', 'A'),
    entry('letters/gone.txt', new DOMException('…', 'NotFoundError')),
    entry('letters/private', new DOMException('…', 'NotReadableError')),
    entry('letters/b.txt', 'B'),
  ]);
  const { files, problems } = await readDropped([folder, entry('odd.txt', new DOMException('…', 'EncodingError'))]);
  expect(files.map(({ name }) => name).sort()).toEqual(['letters/a.txt', 'letters/b.txt']);
  expect(problems).toEqual([
    'letters/gone.txt is not there any more: it was moved or deleted.',
    'letters/private could not be read: its permissions do not allow it, or another program has it locked.',
    'odd.txt could not be read.',
  ]);
});
