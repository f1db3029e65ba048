import { expect, it } from 'vitest';
import { seededRandom } from '../seeded-random';
import { createTokenizer } from './tokenizer';

/**
 * The two kinds of tokenizer with SentencePiece's spelling, written a second time from the description of Hugging Face's Rust code, in the
 * slowest and plainest way, and compared on random text. Nothing is shared with the library.
 */

const random = (seed: number) => {
  const uniform = seededRandom(seed);
  return (below: number) => Math.floor(uniform() * below);
};

/** Known characters, with and without neighbours in pieces; unknown ones of two to four bytes; controls, marks, spaces, surrogates. */
const KNOWN = [...'abcdehinorstTZ0247.,-/:?&=\'"é漢字か'];
const UNKNOWN = [
  'ß',
  'ﬁ',
  '日',
  '한',
  'שׁ',
  'e\u0301',
  '😀',
  '👩‍👩‍👧',
  '🇫🇷',
  '\u{1d400}',
  '\u0007',
  '\u0000',
  '\ufeff',
  '\u200b',
  '\u00a0',
  '\ud83d',
];
const SPACES = [' ', ' ', '  ', '   ', '\t', '\n\n', '▁', '▁ '];
const WORDS = ['the ', "don't", 'https://x.io/?a=b&c=%20', '2024-07', '<0xE5>', '漢字'];

const next = random(7);
const text = () => {
  const kinds = [KNOWN, KNOWN, KNOWN, UNKNOWN, SPACES, WORDS];
  const parts = Array.from({ length: 1 + next(16) }, () => {
    const kind = kinds[next(kinds.length)];
    return kind[next(kind.length)];
  });
  return parts.join('');
};

/** Pieces of two to six characters, each joined from two existing ones: [left, right]. */
function joined(count: number): [string, string][] {
  const pieces = [...KNOWN, '▁'];
  const merges: [string, string][] = [
    ['t', 'h'],
    ['th', 'e'],
    ['▁', 'the'],
    ['▁', '▁'],
  ];
  for (const [a, b] of merges) pieces.push(a + b);
  while (merges.length < count) {
    const [a, b] = [pieces[next(pieces.length)], pieces[next(pieces.length)]];
    if ([...(a + b)].length > 6 || pieces.includes(a + b)) continue;
    merges.push([a, b]);
    pieces.push(a + b);
  }
  return merges;
}

const wellFormed = (given: string) => given.replace(/\p{Surrogate}/gu, '\ufffd');

const byteToken = (byte: number) => `<0x${byte.toString(16).toUpperCase().padStart(2, '0')}>`;
const byteTokens = Array.from({ length: 256 }, (_, byte) => byteToken(byte));
const bytesOf = (piece: string) => Array.from(new TextEncoder().encode(piece), byteToken);

const merges = joined(300);
const pieces = ['<unk>', ...byteTokens, ...KNOWN, '▁', ...merges.map((merge) => merge.join(''))];

it("Gemma 2's: BPE with byte fallback has the tokens of merging pair by pair", () => {
  const tokenizer = createTokenizer(
    {
      normalizer: { type: 'Replace', pattern: { String: ' ' }, content: '▁' },
      pre_tokenizer: { type: 'Split', pattern: { String: ' ' }, behavior: 'MergedWithPrevious', invert: false },
      model: {
        type: 'BPE',
        unk_token: '<unk>',
        fuse_unk: true,
        byte_fallback: true,
        vocab: Object.fromEntries(pieces.map((piece, id) => [piece, id])),
        merges,
      },
    },
    undefined,
  );
  const known = new Set(pieces);
  const reference = (given: string): string[] => {
    let symbols = [...given.replaceAll(' ', '▁')].flatMap((c) => (known.has(c) ? [c] : bytesOf(c)));
    for (;;) {
      const ranks = symbols.slice(1).map((b, i) => merges.findIndex((pair) => pair[0] === symbols[i] && pair[1] === b));
      const best = Math.min(...ranks.filter((rank) => rank >= 0));
      if (best === Infinity) return symbols;
      const at = ranks.indexOf(best);
      symbols = [...symbols.slice(0, at), symbols[at] + symbols[at + 1], ...symbols.slice(at + 2)];
    }
  };
  for (let i = 0; i < 400; i++) {
    const given = text();
    expect(tokenizer.encode(given).tokens, JSON.stringify(given)).toEqual(reference(wellFormed(given)));
  }
});

it('Unigram with byte fallback has the tokens of the best of all segmentations', () => {
  // A written <0xE5> is a piece like others.
  const scores = new Map(pieces.slice(1).map((piece) => [piece, -1 - next(1_000_000) / 100_000]));
  const tokenizer = createTokenizer(
    {
      pre_tokenizer: { type: 'Metaspace', replacement: '▁', prepend_scheme: 'always', split: true },
      model: {
        type: 'Unigram',
        unk_id: 0,
        byte_fallback: true,
        vocab: pieces.map((piece) => [piece, scores.get(piece) ?? 0]),
      },
    },
    undefined,
  );
  const unknown = Math.min(...scores.values()) - 10;
  const segment = (word: string): string[] => {
    const characters = [...word];
    const best: { score: number; parts: string[] }[] = [{ score: 0, parts: [] }];
    for (let end = 1; end <= characters.length; end++) {
      for (let from = 0; from < end; from++) {
        const piece = characters.slice(from, end).join('');
        const score = scores.get(piece) ?? (end - from === 1 ? unknown : undefined);
        if (score === undefined || best[end]?.score >= best[from].score + score) continue;
        best[end] = { score: best[from].score + score, parts: [...best[from].parts, piece] };
      }
    }
    return best[characters.length].parts.flatMap((piece) => (scores.has(piece) ? [piece] : bytesOf(piece)));
  };
  const reference = (given: string): string[] => {
    const spelled = given.replaceAll(' ', '▁');
    const words = (spelled.startsWith('▁') ? spelled : `▁${spelled}`).match(/▁[^▁]*/g) ?? [];
    return words.flatMap(segment);
  };
  for (let i = 0; i < 400; i++) {
    const given = text();
    expect(tokenizer.encode(given).tokens, JSON.stringify(given)).toEqual(reference(wellFormed(given)));
  }
});
