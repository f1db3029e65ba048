import { decodeText } from './decode-text';
import { damagedFile, unzip } from './unzip';

/** Bytes that the parts of a file that are read may have once they are unpacked. */
const MOST = 64e6;

/** The parts of a zip file that are read. */
export interface Parts {
  has(part: string): boolean;
  /** Throws an Error in words if there is no such part. */
  text(part: string): string;
  /** Parsed; throws an Error in words if it is missing or no XML. */
  xml(part: string): Document;
}

/** Opens a file of XML in a zip, of which the parts are read whose names match. Throws as `unzip`. */
export async function openParts(
  name: string,
  bytes: Uint8Array<ArrayBuffer>,
  wanted: RegExp,
  signal?: AbortSignal,
): Promise<Parts> {
  const parts = await unzip(name, bytes, (part) => wanted.test(part), { most: MOST, signal });
  const text = (part: string) => {
    const found = parts.get(part);
    if (!found) throw damagedFile(name, new Error(`It has no ${part}.`));
    return decodeText(name, found);
  };
  return {
    has: (part) => parts.has(part),
    text,
    xml(part) {
      const source = text(part);
      // No such format needs entities of its own, which can stand for very long texts.
      if (/<!ENTITY/i.test(source)) throw damagedFile(name, new Error(`${part} declares entities.`));
      const page = new DOMParser().parseFromString(source, 'application/xml');
      if (page.getElementsByTagName('parsererror').length > 0) {
        throw damagedFile(name, new Error(`${part} is no XML, or its elements are too deep in each other.`));
      }
      return page;
    },
  };
}

/** The part that a path in another one leads to; '' if it is no path. */
export function partAt(base: string, path: string): string {
  const from = base.split('/').map(encodeURIComponent).join('/');
  try {
    return decodeURIComponent(new URL(path, `https://zip/${from}`).pathname.slice(1));
  } catch {
    return '';
  }
}
