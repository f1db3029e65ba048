import { expect, it } from 'vitest';
import { classMeans, nearest, percentilesOf, rankOf } from './typicality';

it('has the mean of every class, of unit length', () => {
  const features = Float32Array.of(1, 0, 0, 1, 0, 2);
  const means = classMeans({ features, dim: 2, targets: [0, 0, 1], classes: 3 });
  const half = Math.SQRT1_2;
  for (const [i, value] of [half, half, 0, 1, 0, 0].entries()) expect(means[i]).toBeCloseTo(value, 6);
  expect(nearest(means, Float32Array.of(3, 4))).toBeCloseTo((3 * half + 4 * half) / 5, 6);
  expect(nearest(means, Float32Array.of(0, -1))).toBe(0); // the class without examples
});

it('ranks a cosine among others', () => {
  const percentiles = percentilesOf(Float64Array.of(0.5, 0.1, 0.3, 0.2, 0.4));
  expect(percentiles).toHaveLength(101);
  for (const [step, value] of [
    [0, 0.1],
    [25, 0.2],
    [30, 0.22],
    [50, 0.3],
    [100, 0.5],
  ]) {
    expect(percentiles[step]).toBeCloseTo(value, 12);
  }
  expect(rankOf(percentiles, 0.05)).toBe(0);
  expect(rankOf(percentiles, 0.1)).toBe(0);
  expect(rankOf(percentiles, 0.22)).toBeCloseTo(0.3, 12);
  expect(rankOf(percentiles, 0.45)).toBeCloseTo(0.875, 12);
  expect(rankOf(percentiles, 0.6)).toBe(1);
  expect(rankOf(percentilesOf(Float64Array.of(0.3)), 0.3)).toBe(0);
  expect(rankOf(percentilesOf(Float64Array.of(0.3)), 0.4)).toBe(1);
});
