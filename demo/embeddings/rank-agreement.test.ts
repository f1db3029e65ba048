import { expect, it } from 'vitest';
import { pairsOf, ranks, spearman } from './rank-agreement';

it('ranks values, equal ones by the mean of their places', () => {
  expect([...ranks([30, 10, 20])]).toEqual([3, 1, 2]);
  expect([...ranks([5, 1, 5, 5])]).toEqual([3, 1, 3, 3]);
  expect([...ranks([])]).toEqual([]);
});

it("gives Spearman's rank correlation", () => {
  expect(spearman([1, 2, 3], [10, 20, 1000])).toBe(1);
  expect(spearman([1, 2, 3], [3, 2, 1])).toBe(-1);
  // 1 - 6 Σd² / (n (n² - 1)), with d = 1, -1, 0, 0, 0 of n = 5: 1 - 12 / 120.
  expect(spearman([1, 2, 3, 4, 5], [2, 1, 3, 4, 5])).toBeCloseTo(0.9, 12);
  // As scipy.stats.spearmanr([1, 2, 2, 4], [1, 3, 2, 4]).
  expect(spearman([1, 2, 2, 4], [1, 3, 2, 4])).toBeCloseTo(0.9486832980505138, 12);
  expect(spearman([1, 1, 1], [1, 2, 3])).toBeUndefined();
  expect(spearman([1], [1])).toBeUndefined();
});

it('takes each pair of a matrix once', () => {
  const all = Float32Array.from([1, 0.5, 0.25, 0.5, 1, 0.75, 0.25, 0.75, 1]);
  expect([...pairsOf(all, 3)]).toEqual([0.5, 0.25, 0.75]);
});
