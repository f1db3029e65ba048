import { expect, it } from 'vitest';
import { agreement } from './agreement';

it('finds the words that both lists have, and whether they begin alike', () => {
  expect(agreement(['Paris', 'Rome', 'Oslo'], ['Paris', 'Oslo', 'Bonn'])).toEqual({
    sameFirst: true,
    shared: ['Paris', 'Oslo'],
  });
  expect(agreement(['Rome', 'Paris'], ['Paris', 'Rome'])).toEqual({ sameFirst: false, shared: ['Rome', 'Paris'] });
  expect(agreement(['a', 'a'], ['a'])).toEqual({ sameFirst: true, shared: ['a'] });
  expect(agreement([], [])).toEqual({ sameFirst: false, shared: [] });
});
