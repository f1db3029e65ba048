import { describe, expect, it } from 'vitest';
import { seededRandom } from '../seeded-random';
import { type ByteLevelFile, modernbertFile, nanoFile } from './fixtures/load';
import { createTokenizer } from './tokenizer';

/**
 * A byte-level BPE tokenizer written a second time, from the description of Hugging Face's Rust code, in the slowest and
 * plainest way: no regular expression for words, merges one by one, and an alignment by trying all cuts of the text.
 */
interface ReferenceToken {
  id: number;
  start: number;
  end: number;
}

const isSpace = (character: string) => /^\p{White_Space}$/u.test(character);
const isLetter = (character: string) => /^\p{L}$/u.test(character);
const isNumber = (character: string) => /^\p{N}$/u.test(character);
const isMark = (character: string) => /^\p{M}$/u.test(character);

function words(text: string): string[] {
  const characters = Array.from(text);
  const found: string[] = [];
  const runFrom = (from: number, is: (character: string) => boolean): number => {
    let to = from;
    while (to < characters.length && is(characters[to])) to++;
    return to;
  };
  for (let at = 0; at < characters.length; ) {
    const rest = characters.slice(at, at + 3).join('');
    const contraction = ["'s", "'t", "'re", "'ve", "'m", "'ll", "'d"].find((ending) => rest.startsWith(ending));
    let to = at + (contraction?.length ?? 0);
    const first = characters[at] === ' ' ? at + 1 : at;
    const classes = [isLetter, isNumber, (c: string) => !isSpace(c) && !isLetter(c) && !isNumber(c)];
    for (const is of classes) if (to === at && runFrom(first, is) > first) to = runFrom(first, is);
    if (to === at) {
      to = runFrom(at, isSpace);
      if (to < characters.length && to > at + 1) to--; // the last space goes with what follows
    }
    found.push(characters.slice(at, to).join(''));
    at = to;
  }
  return found;
}

function referenceTokenizer(file: ByteLevelFile) {
  const ranks = new Map(file.model.merges.map((merge, rank) => [merge, rank]));
  const byteCharacters = Array.from({ length: 256 }, () => '');
  let next = 256;
  for (let byte = 0; byte < 256; byte++) {
    const isPrinted = /^[!-~\u00a1-\u00ac\u00ae-\u00ff]$/.test(String.fromCharCode(byte));
    byteCharacters[byte] = String.fromCharCode(isPrinted ? byte : next++);
  }

  const bpe = (word: string): string[] => {
    const symbols = Array.from(new TextEncoder().encode(word), (byte) => byteCharacters[byte]);
    for (;;) {
      let best = -1;
      let bestRank = Number.POSITIVE_INFINITY;
      for (let i = 0; i + 1 < symbols.length; i++) {
        const rank = ranks.get(`${symbols[i]} ${symbols[i + 1]}`) ?? Number.POSITIVE_INFINITY;
        if (rank < bestRank) [best, bestRank] = [i, rank];
      }
      if (best < 0) return symbols;
      symbols.splice(best, 2, symbols[best] + symbols[best + 1]);
    }
  };

  type Part = { text: string; from: number; id?: number };
  const split = (text: string, normalized: boolean): Part[] => {
    const tokens = file.added_tokens
      .filter((token) => token.normalized === normalized)
      .sort((a, b) => b.content.length - a.content.length);
    const result: Part[] = [];
    let plain = '';
    for (let at = 0; at < text.length; ) {
      const token = tokens.find(({ content }) => text.startsWith(content, at));
      if (token) {
        const kept = token.lstrip ? plain.replace(/\p{White_Space}+$/u, '') : plain;
        if (kept) result.push({ text: kept, from: at - plain.length });
        result.push({ text: token.content, from: at, id: token.id });
        plain = '';
        at += token.content.length;
      } else {
        plain += text[at++];
      }
    }
    if (plain) result.push({ text: plain, from: text.length - plain.length });
    return result;
  };

  return (text: string): ReferenceToken[] => {
    const tokens: ReferenceToken[] = [];
    for (const part of split(text, false)) {
      if (part.id !== undefined) {
        tokens.push({ id: part.id, start: part.from, end: part.from + part.text.length });
        continue;
      }
      const spanOf = alignment(part.text);
      const push = (id: number, from: number, to: number) => {
        let [start, end] = spanOf(from, to);
        const covered = part.text.slice(start, end);
        if (/\P{White_Space}/u.test(covered)) {
          start += /^\p{White_Space}*/u.exec(covered)?.[0].length ?? 0;
          end -= /\p{White_Space}*$/u.exec(covered)?.[0].length ?? 0;
        }
        tokens.push({ id, start: part.from + start, end: part.from + end });
      };
      for (const inner of split(part.text.normalize('NFC'), true)) {
        if (inner.id !== undefined) {
          push(inner.id, inner.from, inner.from + inner.text.length);
          continue;
        }
        let to = 0; // bytes of the inner text
        for (const symbol of words(inner.text).flatMap(bpe)) {
          const from = to;
          to += symbol.length;
          push(
            file.model.vocab[symbol],
            inner.from + unitOf(inner.text, from, 'down'),
            inner.from + unitOf(inner.text, to, 'up'),
          );
        }
      }
    }
    return tokens;
  };
}

