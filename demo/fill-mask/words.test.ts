import { expect, it } from 'vitest';
import type { Tokens } from '../../src/index';
import { maskedCopies } from './surprise';
import { restOf, wordsOf } from './words';

const given = (parts: [token: string, start: number, end: number][]): Tokens => ({
  ids: Uint32Array.from(parts.keys()),
  tokens: parts.map(([token]) => token),
  offsets: parts.map(([, start, end]) => [start, end]),
  wordIds: new Int32Array(parts.length),
  sequenceIds: new Int32Array(parts.length),
  tokenTypeIds: new Uint32Array(parts.length),
});

const TEXT = "It's un believable, [MASK] 東京!";
const TOKENS = given([
  ['[CLS]', 0, 0],
  ['It', 0, 2],
  ["'s", 2, 4],
  ['Ġun', 4, 7],
  ['Ġbeliev', 7, 14],
  ['able', 14, 18],
  [',', 18, 19],
  ['[MASK]', 19, 26],
  ['Ġ東', 26, 28],
  ['京', 28, 29],
  ['!', 29, 30],
  ['[SEP]', 0, 0],
]);

it('gives every word all its tokens, and leaves out punctuation, masks and special tokens', () => {
  const words = wordsOf(TEXT, TOKENS, '[MASK]');
  expect(words.map(({ start, end }) => TEXT.slice(start, end))).toEqual(["It's", 'un', 'believable', '東京']);
  expect(words.map(({ tokens }) => tokens)).toEqual([[1, 2], [3], [4, 5], [8, 9]]);
});

it('leaves punctuation to itself, so that every token is somewhere but masks and special tokens', () => {
  const rest = restOf(TOKENS, wordsOf(TEXT, TOKENS, '[MASK]'), '[MASK]');
  expect(rest).toEqual([
    { start: 18, end: 19, tokens: [6] },
    { start: 29, end: 30, tokens: [10] },
  ]);
  const smile = given([
    ['a', 0, 1],
    ['Ġð', 1, 4],
    ['Ł', 2, 4],
    ['!', 4, 5],
  ]);
  expect(restOf(smile, [{ start: 0, end: 1, tokens: [0] }], undefined)).toEqual([
    { start: 1, end: 4, tokens: [1, 2] },
    { start: 4, end: 5, tokens: [3] },
  ]);
});

it('makes one word of words that share a token', () => {
  const words = wordsOf('of the', given([['of the', 0, 6]]), undefined);
  expect(words).toEqual([{ start: 0, end: 6, tokens: [0] }]);
});

it('masks each token of a word with those after it, and keeps those before it', () => {
  const words = wordsOf(TEXT, TOKENS, '[MASK]').slice(2, 3);
  const copies = maskedCopies(TOKENS, words, 99);
  expect(copies.map(({ ids, row, target }) => [[...ids], row, target])).toEqual([
    [[0, 1, 2, 3, 99, 99, 6, 7, 8, 9, 10, 11], 4, 4],
    [[0, 1, 2, 3, 4, 99, 6, 7, 8, 9, 10, 11], 5, 5],
  ]);
});

it('cuts a long text around the word, between the special tokens', () => {
  const long = given([
    ['[CLS]', 0, 0],
    ...Array.from({ length: 1000 }, (_, i): [string, number, number] => ['a', 2 * i, 2 * i + 1]),
    ['[SEP]', 0, 0],
  ]);
  const [copy] = maskedCopies(long, [{ start: 998, end: 999, tokens: [500] }], 2000);
  expect([copy.ids[0], copy.ids[1], copy.ids.at(-2), copy.ids.at(-1)]).toEqual([0, 372, 628, 1001]);
  expect(copy.ids[copy.row]).toBe(2000);
});
