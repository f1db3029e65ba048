import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { createTokenizer } from './tokenizer';

const read = (name: string) =>
  JSON.parse(readFileSync(new URL(`../reference/fixtures/token-classifier/${name}`, import.meta.url), 'utf8'));
const tokenizer = createTokenizer(read('tokenizer.json'), read('tokenizer_config.json'));

/** Expected: input_ids, word_ids() with -1 for None, offsets, as transformers 5.24 gives them. */
const WORDS = ['Zoë', 'flew', 'to', 'Paris.', "don't", '[MASK]'];

it('numbers words as the pre-tokenizer makes them, and added tokens with them', () => {
  const texts = ['The Seine crosses Paris.', 'Zażółć gęślą — naïve [MASK] café, ½', 'a  b\n c'];
  const expected = [
    [-1, 0, 1, 1, 1, 1, 2, 2, 2, 2, 3, 4, -1],
    [
      -1, 0, 0, 0, 0, 0, 0, 0, 0, 1, 1, 1, 1, 1, 1, 1, 1, 1, 2, 2, 2, 2, 3, 3, 3, 3, 3, 3, 4, 5, 5, 5, 5, 6, 7, 7, 7,
      -1,
    ],
    [-1, 0, 1, 2, 3, 4, -1],
  ];
  for (const [i, text] of texts.entries()) {
    const { wordIds, sequenceIds } = tokenizer.encode(text);
    expect([...wordIds]).toEqual(expected[i]);
    expect([...sequenceIds]).toEqual(expected[i].map((word) => Math.min(word, 0)));
  }
});

it('encodes words one by one, without a space before them, and offsets into each', () => {
  const { ids, wordIds, offsets } = tokenizer.encode(WORDS);
  expect([...ids]).toEqual([376, 57, 78, 127, 104, 69, 75, 374, 83, 78, 304, 269, 13, 309, 77, 6, 83, 379, 377]);
  expect([...wordIds]).toEqual([-1, 0, 0, 0, 0, 1, 1, 1, 2, 2, 3, 3, 3, 4, 4, 4, 4, 5, -1]);
  expect(offsets).toEqual([
    [0, 0],
    [0, 1],
    [1, 2],
    [2, 3],
    [2, 3],
    [0, 1],
    [1, 2],
    [2, 4],
    [0, 1],
    [1, 2],
    [0, 3],
    [3, 5],
    [5, 6],
    [0, 2],
    [2, 3],
    [3, 4],
    [4, 5],
    [0, 6],
    [0, 0],
  ]);
});

it('encodes pairs of word lists, and cuts them', () => {
  const { ids, wordIds, sequenceIds } = tokenizer.encode(WORDS, ['a', 'b c']);
  expect([...ids]).toEqual([
    376, 57, 78, 127, 104, 69, 75, 374, 83, 78, 304, 269, 13, 309, 77, 6, 83, 379, 377, 64, 65, 257, 377,
  ]);
  expect([...wordIds]).toEqual([-1, 0, 0, 0, 0, 1, 1, 1, 2, 2, 3, 3, 3, 4, 4, 4, 4, 5, -1, 0, 1, 1, -1]);
  expect([...sequenceIds]).toEqual([-1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, -1, 1, 1, 1, -1]);
  expect([...tokenizer.encode(WORDS, undefined, 7).wordIds]).toEqual([-1, 0, 0, 0, 0, 1, -1]);
});
