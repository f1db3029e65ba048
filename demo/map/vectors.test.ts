import { expect, it } from 'vitest';
import { nearestRows, unitRows } from './vectors';

it('makes rows of length 1, and leaves one of zeros', () => {
  const unit = unitRows({ data: Int8Array.of(3, 4, 0, 0, 0, -9), rows: 3, dim: 2 });
  expect([...unit].map((value) => Math.round(1e6 * value) / 1e6)).toEqual([0.6, 0.8, 0, 0, 0, -1]);
});

it('finds the nearest rows by cosine, whatever their lengths', () => {
  const vectors = { data: Float32Array.of(1, 0, 0, 5, 3, 3, 20, 1, -1, 0), rows: 5, dim: 2 };
  const near = nearestRows(vectors, 0, 3);
  expect(near.map(({ j }) => j)).toEqual([3, 2, 1]);
  expect(near[1].cosine).toBeCloseTo(Math.SQRT1_2, 6);
  expect(nearestRows(vectors, 4, 10).map(({ j }) => j)).toEqual([1, 2, 3, 0]);
  expect(nearestRows({ data: new Float32Array(4), rows: 2, dim: 2 }, 0, 1)).toEqual([{ j: 1, cosine: 0 }]);
});
