import { type AlignedText, type Edit, edited } from './aligned-text';
import { wrongTokenizer } from './wrong';

/** Graphemes of more bytes are replaced a character at a time. */
const MOST_GRAPHEME = 5;
/** Graphemes of several characters, as far as they can be so short and begin with a character that is replaced. */
const graphemes =
  /\r\n|(?:[\u200c\u200d]|[^\p{Cc}\p{Cf}\p{Zl}\p{Zp}])(?:(?![\u102b\u102c\u1038\u1062-\u1064\u1067-\u106d\u1083\u1087-\u108c\u108f\u109a-\u109c\u1a61\u1a63\u1a64\uaa7b\uaa7d])[\p{Grapheme_Extend}\p{Mc}\p{Emoji_Modifier}\u0e33\u0eb3\u200d])+/gu;

const utf8Encoder = new TextEncoder();

/**
 * The normalizer of a SentencePiece model, as Rust's spm_precompiled applies it: a short grapheme that begins with a text that is replaced
 * becomes that text's replacement, whatever follows in it. Throws a ModelFileError for a charsmap that cannot be read.
 */
export function charsmapOf(base64: string): (input: AlignedText) => AlignedText {
  const replacementOf = readCharsmap(base64);
  const known = new Map<string, string | undefined>();
  return (input) => {
    const edits: Edit[] = [];
    let at = 0;
    const byCharacter = (part: string): void => {
      for (const character of part) {
        if (!known.has(character)) known.set(character, replacementOf(utf8Encoder.encode(character)));
        const text = known.get(character);
        if (text !== undefined) edits.push({ from: at, to: at + character.length, text });
        at += character.length;
      }
    };
    for (const { 0: grapheme, index } of input.text.matchAll(graphemes)) {
      const bytes = utf8Encoder.encode(grapheme);
      const text = bytes.length > MOST_GRAPHEME ? undefined : replacementOf(bytes);
      if (text === undefined) continue;
      byCharacter(input.text.slice(at, index));
      at += grapheme.length;
      edits.push({ from: index, to: at, text });
    }
    byCharacter(input.text.slice(at));
    return edited(input, edits);
  };
}

/**
 * What the shortest start of some bytes that has a replacement is replaced by. A charsmap holds a double-array trie over UTF-8 bytes as
 * darts-clone writes it (its size in bytes, then units of 32 bits), whose values are places in the rest: texts that end in a zero byte.
 */
function readCharsmap(base64: string): (bytes: Uint8Array) => string | undefined {
  const wrong = (what: string) => wrongTokenizer('normalizer.precompiled_charsmap', base64, what);
  let binary: string;
  try {
    binary = atob(base64);
  } catch {
    throw wrong('base64');
  }
  const bytes = new Uint8Array(binary.length);
  for (let i = 0; i < binary.length; i++) bytes[i] = binary.charCodeAt(i);
  const view = new DataView(bytes.buffer);
  const size = bytes.length < 4 ? 0 : view.getUint32(0, true);
  if (size === 0 || size % 4 || 4 + size > bytes.length) throw wrong('a trie and the texts behind it');
  const texts = bytes.subarray(4 + size);
  const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });
  try {
    decoder.decode(texts);
  } catch {
    throw wrong('of texts in UTF-8');
  }
  const count = size / 4;
  const unitAt = (at: number) => (at < count ? view.getUint32(4 + 4 * at, true) : 0);
  const childrenOf = (at: number) => {
    const unit = unitAt(at);
    return at ^ ((unit >>> 10) << ((unit & 0x200) >>> 6));
  };
  const textAt = (place: number) => texts.subarray(place, texts.indexOf(0, place) >>> 0);

  // Every place of a text is looked at, so that a broken trie is found before any text is encoded.
  const seen = new Uint8Array(count);
  const open = [0];
  for (let at = open.pop(); at !== undefined; at = open.pop()) {
    const children = childrenOf(at);
    if (unitAt(at) & 0x100) {
      const place = unitAt(children) & 0x7fffffff;
      if (children >= count || place >= texts.length || (texts[place] & 0xc0) === 0x80)
        throw wrong('a trie of places of texts');
    }
    for (let byte = 1; byte < 256; byte++) {
      const child = children ^ byte;
      if (seen[child] !== 0 || (unitAt(child) & 0x800000ff) !== byte) continue;
      seen[child] = 1;
      open.push(child);
    }
  }

  return (key) => {
    let at = 0;
    for (const byte of key) {
      at = childrenOf(at) ^ byte;
      if (byte === 0 || (unitAt(at) & 0x800000ff) !== byte) return undefined;
      if (unitAt(at) & 0x100) return decoder.decode(textAt(unitAt(childrenOf(at)) & 0x7fffffff));
    }
    return undefined;
  };
}
