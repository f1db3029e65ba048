import { isWhiteSpaceAt } from './unicode';

/** [from, to) in UTF-16 units. */
export type Span = [from: number, to: number];

/** A text that remembers the original: UTF-16 unit i of `text` came from [starts[i], ends[i]) of it. Neither array ever decreases. */
export interface AlignedText {
  text: string;
  starts: Uint32Array;
  ends: Uint32Array;
}

/** Part [from, to) of the original, unchanged. */
export function alignedSlice(original: string, from = 0, to = original.length): AlignedText {
  const starts = Uint32Array.from({ length: to - from }, (_, i) => from + i);
  return { text: original.slice(from, to), starts, ends: starts.map((start) => start + 1) };
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

/** A span without the whitespace at its left and right end. */
export function trimSpan(text: string, [from, to]: Span, left = true, right = true): Span {
  let start = from;
  let end = to;
  while (left && start < end && isWhiteSpaceAt(text, start)) start++;
  while (right && start < end && isWhiteSpaceAt(text, end - 1)) end--;
  return [start, end];
}
