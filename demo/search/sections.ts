import type { IndexDocument, IndexOptions } from '../../src/search';
import type { ReadDocument } from '../files/documents';

/** How the tab's indexes keep their vectors: a quarter of the memory, and what is found is nearly the same (docs/guide/search.md). */
export const INDEX_OPTIONS: Pick<IndexOptions, 'precision'> = { precision: 'int8' };

/** Where a document of the index comes from: a part of a file. */
export interface Section extends Record<string, unknown> {
  /** The file's name, with its folders. */
  file: string;
  /** Where in it, for people: `page 12`, a heading, or nothing. */
  place: string;
  /** Where it begins in the file's text, UTF-16. A file's sections follow each other without gaps. */
  start: number;
}

/** Characters of a section, at least, where a file has no pages: a search finds one passage of each. */
const LEAST = 4000;
/** A heading of Markdown. */
const HEADING = /^#{1,6} +(.+?)[ #]*\r?$/;

/**
 * The parts of a file that are found each by itself: a PDF's pages, else pieces of paragraphs, which begin at headings where there are some. Together
 * they are the file's text.
 */
export function sectionsOf({ name, text, pages }: ReadDocument): IndexDocument<Section>[] {
  const starts = pages ? pages.map((start, i) => ({ start, place: `page ${i + 1}` })) : startsOf(text);
  const parts: { start: number; place: string }[] = [];
  for (const [i, part] of starts.entries()) {
    // What is empty goes with what is before it; at the beginning, with what follows.
    const isEmpty = text.slice(part.start, starts[i + 1]?.start).trim() === '';
    if (!isEmpty) parts.push(parts.length === 0 ? { ...part, start: 0 } : part);
  }
  return parts.map(({ start, place }, i) => ({
    id: `${name}#${i}`,
    text: text.slice(start, parts[i + 1]?.start),
    metadata: { file: name, place, start },
  }));
}

/** Where sections begin, each with the heading that it begins with or else the one before. */
function startsOf(text: string): { start: number; place: string }[] {
  const starts = [{ start: 0, place: '' }];
  const gaps = Array.from(text.matchAll(/\n\s*\n/g), ({ index, 0: gap }) => index + gap.length);
  for (const begin of [Math.max(0, text.search(/\S/)), ...gaps]) {
    const end = text.indexOf('\n', begin);
    const heading = HEADING.exec(text.slice(begin, end < 0 ? undefined : end))?.[1];
    const last = starts[starts.length - 1];
    const length = begin - last.start;
    if (length >= LEAST || (heading !== undefined && length >= LEAST / 8)) {
      starts.push({ start: begin, place: heading ?? last.place });
    } else if (heading !== undefined && last.place === '') {
      last.place = heading;
    }
  }
  return starts;
}
