import { expect, it } from 'vitest';
import { closestPair, similarities } from './heatmap';

const rows = [
  [3, 0],
  [0, 2],
  [5, 5],
  [-1, 0],
].map((row) => Float32Array.from(row));

it('gives the cosine of every pair, whatever the lengths of the vectors', () => {
  const cosines = similarities({ rows: 4, row: (i) => rows[i] });
  const half = Math.SQRT1_2;
  const expected = [
    [1, 0, half, -1],
    [0, 1, half, 0],
    [half, half, 1, -half],
    [-1, 0, -half, 1],
  ];
  cosines.forEach((line, i) => {
    line.forEach((cosine, j) => {
      expect(cosine).toBeCloseTo(expected[i][j], 12);
    });
  });
});

it('finds the closest pair of different texts', () => {
  const cosines = [
    [1, 0.2, -0.5],
    [0.2, 1, 0.7],
    [-0.5, 0.7, 1],
  ];
  expect(closestPair(cosines)).toEqual({ i: 1, j: 2, cosine: 0.7 });
  expect(closestPair([[1]])).toBeUndefined();
});
