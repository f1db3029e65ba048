import { expect, it } from 'vitest';
import { likelihoodOf, powerOfTwo } from './likelihood';

const word = (bits: number[], isWord = true, tokens = bits.length) => ({
  start: 0,
  end: 1,
  bits,
  isWord,
  tokens: Array.from({ length: tokens }, (_, t) => t),
});

it('adds the bits of all tokens, and means those of words over words and those of tokens over tokens', () => {
  // Probabilities 1/2, 1/4 · 1/8, 1/4 and, of a full stop, 1: a product of 2 ** -8 over five tokens in three words.
  const { bits, words, tokens, bitsPerWord, pseudoPerplexity } = likelihoodOf([
    word([1]),
    word([2, 3]),
    word([2]),
    word([0], false),
  ]);
  expect([bits, words, tokens]).toEqual([8, 3, 5]);
  expect(bitsPerWord).toBeCloseTo(8 / 3);
  expect(pseudoPerplexity).toBeCloseTo((2 ** 8) ** (1 / 5)); // the inverse of the geometric mean
});

it('leaves out what has no bits yet', () => {
  expect(likelihoodOf([word([1]), word([1], true, 2), word([], true, 1)])).toMatchObject({
    bits: 1,
    words: 1,
    tokens: 1,
  });
  expect(likelihoodOf([])).toMatchObject({ bits: 0, words: 0, tokens: 0, bitsPerWord: Number.NaN });
});

it('writes powers of two for people', () => {
  expect([0, 0.5, 3, 4, 13, 30, 40, 70, 5000].map(powerOfTwo)).toEqual([
    '1.0',
    '1.4',
    '8.0',
    '16',
    '8,190',
    '1.1 billion',
    '1.1 trillion',
    '10²¹',
    '10¹⁵⁰⁵',
  ]);
});
