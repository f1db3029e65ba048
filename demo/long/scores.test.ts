import { expect, it } from 'vitest';
import { cosinesTo, meanDirection, nextBest, ranked, shares } from './scores';

it('cosines of rows to a vector, and to their mean', () => {
  const rows = { data: Float32Array.of(1, 0, 0, 1, 0.6, 0.8), dim: 2 };
  const cosines = cosinesTo(Float32Array.of(0.6, 0.8), rows);
  for (const [i, value] of [0.6, 0.8, 1].entries()) expect(cosines[i]).toBeCloseTo(value, 6);
  const mean = meanDirection(rows);
  // (1.6, 1.8) of length 1
  expect(mean[0]).toBeCloseTo(0.6644, 4);
  expect(mean[1]).toBeCloseTo(0.7474, 4);
  expect([...meanDirection({ data: Float32Array.of(1, -1), dim: 1 })]).toEqual([0]);
});

it('ranks, and walks from the best to the last and round again', () => {
  const order = ranked([0.2, 0.9, 0.5, 0.9]);
  expect(order).toEqual([1, 3, 2, 0]);
  expect(nextBest(order, undefined)).toBe(1);
  expect(nextBest(order, 1)).toBe(3);
  expect(nextBest(order, 2)).toBe(0);
  expect(nextBest(order, 0)).toBe(1);
});

it('colours from the median to the best', () => {
  expect(shares([0.2, 0.4, 0.3])).toEqual([0, 1, 0]);
  const even = shares([0.1, 0.3, 0.5, 0.9], 0.5);
  // The median is 0.4.
  for (const [i, share] of [0, 0, 0.1, 0.5].entries()) expect(even[i]).toBeCloseTo(share, 9);
  expect(shares([0.7])).toEqual([1]);
  expect(shares([0.7, 0.7])).toEqual([1, 1]);
});
