/** White space at the ends of texts: calls need it too, and the rest of the tokenizer is a part of the worker. */

/** [from, to) in UTF-16 units. */
export type Span = [from: number, to: number];

// `\p{White_Space}` is whitespace in Hugging Face's Rust code; JavaScript's `\s` and trim() also include U+FEFF and leave out U+0085.
const whiteSpace = /\p{White_Space}/u;

/** Whether the UTF-16 unit at `index` is whitespace (all whitespace is in the basic plane). */
export function isWhiteSpaceAt(text: string, index: number): boolean {
  const unit = text.charCodeAt(index);
  if (unit < 0x80) return unit === 0x20 || (unit >= 0x09 && unit <= 0x0d);
  return whiteSpace.test(text[index]);
}

/** A span without the whitespace at its left and right end. */
export function trimSpan(text: string, [from, to]: Span, left = true, right = true): Span {
  let start = from;
  let end = to;
  while (left && start < end && isWhiteSpaceAt(text, start)) start++;
  while (right && start < end && isWhiteSpaceAt(text, end - 1)) end--;
  return [start, end];
}
