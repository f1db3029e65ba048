import { expect, it } from 'vitest';
import { alikeOrder, closestPair, cosines } from './geometry';

it('gives the cosine of every pair, whatever the lengths of the vectors', () => {
  const half = Math.SQRT1_2;
  const expected = [1, 0, half, -1, 0, 1, half, 0, half, half, 1, -half, -1, 0, -half, 1];
  const all = cosines(Float32Array.of(3, 0, 0, 2, 5, 5, -1, 0), 4, 2);
  expected.forEach((cosine, i) => {
    expect(all[i]).toBeCloseTo(cosine, 6);
  });
  expect([...cosines(new Float32Array(2), 1, 2)]).toEqual([0]); // no direction, no NaN
});

const ALL = Float32Array.of(1, 0.2, -0.5, 0.2, 1, 0.75, -0.5, 0.75, 1);

it('finds the closest pair of different texts', () => {
  expect(closestPair(ALL, 3)).toEqual({ i: 1, j: 2, cosine: 0.75 });
  expect(closestPair(Float32Array.of(1), 1)).toBeUndefined();
});

it('puts like beside like', () => {
  const angles = [0, 1.6, 0.1, 1.7, 0.2, 1.5];
  const data = Float32Array.from(angles.flatMap((a) => [Math.cos(a), Math.sin(a)]));
  const order = alikeOrder(cosines(data, 6, 2), 6);
  expect(order.toSorted()).toEqual([0, 1, 2, 3, 4, 5]);
  expect(order.slice(0, 3).toSorted()).toEqual([0, 2, 4]);
});
