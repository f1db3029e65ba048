import { expect, it } from 'vitest';
import { wordDiff } from './word-diff';

/** The words that differ. */
function differing(a: string, b: string): [string, string] {
  const [left, right] = [a.split(' '), b.split(' ')];
  const [isNewA, isNewB] = wordDiff(left, right);
  return [left.filter((_, i) => isNewA[i]).join(' '), right.filter((_, j) => isNewB[j]).join(' ')];
}

it('finds the words that two texts do not share', () => {
  expect(differing('the keys are here', 'the keys is here')).toEqual(['are', 'is']);
  expect(differing('the old dog barked', 'the dog barked loudly')).toEqual(['old', 'loudly']);
  expect(differing('a b c d e', 'a x c y e')).toEqual(['b d', 'x y']);
  expect(differing('same words', 'same words')).toEqual(['', '']);
  expect(differing('a a b', 'a b')).toEqual(['a', '']);
  expect(differing('one two', 'three')).toEqual(['one two', 'three']);
  expect(wordDiff([], ['a'])).toEqual([[], [true]]);
});

it('takes the middle of long texts as different where comparing would take long', () => {
  const middle = (word: string) => Array.from({ length: 2500 }, () => word);
  const [isNewA, isNewB] = wordDiff(
    ['same', ...middle('a'), 'x', ...middle('b'), 'end'],
    ['same', ...middle('c'), 'x', 'end'],
  );
  expect([isNewA.filter(Boolean).length, isNewB.filter(Boolean).length]).toEqual([5001, 2501]);
});
