import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { modernbertFile, nanoFile } from './fixtures/load';
import { createTokenizer } from './tokenizer';

/** Any text, of characters that tokenizers treat in their own ways and of any others. */
const text = fc
  .array(
    fc.oneof(
      fc.constantFrom(
        ' ',
        '  ',
        '\n',
        '\t',
        '\u0301',
        'e',
        'é',
        '漢',
        '👩‍👩‍👧',
        '[MASK]',
        "'s",
        '12',
        '▁',
        '\u1100\u1161',
        '\ud800',
      ),
      fc.string({ unit: 'grapheme', maxLength: 5 }),
      fc.string({ unit: 'binary', maxLength: 5 }),
    ),
    { maxLength: 20 },
  )
  .map((parts) => parts.join(''));

describe.each([
  ['ModernBERT', createTokenizer(modernbertFile(), undefined)],
  ['nano', createTokenizer(nanoFile('tokenizer.json'), nanoFile('tokenizer_config.json'))],
])("%s' tokens of any text", (_, tokenizer) => {
  it('cover it in order: between two of them there is only whitespace', () => {
    fc.assert(
      fc.property(text, (given) => {
        const { ids, tokens, offsets } = tokenizer.encode(given);
        expect([tokens.length, offsets.length]).toEqual([ids.length, ids.length]);
        let at = 0;
        let covered = '';
        for (const [start, end] of offsets.slice(1, -1)) {
          expect(start).toBeLessThanOrEqual(end);
          if (end <= at) continue; // another token of the same character
          covered += given.slice(Math.min(at, start), start).replace(/\p{White_Space}/gu, '');
          covered += given.slice(Math.max(at, start), end);
          at = end;
        }
        const rest = given.slice(at);
        expect(rest.replace(/\p{White_Space}/gu, '')).toBe('');
        const letters = (whole: string) => whole.replace(/\p{White_Space}/gu, '');
        expect(letters(covered)).toBe(letters(given));
      }),
    );
  });

  it('have ids that the model could know', () => {
    fc.assert(
      fc.property(text, text, (first, second) => {
        for (const id of tokenizer.encode(first, second).ids) expect(id).toBeLessThanOrEqual(tokenizer.last!.id);
      }),
    );
  });
});

it("ModernBERT's tokens of whole characters decode to the text", () => {
  const tokenizer = createTokenizer(modernbertFile(), undefined);
  const parts = fc.array(
    fc.constantFrom('a', 'river', ' the', '  ', '\n', '.', "'s", ' 42', '<|padding|>', '(', 'ing'),
  );
  fc.assert(
    fc.property(parts, (given) => {
      const { ids } = tokenizer.encode(given.join(''));
      expect(Array.from(ids.slice(1, -1), (id) => tokenizer.decodeToken(id)).join('')).toBe(given.join(''));
    }),
  );
});
