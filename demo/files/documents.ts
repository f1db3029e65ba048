/** Files that people have, as plain text: txt, Markdown, HTML, PDF, Word's and others' documents, books and e-mails. */
import { plural } from '../numbers';
import { decodeText } from './decode-text';

export interface ReadDocument {
  /** The file's name; with its folders where it came with them. */
  name: string;
  text: string;
  /** Where its pages or slides begin in the text, if it has such. */
  pages?: number[];
}

type Kind = 'text' | 'html' | 'pdf' | 'office' | 'epub' | 'mail';

const KINDS: Record<string, Kind> = {
  txt: 'text',
  text: 'text',
  md: 'text',
  markdown: 'text',
  html: 'html',
  htm: 'html',
  xhtml: 'html',
  pdf: 'pdf',
  docx: 'office',
  odt: 'office',
  pptx: 'office',
  epub: 'epub',
  eml: 'mail',
};

/** For a file input's `accept`. */
export const DOCUMENT_TYPES = Object.keys(KINDS)
  .map((extension) => `.${extension}`)
  .join(',');

/** Larger files would not fit into the page several times over. */
const LARGEST = 64e6;

export const fileName = (file: File): string => file.webkitRelativePath || file.name;

/** Problems that are told in full. */
const NAMED = 5;

/** A few of them: one cause may stop a whole folder. */
export function namedProblems(problems: string[]): string {
  const more = problems.length - NAMED;
  return [
    ...problems.slice(0, NAMED),
    ...(more > 0 ? [`And ${plural(more, 'more file')} could not be read.`] : []),
  ].join('\n');
}

/**
 * The files whose type `readDocument` knows, by their names, as browsers know few types by themselves; and in a sentence which others there are:
 * a folder of photos has thousands.
 */
export function readableFiles(files: File[]): { readable: File[]; problems: string[] } {
  const isKnown = (file: File) => kindOf(file) !== undefined;
  const readable = files.filter(isKnown);
  const others = files.filter((file) => !isKnown(file));
  if (others.length === 0) return { readable, problems: [] };
  if (others.length === 1) return { readable, problems: [unknownType(fileName(others[0]))] };
  const types = new Set(others.map(({ name }) => /\.[^./]+$/.exec(name)?.[0].toLowerCase() ?? 'without an extension'));
  const named = [...types].slice(0, NAMED).join(', ') + (types.size > NAMED ? ', …' : '');
  return {
    readable,
    problems: [`${plural(others.length, 'file')} of other types (${named}) were left out. ${READABLE}`],
  };
}

const READABLE =
  'Text, Markdown, HTML, PDF, Word (.docx), PowerPoint (.pptx), OpenDocument (.odt), EPUB and e-mails (.eml) can be read here.';
/** Formats that programs can save anew, as which. */
const OLDER = new Map([
  ['doc', '.docx'],
  ['rtf', '.docx'],
  ['ppt', '.pptx'],
]);

function unknownType(name: string): string {
  const newer = OLDER.get(extensionOf(name) ?? '');
  if (newer) return `${name} is in an older format. Open it in the program that wrote it and save it as ${newer}.`;
  return `${name} is of a type that cannot be read. ${READABLE}`;
}

const extensionOf = (name: string): string | undefined => /\.([^./]+)$/.exec(name)?.[1].toLowerCase();

function kindOf({ name, type }: File): Kind | undefined {
  const extension = extensionOf(name);
  if (extension) return KINDS[extension];
  return type.startsWith('text/') ? 'text' : undefined;
}

/** The bytes of a file. Throws an Error in words if it is empty, too large, or not there any more. */
export async function readBytes(file: File): Promise<Uint8Array<ArrayBuffer>> {
  const name = fileName(file);
  if (file.size === 0) throw new Error(`${name} is empty.`);
  if (file.size > LARGEST) {
    throw new Error(
      `${name} has ${Math.ceil(file.size / 1e6)} MB; files of up to ${LARGEST / 1e6} MB can be read here.`,
    );
  }
  try {
    return new Uint8Array(await file.arrayBuffer());
  } catch (cause) {
    throw new Error(`${name} cannot be opened: it is locked, or was moved or changed. Choose it again.`, { cause });
  }
}

/**
 * The text of a file. Throws an Error in words for other types, for files that are empty, locked or broken, and the reason
 * of `signal`.
 */
export async function readDocument(file: File, signal?: AbortSignal): Promise<ReadDocument> {
  signal?.throwIfAborted();
  const name = fileName(file);
  const kind = kindOf(file);
  if (!kind) throw new Error(unknownType(name));
  const bytes = await readBytes(file);
  const read = await readerOf(kind);
  const { text, pages } = await read(name, bytes, signal).catch((error) => {
    signal?.throwIfAborted();
    throw inWords(name, error);
  });
  signal?.throwIfAborted();
  if (text.trim() === '') {
    const why = kind === 'pdf' ? ' Its pages may be pictures of a scan, which would have to be recognised first.' : '';
    throw new Error(`${name} has no text in it.${why}`);
  }
  return { name, text, ...(pages && { pages }) };
}

/** Readers' own errors name the file; others are for those who wrote the readers. */
const inWords = (name: string, error: unknown): unknown =>
  error instanceof Error && error.message.includes(name)
    ? error
    : new Error(
        `${name} could not be read: something in it is not as it should be. Open it in the program that wrote it and save it again.`,
        { cause: error },
      );

type Reader = (
  name: string,
  bytes: Uint8Array<ArrayBuffer>,
  signal?: AbortSignal,
) => Promise<Omit<ReadDocument, 'name'>>;

/** Loads what reads a kind of files. */
async function readerOf(kind: Kind): Promise<Reader> {
  if (kind === 'pdf') return (await import('./read-pdf')).readPdf;
  if (kind === 'text') return async (name, bytes) => ({ text: decodeText(name, bytes) });
  if (kind === 'office') return (await import('./read-office')).readOffice;
  if (kind === 'epub') return (await import('./read-epub')).readEpub;
  const { htmlText } = await import('./read-html');
  if (kind === 'html') {
    return async (name, bytes, signal) => ({
      text: await htmlText(name, decodeText(name, bytes, declaredCharset(bytes)), { signal }),
    });
  }
  const { mailText } = await import('./read-mail');
  return async (name, bytes, signal) => ({
    text: await mailText(bytes, (html) => htmlText(name, html, { signal })),
  });
}

/** The encoding that an HTML file's first kilobyte names, if browsers know it. */
function declaredCharset(bytes: Uint8Array): string | undefined {
  const head = new TextDecoder('windows-1252').decode(bytes.subarray(0, 1024));
  const label = /<meta[^>]+charset\s*=\s*["']?([\w-]+)/i.exec(head)?.[1];
  try {
    return label && new TextDecoder(label).encoding;
  } catch {
    return undefined;
  }
}

/** Several files, in their order: their texts, and in sentences which others could not be read and why. Rejects with the reason of `signal`. */
export async function readDocuments(
  files: File[],
  signal?: AbortSignal,
  onProgress?: (done: number, total: number) => void,
): Promise<{ documents: ReadDocument[]; problems: string[] }> {
  const documents: ReadDocument[] = [];
  const { readable, problems } = readableFiles(files);
  for (const [done, file] of readable.entries()) {
    onProgress?.(done, readable.length);
    try {
      documents.push(await readDocument(file, signal));
    } catch (error) {
      signal?.throwIfAborted();
      problems.push((error as Error).message);
    }
  }
  return { documents, problems };
}
