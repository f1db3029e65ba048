import { expect, it } from 'vitest';
import { copyIntoFolders, type Folder } from './copy-folders';

/** A folder in memory: what of the browser's is used. `full`: writing fails. */
function folder(files: Record<string, unknown> = {}, full = false) {
  const made: Record<string, unknown> = files;
  const handle = {
    name: 'target',
    async *values() {
      for (const name of Object.keys(made)) yield { name };
    },
    async getDirectoryHandle(name: string) {
      made[name] ??= {};
      return folder(made[name] as Record<string, unknown>, full);
    },
    async getFileHandle(name: string) {
      const parts: string[] = [];
      return {
        createWritable: async () => ({
          async write(file: File) {
            if (full) throw new DOMException('Full', 'QuotaExceededError');
            parts.push(await file.text());
          },
          async abort() {},
          async close() {
            made[name] = parts.join('');
          },
        }),
      };
    },
  };
  return handle as unknown as Folder;
}
const { signal } = new AbortController();
const copied = (name: string, label: string) => ({ name, label, file: new File([`of ${name}`], 'x') });

it('copies files into folders of their classes, and loses none that have the same name', async () => {
  const made: Record<string, unknown> = {};
  const seen: [number, number][] = [];
  const files = [
    copied('in/a.txt', 'in/out'),
    copied('b/A.txt', 'in/out'),
    copied('a.txt', 'in:out'),
    copied('a.txt', 'x'),
  ];
  await copyIntoFolders(folder(made), files, signal, (done, total) => seen.push([done, total]));
  expect(made).toEqual({
    in_out: { 'a.txt': 'of in/a.txt', 'A (2).txt': 'of b/A.txt' },
    'in_out (2)': { 'a.txt': 'of a.txt' },
    x: { 'a.txt': 'of a.txt' },
  });
  expect(seen).toEqual([
    [0, 4],
    [1, 4],
    [2, 4],
    [3, 4],
  ]);
});

it('takes only an empty folder, and says what could not be copied', async () => {
  const one = [copied('a.txt', 'x')];
  const filled = { 'old.txt': 'precious' };
  await expect(copyIntoFolders(folder(filled), one, signal, () => {})).rejects.toThrow(
    'The folder target is not empty: old.txt is in it.',
  );
  expect(filled).toEqual({ 'old.txt': 'precious' });
  await expect(copyIntoFolders(folder({}, true), one, signal, () => {})).rejects.toThrow(
    'a.txt could not be copied; 1 file',
  );
  const forbidden = { ...folder(), getDirectoryHandle: () => Promise.reject(new DOMException('…', 'NotAllowedError')) };
  await expect(copyIntoFolders(forbidden as Folder, one, signal, () => {})).rejects.toThrow(
    'a.txt could not be copied; 1 file',
  );
  await expect(copyIntoFolders(folder(), one, AbortSignal.abort(), () => {})).rejects.toThrow('aborted');
});
