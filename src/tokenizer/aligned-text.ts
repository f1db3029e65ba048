import { ModelFileError } from '../api/errors';
import type { Span } from './white-space';

/** A text that remembers the original: UTF-16 unit i of `text` came from [starts[i], ends[i]) of it. Neither array ever decreases; both may be views of one. */
export interface AlignedText {
  text: string;
  starts: Uint32Array;
  ends: Uint32Array;
}

/** Part [from, to) of the original, unchanged. */
export function alignedSlice(original: string, from = 0, to = original.length): AlignedText {
  const places = new Uint32Array(to - from + 1);
  for (let i = 0; i < places.length; i++) places[i] = from + i;
  return { text: original.slice(from, to), starts: places.subarray(0, -1), ends: places.subarray(1) };
}

/** Part [from, to) of an aligned text. */
export const sliceAligned = ({ text, starts, ends }: AlignedText, from: number, to: number): AlignedText => ({
  text: text.slice(from, to),
  starts: starts.subarray(from, to),
  ends: ends.subarray(from, to),
});

/** Where the units [from, to) came from. */
export function originalSpan({ starts, ends }: AlignedText, from: number, to: number): Span {
  if (from < to) return [starts[from], ends[to - 1]];
  const place = from < starts.length ? starts[from] : (ends.at(-1) ?? 0);
  return [place, place];
}

/** [from, to) of a text becomes `text`. */
export interface Edit {
  from: number;
  to: number;
  text: string;
}

/** NFKC makes 18 characters of one at most. */
const MOST_GROWTH = 20;

/** The text with these parts of it replaced, in their order: each aligned as a whole, the rest unit by unit. */
export function edited(input: AlignedText, edits: readonly Edit[]): AlignedText {
  if (edits.length === 0) return input;
  const grown = edits.reduce((sum, { from, to, text }) => sum + text.length - (to - from), input.text.length);
  const original = (input.ends.at(-1) ?? 0) - (input.starts[0] ?? 0);
  if (grown > MOST_GROWTH * original + 1000) {
    throw new ModelFileError(
      `tokenizer.json: normalizer makes ${grown} characters of ${original}, at most ${MOST_GROWTH} of each are supported`,
    );
  }
  const starts = new Uint32Array(grown);
  const ends = new Uint32Array(grown);
  const parts: string[] = [];
  let done = 0;
  let at = 0;
  const keep = (to: number): void => {
    parts.push(input.text.slice(done, to));
    starts.set(input.starts.subarray(done, to), at);
    ends.set(input.ends.subarray(done, to), at);
    at += to - done;
  };
  for (const { from, to, text } of edits) {
    keep(from);
    const [start, end] = originalSpan(input, from, to);
    parts.push(text);
    starts.fill(start, at, at + text.length);
    ends.fill(end, at, at + text.length);
    at += text.length;
    done = to;
  }
  keep(input.text.length);
  return { text: parts.join(''), starts, ends };
}
