/** Late chunking: which tokens of a text each of its chunks has. */
import type { Span } from '../runtime/pass-items';

type Part = { start: number; end: number };

/** The chunks of each text: of one text they are a list, of several a list of lists. */
export function chunkLists(chunks: Part[] | Part[][], texts: string | string[]): Part[][] {
  if (typeof texts === 'string') return [chunks as Part[]];
  if (chunks.length === texts.length && chunks.every(Array.isArray)) return chunks;
  throw new RangeError(`chunks must be a list of chunks for each of the ${texts.length} texts.`);
}

/** The tokens of each chunk: those that begin in it. Special tokens and the prompt belong to none. */
export function spansOf(chunks: Part[], offsets: [number, number][], text: number, length: number): Span[] {
  return chunks.map(({ start, end }, c) => {
    const what = `Chunk ${c} of text ${text}`;
    if (!Number.isInteger(start) || !Number.isInteger(end) || start < 0 || end > length || start >= end) {
      throw new RangeError(`${what} must be a part of the text's ${length} characters, it is ${start} to ${end}.`);
    }
    const isIn = ([from, to]: [number, number]) => to > from && from >= start && from < end;
    const first = offsets.findIndex(isIn);
    if (first >= 0) return [first, first, offsets.findLastIndex(isIn) + 1];
    throw new RangeError(
      `${what}, ${start} to ${end}, has no token that begins in it: it is part of a word or of the white space, or was cut off.`,
    );
  });
}
