import { readFileSync } from 'node:fs';
import { gunzipSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import type { Json } from '../formats/json-fields';
import { alignedSlice } from './aligned-text';
import { modernbertFile } from './fixtures/load';
import { createNormalizer } from './normalizer';
import { createPreTokenizer } from './pre-tokenizer';
import { createTokenizer } from './tokenizer';

/** What Hugging Face's tokenizers 0.23 makes of 500 generated texts with each kind of tokenizer: tools/tokenizers/make.py. */
interface Kind {
  name: string;
  /** A hash for every text, in base64; offsets where our rules follow from Rust's, else 0 or none. */
  ids: string;
  offsets?: string;
  /** Of every text with the next one. */
  pairs?: string;
  file?: object;
  /** Of a tokenizer whose tokens are characters. */
  parts?: object;
}
type Ranges = [from: number, to: number][];

const fixture = new URL('./fixtures/rust.json.gz', import.meta.url);
const { charsmaps, texts, characters, added, kinds, classes } = JSON.parse(
  gunzipSync(readFileSync(fixture)).toString(),
) as {
  charsmaps: Record<string, string>;
  texts: string[];
  characters: string;
  added: object[];
  kinds: Kind[];
  classes: Record<string, Ranges>;
};

const tokens = ['[UNK]', ...characters, ...Array.from(characters, (character) => `##${character}`)];
const model = {
  type: 'WordPiece',
  unk_token: '[UNK]',
  continuing_subword_prefix: '##',
  max_input_chars_per_word: 1000,
  vocab: Object.fromEntries(tokens.map((token, id) => [token, id])),
};

/** The parts with the charsmaps that they name. */
const withCharsmaps = (parts: object): object =>
  JSON.parse(JSON.stringify(parts), (key, value) =>
    key === 'precompiled_charsmap' ? (charsmaps[value] ?? value) : value,
  );

/** FNV-1a of 32 bits. */
const hash = (numbers: Iterable<number>): number => {
  let value = 0x811c9dc5;
  for (const number of numbers) value = Math.imul(value ^ number, 0x01000193);
  return value >>> 0;
};
const hashesIn = (base64: string): number[] => {
  const bytes = Buffer.from(base64, 'base64');
  return Array.from({ length: bytes.length / 4 }, (_, i) => bytes.readUInt32LE(4 * i));
};

describe("500 texts have the tokens of Hugging Face's tokenizers", () => {
  it.each(kinds)('$name', ({ ids, offsets, pairs, file, parts }) => {
    const whole = file ?? (parts ? { ...withCharsmaps(parts), model, added_tokens: added } : modernbertFile());
    const tokenizer = createTokenizer(whole, undefined);
    const encoded = texts.map((text) => tokenizer.encode(text));
    const differing = (expected: string, actual: (i: number) => Iterable<number>) =>
      hashesIn(expected).flatMap((value, i) => (value === 0 || hash(actual(i)) === value ? [] : [texts[i]]));
    expect(hashesIn(ids)).toHaveLength(500);
    expect(differing(ids, (i) => encoded[i].ids)).toEqual([]);
    if (offsets) expect(differing(offsets, (i) => encoded[i].offsets.flat())).toEqual([]);
    if (pairs) expect(differing(pairs, (i) => tokenizer.encode(texts[i], texts[i + 1]).ids)).toEqual([]);
  });
});

describe('every character is of the classes that it has there', () => {
  const codesOf = (ranges: Ranges) =>
    ranges.flatMap(([from, to]) => Array.from({ length: to - from + 1 }, (_, i) => from + i));
  const every = codesOf(classes.known).map((code) => String.fromCodePoint(code));
  const setOf = (name: string) => new Set(codesOf(classes[name]).map((code) => String.fromCodePoint(code)));
  const normalize = (part: object, text: string) => createNormalizer([part as Json])(alignedSlice(text)).text;
  const words = (part: object, text: string) => {
    const { text: spelled, spans } = createPreTokenizer([part as Json]).pretokenize(alignedSlice(text));
    return spans.map(([from, to]) => spelled.text.slice(from, to));
  };
  /** All at once, each after an "a". */
  const inOne = (chosen: string[], of: (character: string) => string) =>
    chosen.map((character) => `a${of(character)}`).join('');

  it.each([
    [
      { type: 'BertNormalizer', clean_text: true },
      { cleaned: () => '', spaces: () => ' ' },
    ],
    [{ type: 'BertNormalizer', handle_chinese_chars: true }, { ideographs: (character: string) => ` ${character} ` }],
    [{ type: 'BertNormalizer', strip_accents: true }, { accents: () => '' }],
    [{ type: 'StripAccents' }, { marks: () => '' }],
  ] as [Json, Record<string, (character: string) => string>][])('%j', (part, rules) => {
    const changed = Object.entries(rules).map(([name, to]) => ({ those: setOf(name), to }));
    const chosen = part.strip_accents ? every.filter((character) => character.normalize('NFD') === character) : every;
    const expected = inOne(
      chosen,
      (character) => changed.find(({ those }) => those.has(character))?.to(character) ?? character,
    );
    expect(
      normalize(
        part,
        inOne(chosen, (character) => character),
      ) === expected,
    ).toBe(true);
  });

  it.each(['NFKC', 'NFKD'])('%s', (type) => {
    const kept = setOf(type);
    const wrong = every.filter((character) => (normalize({ type }, character) === character) !== kept.has(character));
    expect(wrong).toEqual([]);
  });

  it('Lowercase', () => {
    expect(
      normalize({ type: 'Lowercase' }, every.join('')) === every.map((character) => character.toLowerCase()).join(''),
    ).toBe(true);
  });

  it.each([
    ['punctuation', { type: 'Punctuation' }, (character: string) => ['a', character, 'a']],
    ['numbers', { type: 'Digits', individual_digits: true }, (character: string) => ['a', character, 'a']],
    ['white', { type: 'WhitespaceSplit' }, () => ['a', 'a']],
    ['words', { type: 'Whitespace' }, (character: string) => [`a${character}a`]],
  ])('%s', (name, part, expected) => {
    const those = setOf(name);
    const isOfIt = (character: string) =>
      JSON.stringify(words(part, `a${character}a`)) === JSON.stringify(expected(character));
    expect(every.filter((character) => isOfIt(character) !== those.has(character))).toEqual([]);
  });
});
