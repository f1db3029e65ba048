import { describe, expect, it } from 'vitest';
import { ModelFileError } from '../api/errors';
import { alignedSlice } from './aligned-text';
import { smallest } from './fixtures/load';
import { createNormalizer } from './normalizer';
import { createTokenizer } from './tokenizer';

/** A charsmap of these replacements, as SentencePiece writes it but with gaps: the children of a node have a block of 256 units. */
function charsmap(replacements: Record<string, string>, change: (units: number[]) => void = () => {}): string {
  const units = [(1 << 10) << 8];
  const texts: number[] = [];
  let blocks = 1;
  const nodes = new Map<string, { at: number; block: number }>([['', { at: 0, block: 256 }]]);
  for (const [text, replacement] of Object.entries(replacements)) {
    let node = nodes.get('')!;
    let path = '';
    for (const byte of new TextEncoder().encode(text)) {
      path += String.fromCharCode(byte);
      const at = node.block + byte;
      const known = nodes.get(path);
      const block = known?.block ?? ++blocks * 256;
      node = known ?? { at, block };
      nodes.set(path, node);
      units[at] = (units[at] ?? 0) | (((at ^ block) << 10) | byte);
    }
    units[node.at] |= 0x100;
    units[node.block] = (0x80000000 | texts.length) >>> 0;
    texts.push(...new TextEncoder().encode(replacement), 0);
  }
  change(units);
  const size = Math.max(units.length, (blocks + 1) * 256);
  const bytes = Buffer.alloc(4 + 4 * size + texts.length);
  bytes.writeUInt32LE(4 * size, 0);
  for (const [i, unit] of units.entries()) bytes.writeUInt32LE((unit ?? 0) >>> 0, 4 + 4 * i);
  bytes.set(texts, 4 + 4 * size);
  return bytes.toString('base64');
}

const map = charsmap({
  Ａ: 'A',
  'e\u0301': 'é',
  ﬁ: 'fi',
  '\t': ' ',
  '\u0007': '',
  '\r\n': ' ',
  '\u00a0': ' ',
  '㌔': 'キロ',
});
const parts = [{ type: 'Precompiled', precompiled_charsmap: map }];
const normalized = (text: string, all: object[] = parts) => createNormalizer(all as never)(alignedSlice(text));

describe('a charsmap', () => {
  it.each([
    ['Ａb', 'Ab'],
    ['Ａ\u0301b', 'Ab'], // what follows in the grapheme is lost
    ['Ａ\u0301\u0301', 'A\u0301\u0301'], // of more than five bytes: by characters
    ['e\u0301e', 'ée'],
    ['e\u0302', 'e\u0302'],
    ['e\u0301\u0302', 'é'], // five bytes
    ['a\tb\u0007c\r\nd', 'a bc d'],
    ['\u00a0\u0301', ' '],
    ['\u00a0\u20dd\u0301', ' \u20dd\u0301'],
    ['x\u0000Ａ', 'x\u0000A'],
    ['', ''],
  ])('makes of %j', (text, expected) => {
    expect(normalized(text).text).toBe(expected);
  });

  it('keeps what each part came from, before and after other normalizers', () => {
    const all = [
      { type: 'Replace', pattern: { String: 'x' }, content: 'ﬁ' },
      ...parts,
      { type: 'Replace', pattern: { Regex: ' {2,}' }, content: ' ' },
    ];
    const { text, starts, ends } = normalized('xＡ\u0301\t\t㌔b', all);
    expect(Array.from(text, (unit, i) => [unit, starts[i], ends[i]])).toEqual([
      ['f', 0, 1],
      ['i', 0, 1],
      ['A', 1, 3],
      [' ', 3, 5],
      ['キ', 5, 6],
      ['ロ', 5, 6],
      ['b', 6, 7],
    ]);
  });

  const cut = (count: number) => Buffer.from(map, 'base64').subarray(0, count).toString('base64');
  it.each([
    ['no base64', '%%%', /must be base64, it is "%%%"/],
    ['no bytes', 'AAA=', /must be a trie and the texts behind it/],
    ['an empty trie', 'AAAAAA==', /must be a trie and the texts behind it/],
    ['half a trie', cut(1000), /must be a trie and the texts behind it/],
    ['no texts', cut(4 + Buffer.from(map, 'base64').readUInt32LE(0)), /must be a trie of places of texts/],
    [
      'a text that is no UTF-8',
      Buffer.concat([Buffer.from(map, 'base64'), Buffer.of(0xff)]).toString('base64'),
      /of texts in UTF-8/,
    ],
    [
      'a place within a character',
      charsmap({ a: 'é' }, (units) => (units[512] = 0x80000001)),
      /must be a trie of places of texts/,
    ],
  ])('that is broken is a ModelFileError: %s', (_, precompiled_charsmap, message) => {
    const file = smallest({ normalizer: { type: 'Precompiled', precompiled_charsmap } });
    expect(() => createTokenizer(file, undefined)).toThrow(ModelFileError);
    expect(() => createTokenizer(file, undefined)).toThrow(message);
  });

  it('is applied in linear time', () => {
    const text = 'Ａ\u0301 e\u0301 ㌔ abc '.repeat(20_000);
    expect(normalized(text).text).toHaveLength('A é キロ abc '.length * 20_000);
  });
});
