import { expect, it } from 'vitest';
import { cautionOf, verdictOf } from './compare';
import type { Likelihood } from './likelihood';

const side = (bits: number, words: number, tokens = words): Likelihood => ({
  bits,
  words,
  tokens,
  bitsPerWord: bits / words,
  pseudoPerplexity: 2 ** (bits / tokens),
});

it('says which text is likelier, and by what factor', () => {
  expect(verdictOf([side(10, 5), side(13, 5)])).toBe('The first is 8.0 times as likely: 3.0 bits fewer.');
  expect(verdictOf([side(50, 5), side(10, 5)])).toBe('The second is 1.1 trillion times as likely: 40.0 bits fewer.');
  expect(verdictOf([side(10, 5), side(10.01, 5)])).toBe('Both are equally likely.');
});

it('warns of lengths that differ', () => {
  expect(cautionOf([side(10, 5), side(13, 5)])).toBe('');
  expect(cautionOf([side(10, 5), side(60, 6)])).toBe(
    'Their lengths differ: 5 and 6 tokens. Per word the first is likelier, too.',
  );
  // A mean over no words is none.
  expect(cautionOf([side(10, 5), side(6, 0, 2)])).toBe('Their lengths differ: 5 and 2 tokens.');
  expect(cautionOf([side(10, 5), side(11, 11)])).toBe(
    'Their lengths differ: 5 and 11 tokens. Per word the second is likelier, so the sums may just tell which text is longer.',
  );
});
