import { describe, expect, it } from 'vitest';
import type { Json } from '../formats/json-fields';
import { alignedSlice } from './aligned-text';
import { AFTER_9 } from './later-characters';
import { createNormalizer } from './normalizer';

const aligned = (parts: object[], text: string, from = 0) =>
  createNormalizer(parts as Json[])(alignedSlice(text, from, text.length));

/** Every unit of the normalised text with the part of the original that it came from. */
const origins = (normalizer: object[], text: string, from = 0): [string, string][] => {
  const { text: normalized, starts, ends } = aligned(normalizer, text, from);
  return Array.from(normalized.split(''), (unit, i) => [unit, text.slice(starts[i], ends[i])]);
};

describe('Unicode forms', () => {
  const forms = ['NFC', 'NFD', 'NFKC', 'NFKD'].map((type) => [{ type }]);

  it('are the same piecewise as at once, for every character next to combining ones', () => {
    const partners = [
      'a',
      'e\u0301',
      '\u0334',
      '\u0323',
      '\u1100',
      '\uac00',
      '\u11a8',
      '\u0dd9',
      '\uff76',
      ' ',
      '\u{1d157}',
    ];
    // Left out: ideographs, all but a few Hangul syllables, surrogates, emoji and the empty planes.
    const ranges = [
      [0, 0x3400],
      [0xa000, 0xac40],
      [0xd790, 0xd800],
      [0xe000, 0x12000],
      [0x16d00, 0x16e00],
      [0x1d100, 0x1d200],
      [0x2f800, 0x2fa20],
    ];
    const codePoints = ranges.flatMap(([from, to]) => Array.from({ length: to - from }, (_, i) => from + i));
    const later = new RegExp(`[${AFTER_9}]`, 'u');
    for (const codePoint of codePoints) {
      const character = String.fromCodePoint(codePoint);
      if (later.test(character)) continue; // they do not combine
      const text = `${partners.map((partner) => partner + character).join('')}\u0323\u0301\u0300`;
      for (const normalizer of forms) {
        const { text: normalized, starts, ends } = aligned(normalizer, text);
        if (normalized !== text.normalize(normalizer[0].type)) {
          expect.fail(`U+${codePoint.toString(16)} in ${normalizer[0].type}`);
        }
        if (!starts.every((start, i) => start < ends[i] && (i === 0 || start >= starts[i - 1]))) {
          expect.fail(`U+${codePoint.toString(16)}: spans out of order in ${normalizer[0].type}`);
        }
      }
    }
  });

  it('align clusters that change as a whole and the rest unit by unit', () => {
    expect(origins(forms[0], 'ae\u0301😀 \u09c7\u09be')).toEqual([
      ['a', 'a'],
      ['é', 'e\u0301'],
      ['\ud83d', '\ud83d'],
      ['\ude00', '\ude00'],
      [' ', ' '],
      ['\u09cb', '\u09c7\u09be'],
    ]);
    expect(origins(forms[2], 'ﬁn…')).toEqual([
      ['f', 'ﬁ'],
      ['i', 'ﬁ'],
      ['n', 'n'],
      ['.', '…'],
      ['.', '…'],
      ['.', '…'],
    ]);
  });
});

describe('other normalizers', () => {
  it('Lowercase', () => {
    const lowercase = [{ type: 'Lowercase' }];
    expect(origins(lowercase, 'aİB')).toEqual([
      ['a', 'a'],
      ['i', 'İ'],
      ['\u0307', 'İ'],
      ['b', 'B'],
    ]);
  });

  it('BertNormalizer', () => {
    const bert = [{ type: 'BertNormalizer', clean_text: true, handle_chinese_chars: true, lowercase: true }];
    expect(origins(bert, 'É\u0000漢\tA')).toEqual([
      ['e', 'É'],
      [' ', '漢'],
      ['漢', '漢'],
      [' ', '漢'],
      [' ', '\t'],
      ['a', 'A'],
    ]);
  });

  it('Replace, Prepend and Strip, in a Sequence, within a longer text', () => {
    const sequence = [
      { type: 'Strip', strip_left: true, strip_right: true },
      { type: 'Replace', pattern: { Regex: ' {2,}' }, content: '\u2581\u2581' },
      { type: 'Replace', pattern: { String: 'b' }, content: '' },
      { type: 'Prepend', prepend: '\u2581' },
    ];
    expect(origins(sequence, 'xx \ta   bc ', 2)).toEqual([
      ['\u2581', ''],
      ['a', 'a'],
      ['\u2581', '   '],
      ['\u2581', '   '],
      ['c', 'c'],
    ]);
    expect(aligned(sequence, 'xx \ta   bc ', 2).starts).toEqual(Uint32Array.of(4, 4, 5, 5, 9));
  });

  it('Replace, Prepend and Strip alone', () => {
    expect(origins([{ type: 'Replace', pattern: { String: ' ' }, content: '\u2581' }], 'a b')).toEqual([
      ['a', 'a'],
      ['\u2581', ' '],
      ['b', 'b'],
    ]);
    expect(origins([{ type: 'Prepend', prepend: '\u2581' }], 'a')).toEqual([
      ['\u2581', ''],
      ['a', 'a'],
    ]);
    expect(origins([{ type: 'Strip', strip_left: false, strip_right: true }], ' a ')).toEqual([
      [' ', ' '],
      ['a', 'a'],
    ]);
  });
});
