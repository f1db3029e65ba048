import { UnsupportedModelError } from '../api/errors';
import { unitsAt, utf8Length } from './unicode';

/** [from, to) in UTF-16 units. */
export type Span = [from: number, to: number];

/** A text as a pre-tokenizer spells it: unit i of `text` is (part of) what stands at [starts[i], ends[i]) of the source. */
export interface Spelled {
  text: string;
  starts: Uint32Array;
  ends: Uint32Array;
}

/** How one family of tokenizers writes text in its tokens: all that alignment needs to know of it. */
export interface Spelling {
  /** The text as pre-tokens spell it. */
  spell(text: string): Spelled;
  /** A pre-token's tokens, in order, as spans of the pre-token. */
  spans(word: string, tokens: readonly string[]): Span[];
  /** What a pre-token may begin with although the text does not. */
  readonly prefix: string;
  /** A token as text; bytes that are no complete UTF-8 show as U+FFFD. */
  display(token: string): string;
}

export interface PieceOptions {
  /** Characters outside the vocabulary are written as byte tokens, `<0xE5>`. */
  byteFallback: boolean;
  /** WordPiece: before tokens that continue a word ("##"). */
  continuingPrefix: string;
  unkToken: string | undefined;
  /** What one unknown token replaces: a character, all up to the next known token, or the whole pre-token. */
  unkCovers: 'character' | 'run' | 'word';
}

const byteToken = /^<0x([0-9A-F]{2})>$/;
const utf8Encoder = new TextEncoder();
const utf8Decoder = new TextDecoder('utf-8', { ignoreBOM: true });

/** Byte-level BPE (GPT-2): every byte is one character of the token. Bytes that print stand for themselves. */
const byteToCharacter: string[] = [];
const characterToByte = new Map<string, number>();
for (let byte = 0, others = 0; byte < 256; byte++) {
  const prints = (byte >= 0x21 && byte <= 0x7e) || (byte >= 0xa1 && byte <= 0xac) || byte >= 0xae;
  byteToCharacter[byte] = String.fromCharCode(prints ? byte : 0x100 + others++);
  characterToByte.set(byteToCharacter[byte], byte);
}

/** Tokens that are spelled with bytes: ModernBERT, RoBERTa, GPT-2. */
export const byteLevelSpelling = (options: PieceOptions): Spelling => ({
  prefix: byteToCharacter[0x20],

  spell(text) {
    const bytes = utf8Encoder.encode(text);
    const starts = new Uint32Array(bytes.length);
    const ends = new Uint32Array(bytes.length);
    let byte = 0;
    for (let at = 0; at < text.length; ) {
      const units = unitsAt(text, at);
      const next = byte + utf8Length(text.codePointAt(at) ?? 0);
      starts.fill(at, byte, next);
      ends.fill(at + units, byte, next);
      byte = next;
      at += units;
    }
    return { text: Array.from(bytes, (value) => byteToCharacter[value]).join(''), starts, ends };
  },

  spans: (word, tokens) => pieceSpans(word, tokens, options),

  display(token) {
    const bytes = Array.from(token, (character) => characterToByte.get(character) ?? -1);
    return bytes.includes(-1) ? token : utf8Decoder.decode(Uint8Array.from(bytes));
  },
});

/** Tokens that are spelled with the text's own characters: SentencePiece's BPE and Unigram (Gemma, XLM-R), WordPiece. */
export function textSpelling(
  options: PieceOptions & {
    /** What stands for a space in tokens ("▁"). */
    space: string | undefined;
    /** Whether the pre-tokenizer writes `space` (Metaspace); otherwise a normalizer has (Gemma). */
    spaceFromPreTokenizer: boolean;
  },
): Spelling {
  const { space, spaceFromPreTokenizer, byteFallback } = options;
  return {
    prefix: space ?? '',

    spell(text) {
      const starts = Uint32Array.from({ length: text.length }, (_, i) => i);
      const spelled = space !== undefined && spaceFromPreTokenizer ? text.replaceAll(' ', space) : text;
      return { text: spelled, starts, ends: starts.map((start) => start + 1) };
    },

    spans: (word, tokens) => pieceSpans(word, tokens, options),

    display(token) {
      const byte = byteFallback ? byteToken.exec(token) : null;
      if (byte) return utf8Decoder.decode(Uint8Array.of(Number.parseInt(byte[1], 16)));
      const text = continuation(token, options);
      return space === undefined ? text : text.replaceAll(space, ' ');
    },
  };
}

const continuation = (token: string, { continuingPrefix }: PieceOptions): string =>
  continuingPrefix !== '' && token.startsWith(continuingPrefix) ? token.slice(continuingPrefix.length) : token;

/** Walks a pre-token's tokens along it. */
function pieceSpans(word: string, tokens: readonly string[], options: PieceOptions): Span[] {
  const spans: Span[] = [];
  let at = 0;
  let bytesDone = 0; // of the character at `at`
  for (const [index, token] of tokens.entries()) {
    const piece = index > 0 ? continuation(token, options) : token;
    // Without an unknown token BPE drops what it does not know, so a known token may stand further on.
    const known = token === options.unkToken ? -1 : word.startsWith(piece, at) ? at : word.indexOf(piece, at);
    const isByte = options.byteFallback && known !== at && byteToken.test(token);
    if (isByte) {
      const end = at + unitsAt(word, at);
      spans.push([at, end]);
      bytesDone++;
      if (bytesDone < utf8Length(word.codePointAt(at) ?? 0)) continue;
      bytesDone = 0;
      at = end;
      continue;
    }
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
 * The place of each pre-token's tokens in the text that was pre-tokenized, found by walking along it: pre-tokens follow each
 * other with nothing between but what the pre-tokenizer dropped (whitespace), and may begin with a prefix that it added.
 */
export function aligner(text: string, spelling: Spelling): (word: string, tokens: readonly string[]) => Span[] {
  const spelled = spelling.spell(text);
  let cursor = 0;
  return (word, tokens) => {
    const { at, added } = locate(spelled.text, word, cursor, spelling.prefix);
    cursor = at + word.length - added;
    return spelling.spans(word, tokens).map(([from, to]): Span => {
      const first = at + Math.max(from - added, 0);
      const last = at + to - added;
      if (first < last) return [spelled.starts[first], spelled.ends[last - 1]];
      const place = first < spelled.starts.length ? spelled.starts[first] : text.length;
      return [place, place];
    });
  };
}

/** Where a pre-token stands in the text, and how many of its units the pre-tokenizer added in front. */
function locate(text: string, word: string, cursor: number, prefix: string): { at: number; added: number } {
  if (text.startsWith(word, cursor)) return { at: cursor, added: 0 };
  const added = prefix !== '' && word.startsWith(prefix) ? prefix.length : 0;
  const rest = word.slice(added);
  if (added > 0 && text.startsWith(rest, cursor)) return { at: cursor, added };
  for (const [part, skipped] of [
    [word, 0],
    [rest, added],
  ] as const) {
    const at = text.indexOf(part, cursor);
    if (at >= 0) return { at, added: skipped };
  }
  throw new UnsupportedModelError(
    `tokenizer.json: pre_tokenizer makes ${JSON.stringify(word)}, which is not in the text that it was given; ` +
      'offsets cannot be found for a pre-tokenizer that rewrites text',
  );
}
