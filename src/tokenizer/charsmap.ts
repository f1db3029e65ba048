import { type AlignedText, type Edit, edited } from './aligned-text';
import { utf8Length } from './unicode';
import { wrongTokenizer } from './wrong';

/** Graphemes of more bytes are replaced a character at a time. */
const MOST_GRAPHEME = 5;
/** Bytes of a text that is replaced, and nodes of the trie with all their parents: a broken trie can have loops. */
const MOST_KEY = 64;
const MOST_NODES = 1_000_000;

/**
 * The normalizer of a SentencePiece model, as Rust's spm_precompiled applies it: a grapheme with a replacement for its start becomes that,
 * whatever follows in it. Throws a ModelFileError for a charsmap that cannot be read.
 */
export function charsmapOf(base64: string): (input: AlignedText) => AlignedText {
  const replacements = readCharsmap(base64);
  const segmenter = new Intl.Segmenter('en');
  const replacementOf = (grapheme: string): string | undefined => {
    let start = '';
    let bytes = 0;
    let found: string | undefined;
    for (const character of grapheme) {
      start += character;
      found ??= replacements.get(start);
      bytes += utf8Length(character.codePointAt(0)!);
      if (bytes > MOST_GRAPHEME) return undefined;
    }
    return found;
  };
  return (input) => {
    const edits: Edit[] = [];
    const replace = (from: number, length: number, text: string | undefined): boolean => {
      if (text !== undefined) edits.push({ from, to: from + length, text });
      return text !== undefined;
    };
    for (const { segment, index } of segmenter.segment(input.text)) {
      if (replace(index, segment.length, replacementOf(segment))) continue;
      let at = index;
      for (const character of segment) {
        replace(at, character.length, replacements.get(character));
        at += character.length;
      }
    }
    return edited(input, edits);
  };
}

/**
 * What a charsmap replaces by what. It holds a double-array trie over UTF-8 bytes as darts-clone writes it (its size in bytes, then units of
 * 32 bits), whose values are places in the rest: the replacements, each ended by a zero byte.
 */
function readCharsmap(base64: string): Map<string, string> {
  const wrong = (what: string) => wrongTokenizer('normalizer.precompiled_charsmap', base64, what);
  let bytes: Uint8Array;
  try {
    bytes = Uint8Array.from(atob(base64), (character) => character.charCodeAt(0));
  } catch {
    throw wrong('base64');
  }
  const view = new DataView(bytes.buffer);
  const size = bytes.length < 4 ? Infinity : view.getUint32(0, true);
  if (size === 0 || size % 4 || 4 + size > bytes.length) throw wrong('a trie and its replacements');
  const units = Uint32Array.from({ length: size / 4 }, (_, i) => view.getUint32(4 + 4 * i, true));
  const offsetOf = (unit: number) => (unit >>> 10) << ((unit & 0x200) >>> 6);
  const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });
  const decode = (part: Uint8Array): string => {
    try {
      return decoder.decode(part);
    } catch {
      throw wrong('of texts in UTF-8');
    }
  };
  const found = new Map<string, string>();
  const key = new Uint8Array(MOST_KEY);
  let nodes = 0;
  const walk = (children: number, length: number): void => {
    if (++nodes > MOST_NODES || length === MOST_KEY) throw wrong('a trie of short texts');
    for (let byte = 1; byte < 256; byte++) {
      const at = children ^ byte;
      const unit = units[at];
      if ((unit & 0x800000ff) !== byte) continue;
      key[length] = byte;
      const next = at ^ offsetOf(unit);
      if (unit & 0x100) {
        const from = 4 + size + (units[next] & 0x7fffffff);
        const end = bytes.indexOf(0, from);
        if (!(from < bytes.length)) throw wrong('a trie with places of replacements');
        found.set(decode(key.subarray(0, length + 1)), decode(bytes.subarray(from, end < 0 ? bytes.length : end)));
      }
      walk(next, length + 1);
    }
  };
  walk(offsetOf(units[0]), 0);
  return found;
}
