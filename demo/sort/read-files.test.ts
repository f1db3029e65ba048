import { expect, it } from 'vitest';
import { hashOf, type ReadFiles, readFiles } from './read-files';

const { signal } = new AbortController();
async function read(files: File[], known = new Map(), own = signal) {
  const some: ReadFiles[] = [];
  const on = { progress: () => {}, read: (part: ReadFiles) => some.push(part) };
  const problems = await readFiles(files, () => known, own, on);
  return { problems, some, documents: some.flatMap(({ documents }) => documents) };
}

it('knows files by what is in them', async () => {
  const empty = 'e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855';
  expect(await hashOf(new ArrayBuffer(0))).toBe(empty);
  const { documents, some, problems } = await read([
    new File(['one'], 'a.txt'),
    new File(['one'], 'b/a.txt'),
    new File(['two'], 'c.md'),
  ]);
  expect(documents.map(({ names, text }) => [names, text])).toEqual([
    [['a.txt', 'b/a.txt'], 'one'],
    [['c.md'], 'two'],
  ]);
  expect(some).toHaveLength(1);
  expect(await some[0].files.get(documents[1].hash)?.text()).toBe('two');
  expect(problems).toEqual([]);
});

it('does not read again what it has, and adds its new name', async () => {
  const hash = await hashOf(new TextEncoder().encode('one').buffer as ArrayBuffer);
  const known = new Map([[hash, { hash, names: ['old.txt'], text: 'kept' }]]);
  const { documents } = await read([new File(['one'], 'new.txt'), new File(['one'], 'old.txt')], known);
  expect(documents).toEqual([{ hash, names: ['old.txt', 'new.txt'], text: 'kept' }]);
});

it('says what cannot be read, by name, and reads the others', async () => {
  const { documents, problems } = await read([
    new File(['x'], 'photo.png'),
    new File([], 'nothing.txt'),
    new File(['   '], 'blank.txt'),
    new File([Uint8Array.of(1, 0, 2)], 'binary.txt'),
    new File(['good'], 'good.txt'),
  ]);
  expect(documents.map(({ names }) => names)).toEqual([['good.txt']]);
  expect(problems.map((line) => line.split(' ')[0])).toEqual(['photo.png', 'nothing.txt', 'blank.txt', 'binary.txt']);
});

it('reads neither what is too large nor what is gone, and says so in words', async () => {
  const large = Object.defineProperty(new File(['x'], 'film.txt'), 'size', { value: 3e9 });
  large.arrayBuffer = () => expect.unreachable('Its bytes do not fit into the page.');
  const gone = new File(['x'], 'gone.txt');
  gone.arrayBuffer = () => Promise.reject(new DOMException('A requested file or directory …', 'NotFoundError'));
  expect((await read([large, gone])).problems).toEqual([
    'film.txt has 3000 MB; files of up to 64 MB can be read here.',
    'gone.txt cannot be opened: it is locked, or was moved or changed. Choose it again.',
  ]);
});

it('hands on some at a time, and what it has when it is stopped', async () => {
  const files = Array.from({ length: 40 }, (_, i) => new File([`text ${i}`], `${i}.txt`));
  expect((await read(files)).some.map(({ documents }) => documents.length)).toEqual([16, 16, 8]);

  const controller = new AbortController();
  const got: number[] = [];
  const stopped = readFiles(files, () => new Map(), controller.signal, {
    progress: (done) => done === 20 && controller.abort(),
    read: ({ documents }) => got.push(documents.length),
  });
  await expect(stopped).rejects.toThrow('aborted');
  expect(got).toEqual([16, 4]);
});
