import { expect, it } from 'vitest';
import { pcaMap, umapMap } from './projection';

const xs = (points: Float32Array) => points.filter((_, i) => i % 2 === 0);
const ys = (points: Float32Array) => points.filter((_, i) => i % 2 === 1);

it('finds the two directions in which texts differ most', () => {
  // Along (3, 4, 0) / 5 by 10, along (0, 0, 1) by 2, nothing else; away from 0.
  const along = [-10, 10, 0, 0];
  const across = [0, 0, -2, 2];
  const data = Float32Array.from(along.flatMap((a, i) => [7 + 0.6 * a, 7 + 0.8 * a, 7 + across[i]]));
  const { points, variance } = pcaMap({ data, rows: 4, dim: 3 });
  const sign = Math.sign(points[2]);
  const other = Math.sign(points[7]);
  along.forEach((a, i) => {
    expect(sign * xs(points)[i]).toBeCloseTo(a, 4);
    expect(other * ys(points)[i]).toBeCloseTo(across[i], 4);
  });
  expect(variance?.[0]).toBeCloseTo(200 / 208, 6);
  expect(variance?.[1]).toBeCloseTo(8 / 208, 6);
});

it('finds them on some of many texts', () => {
  const rows = 2000;
  const data = Float32Array.from(
    { length: 3 * rows },
    (_, i) => [0, 5, 2][i % 3] * Math.sin(Math.floor(i / 3) * (1 + (i % 3))),
  );
  const { points } = pcaMap({ data, rows, dim: 3 });
  for (const i of [0, 1, 777, 1999]) {
    expect(Math.abs(points[2 * i])).toBeCloseTo(Math.abs(data[3 * i + 1]), 0);
    expect(Math.abs(points[2 * i + 1])).toBeCloseTo(Math.abs(data[3 * i + 2]), 0);
  }
});

it('maps texts that are few or all the same', () => {
  expect([...pcaMap({ data: Float32Array.of(1, 2, 1, 2, 1, 2), rows: 3, dim: 2 }).points].map(Math.abs)).toEqual([
    0, 0, 0, 0, 0, 0,
  ]);
  const { points } = pcaMap({ data: Float32Array.of(1, 0, 0, 1), rows: 2, dim: 2 });
  expect(Math.abs(points[0] - points[2])).toBeCloseTo(Math.SQRT2, 6);
  expect(Math.hypot(points[1], points[3])).toBeCloseTo(0, 6);
});

it('keeps neighbours together, the same way every time, also of int8', () => {
  const dim = 6;
  const values = Array.from({ length: 24 * dim }, (_, i) => {
    const [row, k] = [Math.floor(i / dim), i % dim];
    return (k === Math.floor(row / 12) ? 1 : 0) + 0.05 * Math.sin(9 * i);
  });
  for (const data of [Float32Array.from(values), Int8Array.from(values, (value) => 100 * value)]) {
    const shares: number[] = [];
    const { points } = umapMap({ data, rows: 24, dim }, (share) => shares.push(share));
    const between = (a: number, b: number) =>
      Math.hypot(points[2 * a] - points[2 * b], points[2 * a + 1] - points[2 * b + 1]);
    for (let a = 0; a < 24; a++) {
      const others = Array.from({ length: 24 }, (_, b) => b).filter((b) => b !== a);
      const [nearest] = others.sort((b, c) => between(a, b) - between(a, c));
      expect(Math.floor(nearest / 12)).toBe(Math.floor(a / 12));
    }
    expect(shares.length).toBeGreaterThanOrEqual(2);
    expect(shares).toEqual(shares.toSorted((a, b) => a - b));
    expect(umapMap({ data, rows: 24, dim }, () => {}).points).toEqual(points);
  }
});
