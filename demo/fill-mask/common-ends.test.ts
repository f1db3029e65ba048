import { expect, it } from 'vitest';
import { commonEnds } from './common-ends';

it('counts what is the same at both ends, and nothing twice', () => {
  expect(commonEnds('a ship sails', 'a boat sails')).toEqual({ head: 2, tail: 6 });
  expect(commonEnds('aaa', 'aa')).toEqual({ head: 2, tail: 0 });
  expect(commonEnds(['a', 'b', 'c'], ['x', 'c'])).toEqual({ head: 0, tail: 1 });
  expect(commonEnds('', 'a')).toEqual({ head: 0, tail: 0 });
});
