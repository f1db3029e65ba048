import { expect, it } from 'vitest';
import { cellAt, cellsOf, movedBy, spread } from './strip';

const cells = cellsOf([10, 30, 60]);

it('cells are as long as their texts', () => {
  expect(cells).toEqual([
    { at: 0, size: 0.1 },
    { at: 0.1, size: 0.3 },
    { at: 0.4, size: 0.6 },
  ]);
  expect(cellsOf([7])).toEqual([{ at: 0, size: 1 }]);
});

it('finds the cell of a point', () => {
  expect([-1, 0, 0.09, 0.1, 0.399, 0.4, 1, 2].map((point) => cellAt(cells, point))).toEqual([0, 0, 0, 1, 1, 2, 2, 2]);
});

it('moves by keys, and stays on the strip', () => {
  expect(movedBy('ArrowDown', 0, 3)).toBe(1);
  expect(movedBy('ArrowRight', 2, 3)).toBe(2);
  expect(movedBy('ArrowUp', 0, 3)).toBe(0);
  expect(movedBy('ArrowLeft', 2, 3)).toBe(1);
  expect(movedBy('PageDown', 3, 30)).toBe(13);
  expect(movedBy('PageUp', 3, 30)).toBe(0);
  expect(movedBy('Home', 2, 3)).toBe(0);
  expect(movedBy('End', 0, 3)).toBe(2);
  expect(movedBy('x', 1, 3)).toBeUndefined();
});

it('moves labels apart that would cover each other', () => {
  expect(spread([0.5, 0.2, 0.9], 0.1)).toEqual([0.5, 0.2, 0.9]);
  for (const [points, moved] of [
    [
      [0.5, 0.45, 0.52],
      [0.55, 0.45, 0.65],
    ],
    [
      [0.99, 0.95],
      [1, 0.9],
    ],
    [[], []],
  ]) {
    const found = spread(points, 0.1);
    expect(found.length).toBe(moved.length);
    for (const [i, point] of found.entries()) expect(point).toBeCloseTo(moved[i], 9);
  }
});
