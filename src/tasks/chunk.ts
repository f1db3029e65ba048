import type { Chunk, ChunkOptions } from '../api/calls';
import type { OptionNames } from '../api/options';
import type { Tokenizer } from '../tokenizer/types';
import { type Call, oneOrMany } from './call';
import { checkList, checkText, type Parts, paced, tokenizerOf } from './common';

const OPTIONS: OptionNames<ChunkOptions> = { maxTokens: true, overlap: true, signal: true };

export const chunk: Call = { options: OPTIONS, run: oneOrMany(chunkTexts) };

async function chunkTexts(
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
      `overlap must be an integer from 0 to ${Math.floor(room / 2)}, half of what maxTokens leaves for the text; it is ${overlap}.`,
    );
  }
  checkList(texts, 'texts');
  for (const [t, text] of texts.entries()) checkText(text, `Text ${t}`);
  return paced(texts, signal, (text) => chunksOf(tokenizer, text, room, overlap, special));
}

/**
 * Moves a window over the text's tokens. A part may tokenize differently from the same characters inside the whole text (the space before it
 * is gone), so every part is tokenized again and shortened until it fits.
 */
function chunksOf(tokenizer: Tokenizer, text: string, room: number, overlap: number, special: number): Chunk[] {
  const whole = tokenizer.encode(text);
  if (whole.ids.length <= room + special) return [{ text, start: 0, end: text.length, tokens: whole.ids.length }];
  const spans = whole.offsets.filter(([start, end]) => end > start);
  const isBlank = (token: number) => text.slice(...spans[token]).trim() === '';

  /** The last place in (from, to] where the tokens can be split, preferably between words if such a place is near the end. */
  function cut(from: number, to: number): number | undefined {
    if (to === spans.length) return to;
    let between: number | undefined;
    for (let at = to; at > from; at--) {
      const [start] = spans[at];
      if (start < spans[at - 1][1]) continue; // two tokens of one character
      if (/\s/.test(text.slice(start - 1, start + 1))) return at;
      between ??= at;
      if (at <= to - (to - from) / 4) break;
    }
    return between;
  }

  /** The longest part that begins with token `first`; `last` is the token after it. */
  function part(first: number): Chunk & { last: number } {
    const [start] = spans[first];
    for (let most = Math.min(first + room, spans.length); ; ) {
      const last = cut(first, most);
      if (last === undefined) {
        throw new RangeError(
          `maxTokens ${room + special} is too small for the character at ${start} of the text: ${JSON.stringify(text.slice(start, start + 2))}.`,
        );
      }
      const own = text.slice(start, spans[last - 1][1]).trimEnd();
      const tokens = tokenizer.encode(own).ids.length;
      if (tokens <= room + special) return { text: own, start, end: start + own.length, tokens, last };
      most = Math.min(last - 1, Math.max(first + 1, last - (tokens - special - room)));
    }
  }

  const chunks: Chunk[] = [];
  const skipBlank = (token: number): number => {
    let at = token;
    while (at < spans.length && isBlank(at)) at++;
    return at;
  };
  for (let first = skipBlank(0), reached = 0, end = 0; first < spans.length; ) {
    const { last, ...own } = part(first);
    if (own.end > end) {
      chunks.push(own);
      [reached, end] = [last, own.end];
      first = skipBlank(overlap === 0 || last === spans.length ? last : (cut(first, last - overlap) ?? last));
    } else first = skipBlank(reached); // a word so long that there is no room for the overlap
  }
  return chunks;
}
