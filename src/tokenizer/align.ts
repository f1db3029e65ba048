import { UnsupportedModelError } from '../api/errors';
import { shown } from '../formats/json-fields';
import { type AlignedText, alignedSlice, originalSpan, type Span } from './aligned-text';
import { unitsAt, utf8Length } from './unicode';

/** How a family of tokenizers spells text in its tokens: all that alignment needs to know about it. */
export interface Spelling {
  /** The text as pre-tokens spell it. */
  spell(text: string): AlignedText;
  /** What the pre-tokenizer may add before a word. */
  readonly prefix: string;
  /** A token as readable text; incomplete UTF-8 shows as U+FFFD. */
  display(token: string): string;
  readonly pieces: PieceOptions;
}

export interface PieceOptions {
  /** Characters outside the vocabulary become byte tokens, `<0xE5>`. */
  byteFallback: boolean;
  /** WordPiece: the prefix of tokens that continue a word ("##"). */
  continuingPrefix: string;
  unkToken: string | undefined;
  /** What one unknown token replaces: a character, everything up to the next known token, or the whole pre-token. */
  unkCovers: 'character' | 'run' | 'word';
}

const byteToken = /^<0x([0-9A-F]{2})>$/;
const utf8Encoder = new TextEncoder();
const utf8Decoder = new TextDecoder('utf-8', { ignoreBOM: true });

/** Byte-level BPE (GPT-2): every byte is one character of the token. Printable bytes stand for themselves. */
const byteToCharacter: string[] = [];
const characterToByte = new Map<string, number>();
for (let byte = 0, others = 0; byte < 256; byte++) {
  const prints = (byte >= 0x21 && byte <= 0x7e) || (byte >= 0xa1 && byte <= 0xac) || byte >= 0xae;
  byteToCharacter[byte] = String.fromCharCode(prints ? byte : 0x100 + others++);
  characterToByte.set(byteToCharacter[byte], byte);
}

/** Tokens spelled in bytes: ModernBERT, RoBERTa, GPT-2. */
export const byteLevelSpelling = (pieces: PieceOptions): Spelling => ({
  prefix: byteToCharacter[0x20],
  pieces,

  spell(text) {
    const bytes = utf8Encoder.encode(text);
    const starts = new Uint32Array(bytes.length);
    const ends = new Uint32Array(bytes.length);
    let byte = 0;
    let at = 0;
    for (const character of text) {
      const next = byte + utf8Length(character.codePointAt(0)!);
      starts.fill(at, byte, next);
      at += character.length;
      ends.fill(at, byte, next);
      byte = next;
    }
    return { text: Array.from(bytes, (value) => byteToCharacter[value]).join(''), starts, ends };
  },

  display(token) {
    const bytes = Array.from(token, (character) => characterToByte.get(character) ?? -1);
    return bytes.includes(-1) ? token : utf8Decoder.decode(Uint8Array.from(bytes));
  },
});

/**
 * Tokens spelled in the characters of the text: SentencePiece's BPE and Unigram (Gemma, XLM-R), WordPiece. `space`: what stands for a
 * space in tokens ("▁"), written by the pre-tokenizer (Metaspace) or before it by a normalizer (Gemma).
 */
export const textSpelling = (
  pieces: PieceOptions,
  space: string | undefined,
  spaceFromPreTokenizer: boolean,
): Spelling => ({
  prefix: space ?? '',
  pieces,

  spell(text) {
    const spelled = alignedSlice(text);
    return space !== undefined && spaceFromPreTokenizer ? { ...spelled, text: text.replaceAll(' ', space) } : spelled;
  },

  display(token) {
    const byte = pieces.byteFallback ? byteToken.exec(token) : null;
    if (byte) return utf8Decoder.decode(Uint8Array.of(Number.parseInt(byte[1], 16)));
    const text = withoutPrefix(token, pieces);
    return space === undefined ? text : text.replaceAll(space, ' ');
  },
});

const withoutPrefix = (token: string, { continuingPrefix }: PieceOptions): string =>
  token.startsWith(continuingPrefix) ? token.slice(continuingPrefix.length) : token;

/** The tokens of a pre-token as spans of it, found by walking along it. */
function pieceSpans(word: string, tokens: readonly string[], options: PieceOptions): Span[] {
  const spans: Span[] = [];
  let at = 0;
  let bytesDone = 0; // of the character at `at`
  for (const [index, token] of tokens.entries()) {
    const piece = index > 0 ? withoutPrefix(token, options) : token;
    const isHere = word.startsWith(piece, at);
    if (!isHere && options.byteFallback && byteToken.test(token)) {
      const end = at + unitsAt(word, at);
      spans.push([at, end]);
      bytesDone++;
      if (bytesDone < utf8Length(word.codePointAt(at) ?? 0)) continue;
      bytesDone = 0;
      at = end;
      continue;
    }
    // BPE without an unknown token drops what it does not know, so a known token may stand further on.
    const known = token === options.unkToken ? -1 : isHere ? at : word.indexOf(piece, at);
    const start = known < 0 ? at : known;
    at = known < 0 ? unknownEnd(word, at, tokens[index + 1], options.unkCovers) : known + piece.length;
    spans.push([start, at]);
  }
  return spans;
}

function unknownEnd(word: string, at: number, next: string | undefined, covers: PieceOptions['unkCovers']): number {
  const character = Math.min(at + unitsAt(word, at), word.length);
  if (covers === 'character') return character;
  const found = covers === 'run' && next !== undefined ? word.indexOf(next, character) : -1;
  return found < 0 ? word.length : found;
}

/**
 * Returns a function that takes the pre-tokens of `text` in order, each with its tokens, and returns the tokens' spans in `text`. It walks
 * along the text: between pre-tokens there is only what the pre-tokenizer dropped (whitespace), and each may begin with a prefix that it
 * added.
 */
export function aligner(text: string, spelling: Spelling): (word: string, tokens: readonly string[]) => Span[] {
  const spelled = spelling.spell(text);
  let cursor = 0;
  return (word, tokens) => {
    const { at, added } = locate(spelled.text, word, cursor, spelling.prefix);
    cursor = at + word.length - added;
    return pieceSpans(word, tokens, spelling.pieces).map(([from, to]) =>
      originalSpan(spelled, at + Math.max(from - added, 0), at + to - added),
    );
  };
}

/** Where a pre-token stands in the text, at the first place from `cursor` on, and how many of its units the pre-tokenizer added in front. */
function locate(text: string, word: string, cursor: number, prefix: string): { at: number; added: number } {
  const candidates = word.startsWith(prefix) && prefix !== '' ? [0, prefix.length] : [0];
  const spelled = candidates.map((added) => word.slice(added));
  for (let at = cursor; at <= text.length; at++) {
    const found = spelled.findIndex((candidate) => text.startsWith(candidate, at));
    if (found >= 0) return { at, added: candidates[found] };
  }
  throw new UnsupportedModelError(
    `tokenizer.json: pre_tokenizer makes ${shown(word)}, which is not in the text; ` +
      'offsets are not supported for a pre-tokenizer that rewrites text',
  );
}
