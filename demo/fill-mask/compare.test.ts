import { expect, it } from 'vitest';
import { cautionOf, verdictOf } from './compare';
import type { Likelihood } from './likelihood';

const NONE = [0, 0];

const side = (bits: number, words: number, tokens = words): Likelihood => ({
  bits,
  words,
  tokens,
  bitsPerWord: bits / words,
  pseudoPerplexity: 2 ** (bits / tokens),
});

it('says which text is likelier, and by what factor', () => {
  expect(verdictOf([side(10, 5), side(13, 5)], NONE)).toBe('The first is 8.0 times as likely: 3.0 bits fewer.');
  expect(verdictOf([side(50, 5), side(10, 5)], NONE)).toBe(
    'The second is 1.1 trillion times as likely: 40.0 bits fewer.',
  );
  expect(verdictOf([side(10, 5), side(10.01, 5)], NONE)).toBe('Both are equally likely.');
});

it('warns of lengths that differ', () => {
  expect(cautionOf([side(10, 5), side(13, 5)], NONE)).toBe('');
  expect(cautionOf([side(10, 5), side(60, 6)], NONE)).toBe(
    'Their lengths differ: 5 and 6 tokens. Per word the first is likelier, too.',
  );
  // A mean over no words is none.
  expect(cautionOf([side(10, 5), side(6, 0, 2)], NONE)).toBe('Their lengths differ: 5 and 2 tokens.');
  expect(cautionOf([side(10, 5), side(11, 11)], NONE)).toBe(
    'Their lengths differ: 5 and 11 tokens. Per word the second is likelier, so the sums may just tell which text is longer.',
  );
});

it('does not compare texts of different masks, and says what to do', () => {
  const sides = [side(10, 5), side(8, 4)];
  expect(verdictOf(sides, [0, 1])).toBe('Texts with different masks cannot be compared.');
  expect(cautionOf(sides, [0, 1])).toBe(
    'The first has 0 masks, the second 1 mask. Masks are not scored: put words in their place.',
  );
  expect(verdictOf([side(10, 5), side(13, 5)], [1, 1])).toBe('The first is 8.0 times as likely: 3.0 bits fewer.');
  expect(cautionOf([side(10, 5), side(13, 5)], [1, 1])).toBe('Masks are not scored.');
  expect(cautionOf([side(10, 5), side(60, 6)], [2, 2])).toBe(
    'Their lengths differ: 5 and 6 tokens. Per word the first is likelier, too. Masks are not scored.',
  );
});
