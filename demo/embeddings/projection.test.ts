import { expect, it } from 'vitest';
import { pcaMap, umapMap } from './projection';

it('finds the two directions in which texts differ most', () => {
  // Along (3, 4, 0) / 5 by 10, along (0, 0, 1) by 2, nothing else; away from 0.
  const along = [-10, 10, 0, 0];
  const across = [0, 0, -2, 2];
  const data = Float32Array.from(along.flatMap((a, i) => [7 + 0.6 * a, 7 + 0.8 * a, 7 + across[i]]));
  const { points, variance } = pcaMap(data, 4, 3);
  const sign = Math.sign(points[1][0]);
  const other = Math.sign(points[3][1]);
  points.forEach(([x, y], i) => {
    expect(sign * x).toBeCloseTo(along[i], 4);
    expect(other * y).toBeCloseTo(across[i], 4);
  });
  expect(variance?.[0]).toBeCloseTo(200 / 208, 6);
  expect(variance?.[1]).toBeCloseTo(8 / 208, 6);
});

it('maps texts that are few or all the same', () => {
  expect(pcaMap(Float32Array.of(1, 2, 1, 2, 1, 2), 3, 2).points).toEqual([
    [0, 0],
    [0, 0],
    [0, 0],
  ]);
  const { points } = pcaMap(Float32Array.of(1, 0, 0, 1), 2, 2);
  expect(Math.abs(points[0][0] - points[1][0])).toBeCloseTo(Math.SQRT2, 6);
  expect(Math.hypot(points[0][1], points[1][1])).toBeCloseTo(0, 12);
});

it('keeps neighbours together, the same way every time', async () => {
  const dim = 6;
  const data = Float32Array.from({ length: 24 * dim }, (_, i) => {
    const [row, k] = [Math.floor(i / dim), i % dim];
    return (k === Math.floor(row / 12) ? 1 : 0) + 0.05 * Math.sin(9 * i);
  });
  const shares: number[] = [];
  const { points } = await umapMap(data, 24, dim, (share) => shares.push(share));
  const between = (a: number, b: number) => Math.hypot(points[a][0] - points[b][0], points[a][1] - points[b][1]);
  const nearest = (a: number) =>
    points
      .map((_, b) => b)
      .filter((b) => b !== a)
      .sort((b, c) => between(a, b) - between(a, c))[0];
  for (const a of points.keys()) expect(Math.floor(nearest(a) / 12)).toBe(Math.floor(a / 12));
  expect(shares.length).toBeGreaterThan(2);
  expect((await umapMap(data, 24, dim, () => {})).points).toEqual(points);
});
