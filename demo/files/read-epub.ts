/** The text of books in EPUB, of which each chapter is a page of XHTML. */
import { htmlText } from './read-html';
import { createTextParts } from './text-parts';
import { openParts, partAt } from './zip-parts';

const READ = /\.(xml|opf|x?html?)$/i;
const CONTAINER = 'META-INF/container.xml';
const ENCRYPTION = 'META-INF/encryption.xml';

/** The chapters in the order of reading. Throws an Error in words if it is damaged, protected or too long, and the reason of `signal`. */
export async function readEpub(
  name: string,
  bytes: Uint8Array<ArrayBuffer>,
  signal?: AbortSignal,
): Promise<{ text: string }> {
  const parts = await openParts(name, bytes, READ, signal);
  const elements = (part: string, element: string) => [...parts.xml(part).getElementsByTagNameNS('*', element)];
  const book = elements(CONTAINER, 'rootfile')[0]?.getAttribute('full-path') ?? '';
  const items = new Map(elements(book, 'item').map((item) => [item.getAttribute('id'), item]));
  const locked = new Set(
    parts.has(ENCRYPTION)
      ? elements(ENCRYPTION, 'CipherReference').map((one) => partAt('', one.getAttribute('URI') ?? ''))
      : [],
  );
  const chapters = createTextParts(name);
  const read = new Set<string>();
  for (const reference of elements(book, 'itemref')) {
    const item = items.get(reference.getAttribute('idref'));
    const isContents = item?.getAttribute('properties')?.split(' ').includes('nav');
    if (!item || isContents) continue;
    const part = partAt(book, item.getAttribute('href') ?? '');
    if (!READ.test(part) || read.has(part)) continue; // a picture, or a chapter that comes a second time
    read.add(part);
    if (locked.has(part)) {
      throw new Error(
        `${name} is protected against copying (DRM): only the reader that it was bought for can open it.`,
      );
    }
    const text = await htmlText(name, parts.text(part), { isXhtml: true, signal });
    if (text !== '') chapters.add(text);
  }
  return { text: chapters.text() };
}
