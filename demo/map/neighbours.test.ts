import { expect, it } from 'vitest';
import { seededRandom } from '../../src/seeded-random';
import { nearestNeighbours } from './neighbours';

it('finds each row first, then its nearest, with distances', () => {
  const { indices, distances } = nearestNeighbours(Float32Array.of(0, 0, 3, 4, 0, 1), 3, 2, 3);
  expect(indices).toEqual([
    [0, 2, 1],
    [1, 2, 0],
    [2, 0, 1],
  ]);
  expect(distances[0]).toEqual([0, 1, 5]);
  expect(distances[1][1]).toBeCloseTo(Math.sqrt(18), 6);
});

it('puts a row first also where others are the same', () => {
  const { indices } = nearestNeighbours(new Float32Array(8), 4, 2, 2);
  expect(indices.map(([first]) => first)).toEqual([0, 1, 2, 3]);
});

it('finds nearly all neighbours of many rows', () => {
  const [rows, dim, k] = [4000, 4, 10];
  const random = seededRandom(7);
  const data = Float32Array.from({ length: rows * dim }, random);
  const { indices } = nearestNeighbours(data, rows, dim, k);
  let found = 0;
  for (let i = 0; i < rows; i += 40) {
    const distance = (j: number) => {
      let sum = 0;
      for (let d = 0; d < dim; d++) sum += (data[i * dim + d] - data[j * dim + d]) ** 2;
      return sum;
    };
    const nearest = Array.from({ length: rows }, (_, j) => ({ j, distance: distance(j) }))
      .sort((a, b) => a.distance - b.distance)
      .slice(0, k);
    found += nearest.filter(({ j }) => indices[i].includes(j)).length;
  }
  expect(found / 1000).toBeGreaterThan(0.95);
});

it('finds as many as are asked for also among rows far from all others', () => {
  const rows = 4000;
  const data = Float32Array.from({ length: rows }, (_, i) => (i < 60 ? 1000 * 2 ** i : (i % 100) / 100));
  const { indices } = nearestNeighbours(data, rows, 1, 15);
  expect(indices.every((list) => list.length === 15 && new Set(list).size === 15)).toBe(true);
});
