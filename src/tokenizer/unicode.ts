// `\p{White_Space}` is whitespace in Hugging Face's Rust code; JavaScript's `\s` and trim() also include U+FEFF and leave out U+0085.
const whiteSpace = /\p{White_Space}/u;

/** Whether the UTF-16 unit at `index` is whitespace (all whitespace is in the basic plane). */
export function isWhiteSpaceAt(text: string, index: number): boolean {
  const unit = text.charCodeAt(index);
  if (unit < 0x80) return unit === 0x20 || (unit >= 0x09 && unit <= 0x0d);
  return whiteSpace.test(text[index]);
}

/** UTF-16 units of the character at `index`: 2 for a surrogate pair. */
export const unitsAt = (text: string, index: number): number => ((text.codePointAt(index) ?? 0) > 0xffff ? 2 : 1);

/** Bytes of a code point in UTF-8. */
export const utf8Length = (codePoint: number): number =>
  codePoint < 0x80 ? 1 : codePoint < 0x800 ? 2 : codePoint < 0x10000 ? 3 : 4;

/** What `\w` is in Rust's patterns. */
export const wordCharacter = '[\\p{Alphabetic}\\p{M}\\p{Nd}\\p{Pc}\\p{Join_Control}]';
