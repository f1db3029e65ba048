import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { alignedSlice } from './aligned-text';
import { modernbertFile, nanoFile } from './fixtures/load';
import { createPreTokenizer } from './pre-tokenizer';
import { createTokenizer } from './tokenizer';

/** Texts of parts that tokenizers treat in their own ways, and of any others. */
const text = fc
  .array(
    fc.oneof(
      fc.constantFrom(
        ' ',
        '  ',
        ' '.repeat(30),
        '\n',
        '\t',
        '\u00a0',
        '\u0085',
        '\0',
        "'",
        "'s",
        "'ll",
        '’s',
        '12',
        '٣½',
      ),
      fc.constantFrom(
        'the',
        ' The',
        'running',
        'e',
        'é',
        'e\u0301',
        '\u0301',
        'ﬁ',
        '漢字',
        '\u1100\u1161',
        '▁',
        '.',
        '--',
      ),
      fc.constantFrom('👩‍👩‍👧', '𝐀', '\ud800', '\udc00', 'a'.repeat(70), '[MASK]', ' [MASK] ', '<|padding|>', '|||'),
      fc.string({ unit: 'grapheme', maxLength: 5 }),
      fc.string({ unit: 'binary', maxLength: 5 }),
    ),
    { maxLength: 20 },
  )
  .map((parts) => parts.join(''));
const RUNS = { seed: 19, numRuns: 400 };

type Tokenizer = ReturnType<typeof createTokenizer>;
const same = (one: (text: string) => unknown, other: (text: string) => unknown) =>
  fc.assert(
    fc.property(text, (given) => {
      expect(one(given)).toEqual(other(given));
    }),
    RUNS,
  );
const withParts = (file: object, pretokenizers: object[]): Tokenizer =>
  createTokenizer({ ...file, pre_tokenizer: { type: 'Sequence', pretokenizers } }, undefined);

const words = { Regex: "'(?:s|ll)| ?\\p{L}+| ?\\p{N}+| ?[^\\s\\p{L}\\p{N}]+|\\s+(?!\\S)|\\s+" };
const bytes = { type: 'ByteLevel', add_prefix_space: false, use_regex: false };
/** Cuts nothing off. */
const nothing = { type: 'Split', pattern: { String: '\u{10fffe}' }, behavior: 'Removed', invert: false };
const isolated = { type: 'Split', pattern: words, behavior: 'Isolated', invert: false };
/** The same words, each match looked at by itself. */
const kept = { type: 'Split', pattern: words, behavior: 'Removed', invert: true };

const files = { ModernBERT: modernbertFile(), nano: nanoFile('tokenizer.json') as object };
describe.each(Object.entries(files))('tokens of any text, %s', (_, file) => {
  const own = createTokenizer(file, undefined);
  const encode = (given: string) => own.encode(given);

  it('are the same whether the pieces of its words are known or not', () => {
    const fresh = createTokenizer(file, undefined);
    // Words enough to empty the cache in between, all different and most of them several pieces.
    let number = 0;
    const forget = () => own.encode(Array.from({ length: 24_000 }, () => ` ${(number++).toString(36)}q`).join(''));
    const texts = fc.sample(text, RUNS);
    const first = texts.map((given) => fresh.encode(given));
    forget();
    expect(texts.map(encode)).toEqual(first);
    expect(texts.reverse().map(encode)).toEqual(first.reverse());
    forget();
    forget();
    expect(texts.map(encode)).toEqual(first);
  });

  it('are the same if bytes are spelled for the whole text at once', () => {
    const whole = withParts(file, [{ ...bytes, use_regex: true }, nothing]);
    same(encode, (given) => whole.encode(given));
  });

  it('are the same if each match is looked at by itself', () => {
    const [fast, general] = [isolated, kept].map((split) => withParts(file, [split, bytes]));
    same(
      (given) => fast.encode(given),
      (given) => general.encode(given),
    );
  });
});

it('words of ASCII are spelled as they are in others', () => {
  const { spell } = createPreTokenizer([bytes]);
  fc.assert(
    fc.property(fc.string({ unit: 'binary-ascii' }), (given) => {
      const [alone, inOther] = [given, `${given}é`].map((word) => spell(alignedSlice(word)));
      const { length } = given;
      expect(alone.text).toBe(inOther.text.slice(0, length));
      expect([alone.starts, alone.ends]).toEqual(
        [inOther.starts, inOther.ends].map((places) => places.slice(0, length)),
      );
    }),
    RUNS,
  );
});
