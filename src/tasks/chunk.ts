import type { Chunk, ChunkOptions } from '../api';
import type { Tokenizer } from '../tokenizer/types';
import { checkList, checkText, type Parts, paced, tokenizerOf } from './common';

/** Model.chunk for several texts. */
export async function chunk(
  parts: Parts,
  texts: string[],
  { maxTokens = parts.info.maxTokens, overlap = 0, signal }: ChunkOptions = {},
): Promise<Chunk[][]> {
  const tokenizer = tokenizerOf(parts);
  const special = tokenizer.encode('').ids.length;
  const { maxTokens: limit } = parts.info;
  if (!Number.isInteger(maxTokens) || maxTokens <= special || maxTokens > limit) {
    throw new RangeError(
      `maxTokens must be an integer from ${special + 1} (${special} special tokens and one of the text) to the model's ${limit}, it is ${maxTokens}.`,
    );
  }
  const room = maxTokens - special;
  if (!Number.isInteger(overlap) || overlap < 0 || overlap > room / 2) {
    throw new RangeError(
      `overlap must be an integer from 0 to ${Math.floor(room / 2)}, half of what maxTokens leaves to the text; it is ${overlap}.`,
    );
  }
  checkList(texts, 'texts');
  for (const [t, text] of texts.entries()) checkText(text, `Text ${t}`);
  return paced(texts, signal, (text) => chunksOf(tokenizer, text, room, overlap, special));
}

/**
 * A window over the text's tokens. A part's first and last token may be others than in the whole text (a space before it is gone), so
 * every part is tokenized again, and shortened until it fits.
 */
function chunksOf(tokenizer: Tokenizer, text: string, room: number, overlap: number, special: number): Chunk[] {
  const whole = tokenizer.encode(text);
  if (whole.ids.length <= room + special) return [{ text, start: 0, end: text.length, tokens: whole.ids.length }];
  const spans = whole.offsets.filter(([start, end]) => end > start);

  /** The last place in (from, to] where the tokens can be parted, best between words, if those are not far back. */
  function cut(from: number, to: number): number | undefined {
    if (to === spans.length) return to;
    let between: number | undefined;
    for (let at = to; at > from; at--) {
      const [start] = spans[at];
      if (start < spans[at - 1][1]) continue; // two tokens of one character
      if (/\s/.test(text.slice(start - 1, start + 1))) return at;
      between ??= at;
      if (at <= (from + to) / 2) break;
    }
    return between;
  }

  /** The longest part that begins with token `first`. */
  function part(first: number): Chunk & { last: number } {
    const [start] = spans[first];
    for (let most = Math.min(first + room, spans.length); ; ) {
      const last = cut(first, most);
      if (last === undefined) {
        throw new RangeError(
          `maxTokens ${room + special} is too small for what stands at ${start} in the text: ${JSON.stringify(text.slice(start, start + 2))}.`,
        );
      }
      const [, end] = spans[last - 1];
      const own = text.slice(start, end);
      const tokens = tokenizer.encode(own).ids.length;
      if (tokens <= room + special) return { text: own, start, end, tokens, last };
      most = last - Math.max(1, tokens - special - room);
    }
  }

  const chunks: Chunk[] = [];
  let first = 0;
  let reached = 0;
  while (reached < spans.length) {
    let next = part(first);
    if (next.last <= reached) {
      first = reached; // a word so long that there is no room to repeat what stands before it
      next = part(first);
    }
    const { last, ...own } = next;
    chunks.push(own);
    reached = last;
    first = overlap === 0 ? last : (cut(first, last - overlap) ?? last);
  }
  return chunks;
}
