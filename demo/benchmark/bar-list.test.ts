import { expect, it } from 'vitest';
import { decades, sharesOf } from './bar-list';

it('places values from zero', () => {
  expect(sharesOf([5, 10, undefined, 2.5], 'linear')).toEqual([0.5, 1, undefined, 0.25]);
  expect(sharesOf([undefined], 'linear')).toEqual([undefined]);
});

it('places values between the powers of ten around them', () => {
  expect(decades([0.6, 2566])).toEqual([-1, 4]);
  expect(sharesOf([0.1, 1000, undefined, 10], 'log')).toEqual([0, 1, undefined, 0.5]);
  expect(decades([10, 10])).toEqual([1, 2]); // never of no width
});
