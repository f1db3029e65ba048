import { describe, expect, it } from 'vitest';
import { modernbertFile } from './fixtures/load';
import { createTokenizer } from './tokenizer';
import type { Tokenizer } from './types';

const modernbert = createTokenizer(modernbertFile(), undefined);

/** Tokens with the part of the text that they stand for, without the special tokens at the ends. */
const covered = (text: string, tokenizer: Tokenizer = modernbert): [token: string, part: string][] => {
  const { ids, offsets } = tokenizer.encode(text);
  return [...ids].map((id, i): [string, string] => [tokenizer.decodeToken(id), text.slice(...offsets[i])]).slice(1, -1);
};

describe('offsets of byte-level tokens', () => {
  it('are empty for the special tokens of the post-processor', () => {
    const { offsets } = modernbert.encode('[CLS] a');
    expect(offsets).toEqual([
      [0, 0],
      [0, 5],
      [6, 7],
      [0, 0],
    ]);
  });

  it('cover only the letters of [MASK], whose lstrip consumes the whitespace before it', () => {
    const text = 'The capital of France is \t [MASK].';
    const { ids, offsets } = modernbert.encode(text);
    const at = ids.indexOf(50284);
    expect(offsets[at]).toEqual([text.indexOf('['), text.indexOf(']') + 1]);
    expect(covered(text)).toEqual([
      ['The', 'The'],
      [' capital', 'capital'],
      [' of', 'of'],
      [' France', 'France'],
      [' is', 'is'],
      ['[MASK]', '[MASK]'],
      ['.', '.'],
    ]);
  });

  it('leave out whitespace at the ends, unless there is nothing else', () => {
    expect(covered(' a  b\r\n\r\n c')).toEqual([
      [' a', 'a'],
      ['  ', '  '],
      ['b', 'b'],
      ['\r\n\r\n', '\r\n\r\n'],
      [' c', 'c'],
    ]);
  });

  it('are in the original text, not the normalised one', () => {
    expect(covered('cafe\u0301 noir')).toEqual([
      ['c', 'c'],
      ['af', 'af'],
      ['é', 'e\u0301'],
      [' no', 'no'],
      ['ir', 'ir'],
    ]);
    const jamo = '\u1112\u1161\u11ab\u1100\u116e\u11a8';
    expect(covered(`${jamo}!`).map(([, part]) => part)).toEqual(
      covered(`${jamo.normalize('NFC')}!`).map(([, part]) => part.normalize('NFD')),
    );
    // A composition exclusion gets longer.
    expect(covered('x\u0958 [MASK]').at(-1)).toEqual(['[MASK]', '[MASK]']);
  });

  it('cover a whole character for each of the tokens that share its bytes', () => {
    const parts = covered('a🫠b').map(([, part]) => part);
    expect(parts.length).toBeGreaterThan(3);
    expect(new Set(parts.slice(1, -1))).toEqual(new Set(['🫠']));
  });

  it('take lone surrogates for U+FFFD', () => {
    const text = 'a\ud83d b\ude00';
    expect(modernbert.encode(text)).toEqual(modernbert.encode('a\ufffd b\ufffd'));
    expect(
      covered(text)
        .map(([, part]) => part)
        .join(''),
    ).toBe('a\ud83db\ude00');
  });

  it('of a pair refer to the text that each token comes from', () => {
    const { tokens, offsets } = modernbert.encode('a [MASK]', 'bc d');
    expect(tokens).toEqual(['[CLS]', 'a', '[MASK]', '[SEP]', 'bc', 'Ġd', '[SEP]']);
    expect(offsets).toEqual([
      [0, 0],
      [0, 1],
      [2, 8],
      [0, 0],
      [0, 2],
      [3, 4],
      [0, 0],
    ]);
  });
});

describe('added tokens', () => {
  const file = modernbertFile();
  const token = { lstrip: false, rstrip: false, single_word: false, normalized: false, special: false };
  const added = [
    { ...token, content: '<r>', rstrip: true },
    { ...token, content: '<l>', lstrip: true },
    { ...token, content: '<both>', lstrip: true, rstrip: true },
    { ...token, content: 'zzword', single_word: true },
    { ...token, content: 'cafe\u0301', normalized: true },
    { ...token, content: 'cafe\u0301s', normalized: false },
  ];
  file.added_tokens.push(...added.map((entry, i) => ({ ...entry, id: 50368 + i })));
  const tokenizer = createTokenizer(file, undefined);

  it('consume the whitespace that they strip, U+0085 but not U+FEFF', () => {
    expect(covered('a <r> \u0085\tb', tokenizer)).toEqual([
      ['a', 'a'],
      [' ', ' '],
      ['<r>', '<r>'],
      ['b', 'b'],
    ]);
    expect(covered('a \u0085<l> b', tokenizer)).toEqual([
      ['a', 'a'],
      ['<l>', '<l>'],
      [' b', 'b'],
    ]);
    expect(covered('a <both> <both> <l>b', tokenizer).map(([shown]) => shown)).toEqual([
      'a',
      '<both>',
      '<both>',
      '<l>',
      'b',
    ]);
    expect(covered('a\ufeff<l>', tokenizer)).toEqual([
      ['a', 'a'],
      ['\ufeff', '\ufeff'],
      ['<l>', '<l>'],
    ]);
  });

  it('match only between non-word characters if they are single words', () => {
    const found = (text: string) => tokenizer.encode(text).ids.includes(50371);
    const alone = ['zzword', 'a zzword.', '[zzword]', '😀zzword😀', 'zzword-zzword'];
    expect(alone.filter(found)).toEqual(alone);
    const inWords = ['zzwords', 'szzword', 'zzword_', 'ézzword', 'zzword\u0301', '𝐀zzword', 'zzword𝐀', '1zzword'];
    expect(inWords.filter(found)).toEqual([]);
  });

  it('match in the original or the normalised text, as tokenizer.json says', () => {
    expect(covered('un caf\u00e9', tokenizer).at(-1)).toEqual(['cafe\u0301', 'caf\u00e9']);
    expect(covered('un cafe\u0301', tokenizer).at(-1)).toEqual(['cafe\u0301', 'cafe\u0301']);
    expect(covered('cafe\u0301s', tokenizer)).toEqual([['cafe\u0301s', 'cafe\u0301s']]);
    expect(covered('caf\u00e9s', tokenizer)).toEqual([
      ['cafe\u0301', 'caf\u00e9'],
      ['s', 's'],
    ]);
  });
});