/** The UTF-16 index at a UTF-8 index, of the character's start or end where it is inside a character. */
function unitOf(text: string, byte: number, direction: 'down' | 'up'): number {
  let bytes = 0;
  let units = 0;
  for (const character of text) {
    if (bytes >= byte) break;
    const length = new TextEncoder().encode(character).length;
    if (direction === 'down' && bytes + length > byte) break;
    bytes += length;
    units += character.length;
  }
  return units;
}

/**
 * Normalised [from, to) → original, by all places where the text can be cut without changing its NFC; before a mark only if
 * nothing changed since the last cut.
 */
function alignment(text: string): (from: number, to: number) => [number, number] {
  const nfc = text.normalize('NFC');
  const cuts: [original: number, normalized: number][] = [];
  let at = 0;
  for (const character of [...text, '']) {
    const [before, after] = [text.slice(0, at).normalize('NFC'), text.slice(at).normalize('NFC')];
    const since = text.slice(cuts.at(-1)?.[0] ?? 0, at);
    const isAllowed = !isMark(character) || since === since.normalize('NFC');
    if (isAllowed && before + after === nfc) cuts.push([at, before.length]);
    at += character.length;
  }
  const starts: number[] = [];
  const ends: number[] = [];
  for (const [i, [original, normalized]] of cuts.slice(0, -1).entries()) {
    const [originalEnd, normalizedEnd] = cuts[i + 1];
    const unchanged = text.slice(original, originalEnd) === nfc.slice(normalized, normalizedEnd);
    for (let unit = normalized; unit < normalizedEnd; unit++) {
      starts[unit] = unchanged ? original + unit - normalized : original;
      ends[unit] = unchanged ? original + unit - normalized + 1 : originalEnd;
    }
  }
  return (from, to) => [starts[from], ends[to - 1]];
}

const nasty = [
  ...['a', 'b', 'the', 'The', ' the', 'ing', 'Z', 'ſ', 'ß', 'don', "'t", "'s", "'S", "'ll", "'", '’', '’s', '"'],
  ...['0', '7', '2024', '½', 'Ⅷ', '٣', '²', '.', ',', '...', '--', '/', 'https://x.io/?q=1&r=%20', '_', '@', '#', '\\'],
  ...[
    ' ',
    '  ',
    '   ',
    '     ',
    '\t',
    '\n',
    '\n\n',
    '\r',
    '\r\n',
    '\v',
    '\f',
    '\u0085',
    '\u00a0',
    '\u1680',
    '\u2003',
    '\u2028',
  ],
  ...[
    '\u3000',
    '\ufeff',
    '\u200b',
    '\u200d',
    '\u0000',
    '\u0007',
    '\u001b',
    '\u007f',
    '\u00ad',
    '\ufffd',
    '\uffff',
    '\u180e',
  ],
  ...[
    'é',
    'e\u0301',
    'e\u0323\u0301',
    'e\u0301\u0323',
    'q\u0301\u0323',
    '\u0301',
    '\u0334',
    '\u0344',
    'A\u030a',
    '\u212b',
    '\u1e9b\u0323',
  ],
  ...[
    '\u0958',
    '\u0915\u093c',
    '\u09c7\u09be',
    '\u0dd9\u0dca\u0dcf',
    'か\u3099',
    '\uff76\uff9e',
    '\u1100',
    '\u1161',
    '\u11a8',
    '각',
    '\uac00\u11a8',
  ],
  ...[
    '漢',
    '字',
    '日本語',
    '\uf900',
    '\u{2f800}',
    '한국',
    'नमस्ते',
    'สวัสดี',
    'привет',
    'שלום',
    'مرحبا',
    '\u{1d15e}',
    '\u{1d400}',
    '\u{1109b}\u{110ba}',
  ],
  ...['😀', '👩‍👩‍👧‍👦', '👍🏽', '🇫🇷', '❤️', '\u{10ffff}', '\ud83d', '\ude00'],
  ...[
    '[MASK]',
    ' [MASK]',
    '[MASK',
    'MASK]',
    '[CLS]',
    '[SEP]',
    '[PAD]',
    '[UNK]',
    '[mask]',
    '<|endoftext|>',
    '<|padding|>',
    '<|',
  ],
  ...[
    '[unused71]',
    '[unused7',
    '[unused',
    '|||IP_ADDRESS|||',
    '|||',
    '||||||EMAIL_ADDRESS|||',
    'Ġ',
    'Ċ',
    'Â',
    '▁',
    '<0xE5>',
    '##',
  ],
];

function nastyText(next: () => number): string {
  const length = 1 + Math.floor(next() * 14);
  return Array.from({ length }, () => nasty[Math.floor(next() * nasty.length)]).join('');
}

describe.each([
  ['ModernBERT', modernbertFile()],
  ['nano', nanoFile('tokenizer.json') as ByteLevelFile],
])("%s's tokens on random nasty text", (_, file) => {
  it('have the ids and offsets of the slow reference', () => {
    const tokenizer = createTokenizer(file, undefined);
    const reference = referenceTokenizer(file);
    const next = seededRandom(2024);
    for (let i = 0; i < 2000; i++) {
      const text = nastyText(next);
      const { ids, offsets } = tokenizer.encode(text);
      const actual = offsets.map(([start, end], k) => ({ id: ids[k], start, end })).slice(1, -1);
      // A lone surrogate has no UTF-8: it is tokenized as U+FFFD.
      expect(actual, JSON.stringify(text)).toEqual(reference(text.replace(/\p{Surrogate}/gu, '\ufffd')));
    }
  });
});
