import { expect, it } from 'vitest';
import { decodeText } from './decode-text';
import { namedProblems, readableFiles, readDocument, readDocuments } from './documents';
import { pageText } from './pdf-text';

const file = (name: string, ...parts: BlobPart[]) => new File(parts, name);

it('reads text and Markdown as they are', async () => {
  expect(await readDocument(file('a.txt', 'Ärger\r\n'))).toEqual({ name: 'a.txt', text: 'Ärger\r\n' });
  expect(await readDocument(file('notes.MD', '# Title'))).toEqual({ name: 'notes.MD', text: '# Title' });
  const inFolder = Object.assign(file('a.txt', 'x'), { webkitRelativePath: 'books/a.txt' });
  expect((await readDocument(inFolder)).name).toBe('books/a.txt');
});

it('reads older encodings, by their mark or as Windows Western', () => {
  expect(decodeText('a', Uint8Array.of(0xff, 0xfe, 0x3b, 0x26))).toBe('☻');
  expect(decodeText('a', Uint8Array.of(0xfe, 0xff, 0x26, 0x3b))).toBe('☻');
  expect(decodeText('a', Uint8Array.of(0xef, 0xbb, 0xbf, 0x61))).toBe('a');
  expect(decodeText('a', Uint8Array.of(0x61, 0xe4, 0x62))).toBe('aäb');
  expect(decodeText('a', Uint8Array.of(0xef), 'koi8-r')).toBe('О');
});

it('says what is wrong with a file that it cannot read', async () => {
  await expect(readDocument(file('photo.png', 'x'))).rejects.toThrow('photo.png is of a type that cannot be read');
  await expect(readDocument(file('a.DOC', 'x'))).rejects.toThrow(
    'a.DOC is in an older format. Open it in the program that wrote it and save it as .docx.',
  );
  await expect(readDocument(file('a.docx', 'x'))).rejects.toThrow('a.docx is damaged or not what its name says.');
  await expect(readDocument(file('a.epub', 'PK x'))).rejects.toThrow('a.epub is damaged or not what its name says.');
  await expect(readDocument(file('a.txt'))).rejects.toThrow('a.txt is empty');
  await expect(readDocument(file('a.txt', ' \n'))).rejects.toThrow('a.txt has no text in it');
  await expect(readDocument(file('a.txt', 'MZ\0\0'))).rejects.toThrow('a.txt is not a text file');
  const large = Object.defineProperty(file('a.txt', 'x'), 'size', { value: 70e6 });
  await expect(readDocument(large)).rejects.toThrow('a.txt has 70 MB; files of up to 64 MB');
  await expect(readDocument(file('a.txt', 'x'), AbortSignal.abort())).rejects.toThrow('aborted');
});

it('names the file where a reader fails in a way of its own, with the cause', async () => {
  // Node.js has no DOMParser.
  const error = await readDocument(file('a.html', '<p>x')).catch((reason) => reason);
  expect(error.message).toMatch(/^a\.html could not be read: something in it is not as it should be\. Open it/);
  expect(error.cause).toBeInstanceOf(ReferenceError);
});

it('goes on behind a file that it cannot read', async () => {
  const { documents, problems } = await readDocuments([file('a.bin', 'x'), file('b.txt', 'b')]);
  expect(documents).toEqual([{ name: 'b.txt', text: 'b' }]);
  expect(problems).toEqual([expect.stringContaining('a.bin')]);
});

it('knows its types by their names', () => {
  const known = [
    ...['a.pdf', 'a.HTM', 'a.markdown', 'b/c.txt'].map((name) => file(name)),
    new File([''], 'README', { type: 'text/plain' }),
  ];
  expect(readableFiles(known)).toEqual({ readable: known, problems: [] });
  const others = ['a.zip', 'Makefile', 'a.txt.gz', 'b.ZIP'].map((name) => file(name));
  expect(readableFiles([...others, ...known])).toEqual({
    readable: known,
    problems: [
      '4 files of other types (.zip, without an extension, .gz) were left out. Text, Markdown, HTML, PDF, Word (.docx), PowerPoint (.pptx), OpenDocument (.odt), EPUB and e-mails (.eml) can be read here.',
    ],
  });
  expect(readableFiles([others[0]]).problems).toEqual([
    'a.zip is of a type that cannot be read. Text, Markdown, HTML, PDF, Word (.docx), PowerPoint (.pptx), OpenDocument (.odt), EPUB and e-mails (.eml) can be read here.',
  ]);
});

it('names five problems of many', () => {
  expect(namedProblems(['a.', 'b.'])).toBe('a.\nb.');
  expect(namedProblems(Array.from({ length: 900 }, (_, i) => `${i}.`))).toBe(
    '0.\n1.\n2.\n3.\n4.\nAnd 895 more files could not be read.',
  );
});

it('puts the runs of a PDF page together as lines and paragraphs', () => {
  const run = (str: string, y: number, hasEOL = true) => ({
    str,
    hasEOL,
    transform: [10, 0, 0, 10, 72, y],
    height: 10,
  });
  expect(
    pageText([
      run('Whales are ', 700, false),
      run('mam-', 700),
      run('mals.', 688),
      run('They breathe', 660),
      run('air.', 648),
    ]),
  ).toBe('Whales are mammals.\n\nThey breathe\nair.\n');
});
