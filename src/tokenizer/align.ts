import { characterToByte } from './byte-level';
import { unitsAt, utf8Length } from './unicode';
import type { Span } from './white-space';

/** How a family of tokenizers spells text in its tokens. */
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
const utf8Decoder = new TextDecoder('utf-8', { ignoreBOM: true });

/** A token spelled in bytes (ModernBERT, RoBERTa, GPT-2) as readable text; incomplete UTF-8 shows as U+FFFD. */
export function readBytes(token: string): string {
  const bytes = Array.from(token, (character) => characterToByte.get(character) ?? -1);
  return bytes.includes(-1) ? token : utf8Decoder.decode(Uint8Array.from(bytes));
}

/** The same for one spelled in characters (SentencePiece's BPE and Unigram, WordPiece). `space`: what stands for a space ("▁"). */
export function readPiece(token: string, pieces: PieceOptions, space: string | undefined): string {
  const byte = pieces.byteFallback ? byteToken.exec(token) : null;
  if (byte) return utf8Decoder.decode(Uint8Array.of(Number.parseInt(byte[1], 16)));
  const text = withoutPrefix(token, pieces);
  return space === undefined ? text : text.replaceAll(space, ' ');
}

const withoutPrefix = (token: string, { continuingPrefix }: PieceOptions): string =>
  token.startsWith(continuingPrefix) ? token.slice(continuingPrefix.length) : token;

/** The tokens of a pre-token as spans of it, found by walking along it. */
export function pieceSpans(word: string, tokens: readonly string[], options: PieceOptions): Span[] {
  const spans: Span[] = [];
  let at = 0;
  let bytesDone = 0; // of the character at `at`
  for (let index = 0; index < tokens.length; index++) {
    const token = tokens[index];
    const piece = index > 0 ? withoutPrefix(token, options) : token;
    const isHere = word.startsWith(piece, at);
    if (!isHere && options.byteFallback && byteToken.test(token)) {
      const end = Math.min(at + unitsAt(word, at), word.length);
      spans.push([at, end]);
      bytesDone++;
      if (bytesDone < utf8Length(word.codePointAt(at) ?? 0)) continue;
      bytesDone = 0;
      at = end;
      continue;
    }
    // BPE without an unknown token drops what it does not know, also from the middle of a token.
    if (!isHere && options.unkToken === undefined) {
      const span = spread(word, piece, at);
      spans.push(span);
      at = span[1];
      continue;
    }
    // WordPiece has an unknown word, or the letters of that token in a word.
    const isUnknown = token === options.unkToken && (options.unkCovers !== 'word' || tokens.length === 1);
    const start = at;
    at = isHere && !isUnknown ? at + piece.length : unknownEnd(word, at, tokens[index + 1], options.unkCovers);
    spans.push([start, at]);
  }
  return spans;
}

/** From the first to the last character of a piece, with others between them. */
function spread(word: string, piece: string, at: number): Span {
  let start: number | undefined;
  let end = at;
  for (const character of piece) {
    const found = word.indexOf(character, end);
    if (found < 0) break;
    start ??= found;
    end = found + character.length;
  }
  return [start ?? at, end];
}

function unknownEnd(word: string, at: number, next: string | undefined, covers: PieceOptions['unkCovers']): number {
  const character = Math.min(at + unitsAt(word, at), word.length);
  if (covers === 'character') return character;
  const found = covers === 'run' && next !== undefined ? word.indexOf(next, character) : -1;
  return found < 0 ? word.length : found;
}
