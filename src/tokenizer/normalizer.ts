import {
  BertNormalizer,
  LowercaseNormalizer,
  type Normalizer,
  PrependNormalizer,
  ReplaceNormalizer,
  SequenceNormalizer,
  StripAccentsNormalizer,
  StripNormalizer,
} from '@huggingface/tokenizers';
import { ModelFileError } from '../api/errors';
import { type AlignedText, originalSpan, trimSpan } from './aligned-text';
import { unitsAt } from './unicode';

/** [from, to) of a text became `text`. */
interface Piece {
  from: number;
  to: number;
  text: string;
}

/**
 * The library's normalizer with alignment. The text is cut into pieces that the normalizer changes independently of each other: a piece
 * that changes is aligned as a whole, one that does not stays aligned unit by unit.
 */
export function alignNormalizer(normalizer: Normalizer): (input: AlignedText) => AlignedText {
  if (normalizer instanceof SequenceNormalizer) {
    const steps = normalizer.normalizers.filter((step) => step !== null).map(alignNormalizer);
    return (input) => steps.reduce((text, step) => step(text), input);
  }
  const cut = cutter(normalizer);
  if (normalizer instanceof ReplaceNormalizer) return (input) => join(input, cut(input.text));
  return (input) => (normalizer.normalize(input.text) === input.text ? input : join(input, cut(input.text)));
}

function cutter(normalizer: Normalizer): (text: string) => Piece[] {
  if (normalizer instanceof ReplaceNormalizer) {
    return (text) => replaced(text, normalizer.pattern, (normalizer.config as { content?: string }).content ?? '');
  }
  if (normalizer instanceof PrependNormalizer) {
    return (text) => [
      { from: 0, to: 0, text: normalizer.normalize('') },
      { from: 0, to: text.length, text },
    ];
  }
  if (normalizer instanceof StripNormalizer) {
    const { strip_left, strip_right } = normalizer.config as { strip_left?: boolean; strip_right?: boolean };
    return (text) => {
      const [from, to] = trimSpan(text, [0, text.length], strip_left === true, strip_right === true);
      return [{ from, to, text: text.slice(from, to) }];
    };
  }
  const perCharacter =
    normalizer instanceof LowercaseNormalizer ||
    normalizer instanceof StripAccentsNormalizer ||
    normalizer instanceof BertNormalizer;
  // The others are the Unicode forms and Precompiled, SentencePiece's variant of NFKC.
  return (text) => clusters(text, (part) => normalizer.normalize(part), perCharacter);
}

function replaced(text: string, pattern: RegExp | null, content: string): Piece[] {
  const pieces: Piece[] = [];
  let done = 0;
  for (const match of pattern ? text.matchAll(pattern) : []) {
    pieces.push({ from: done, to: match.index, text: text.slice(done, match.index) });
    done = match.index + match[0].length;
    pieces.push({ from: match.index, to: done, text: content });
  }
  pieces.push({ from: done, to: text.length, text: text.slice(done) });
  return pieces;
}

const startsWithMark = /^\p{M}/u;

/**
 * Cuts before every character that does not combine with what is before it. Marks may always combine (and so may half-width kana voicing,
 * which NFKC makes one); other characters (Hangul jamo) are tried; nothing below U+0300 does. The unchanged start of a changed cluster (a
 * space before an accent) is a separate piece.
 */
function clusters(text: string, normalize: (text: string) => string, perCharacter: boolean): Piece[] {
  const pieces: Piece[] = [];
  const push = (from: number, to: number): void => {
    const cluster = text.slice(from, to);
    const normalized = normalize(cluster);
    const common = commonPrefix(cluster, normalized);
    const same = common < cluster.length || normalized === cluster ? common : 0;
    if (same > 0) pieces.push({ from, to: from + same, text: cluster.slice(0, same) });
    if (same < to - from) pieces.push({ from: from + same, to, text: normalized.slice(same) });
  };
  let from = 0;
  for (let at = 0; at < text.length; at += unitsAt(text, at)) {
    const next = text.slice(at, at + unitsAt(text, at));
    const before = text.slice(from, at);
    const cuts =
      perCharacter ||
      text.charCodeAt(at) < 0x300 ||
      (!startsWithMark.test(next) &&
        !startsWithMark.test(normalize(next)) &&
        normalize(before + next) === normalize(before) + normalize(next));
    if (!cuts || from === at) continue;
    push(from, at);
    from = at;
  }
  if (from < text.length) push(from, text.length);
  return pieces;
}

/** UTF-16 units of the whole characters that both texts begin with. */
function commonPrefix(a: string, b: string): number {
  let length = 0;
  while (length < a.length && a.codePointAt(length) === b.codePointAt(length)) length += unitsAt(a, length);
  return length;
}

/** NFKC makes 18 characters of one at most. */
const MOST_GROWTH = 20;

function join(input: AlignedText, pieces: Piece[]): AlignedText {
  const length = pieces.reduce((sum, piece) => sum + piece.text.length, 0);
  const original = (input.ends.at(-1) ?? 0) - (input.starts[0] ?? 0);
  if (length > MOST_GROWTH * original + 1000) {
    throw new ModelFileError(
      `tokenizer.json: normalizer makes ${length} characters of ${original}, at most ${MOST_GROWTH} of each are supported`,
    );
  }
  if (pieces.length === 1 && length === input.text.length && pieces[0].text === input.text) return input;
  const text = pieces.map((piece) => piece.text).join('');
  const starts = new Uint32Array(text.length);
  const ends = new Uint32Array(text.length);
  let at = 0;
  for (const piece of pieces) {
    const unchanged = input.text.slice(piece.from, piece.to) === piece.text;
    const whole = originalSpan(input, piece.from, piece.to);
    for (let i = 0; i < piece.text.length; i++, at++) {
      const [start, end] = unchanged ? originalSpan(input, piece.from + i, piece.from + i + 1) : whole;
      starts[at] = start;
      ends[at] = end;
    }
  }
  return { text, starts, ends };
}
