import { expect, it } from 'vitest';
import { windowsOf } from './windows';

const own = (tokens: number[], room: number, overlap: number) =>
  windowsOf(tokens, room, overlap).map(({ ownFrom, ownTo }) => [ownFrom, ownTo]);
const read = (tokens: number[], room: number, overlap: number) =>
  windowsOf(tokens, room, overlap).map(({ from, to, tokens }) => [from, to, tokens]);

it('one window reads all that fits', () => {
  expect(windowsOf([3, 4, 3], 10, 4)).toEqual([{ from: 0, to: 3, ownFrom: 0, ownTo: 3, tokens: 10 }]);
  expect(windowsOf([], 10, 4)).toEqual([]);
});

it('neighbours overlap, and a passage belongs to the one that reads more around it', () => {
  const tokens = [2, 2, 2, 2, 2, 2, 2, 2];
  expect(read(tokens, 10, 4)).toEqual([
    [0, 5, 10],
    [3, 8, 10],
  ]);
  expect(own(tokens, 10, 4)).toEqual([
    [0, 4],
    [4, 8],
  ]);
});

it('goes on where there is no room for an overlap', () => {
  expect(read([9, 9, 9], 10, 5)).toEqual([
    [0, 1, 9],
    [1, 2, 9],
    [2, 3, 9],
  ]);
  // Passage 1 could be shared, but then the next window would not reach passage 2.
  expect(read([2, 3, 9], 10, 4)).toEqual([
    [0, 2, 5],
    [2, 3, 9],
  ]);
});

it('gives every passage to one window that reads it, whatever the sizes', () => {
  const sizes = Array.from({ length: 400 }, (_, i) => 1 + ((i * 7919) % 60));
  for (const room of [60, 64, 200, 1000]) {
    const windows = windowsOf(sizes, room, room / 4);
    expect(windows.flatMap(({ ownFrom, ownTo }) => sizes.slice(ownFrom, ownTo))).toEqual(sizes);
    for (const { from, to, ownFrom, ownTo, tokens } of windows) {
      expect(from <= ownFrom && ownFrom <= ownTo && ownTo <= to).toBe(true);
      expect(tokens).toBe(sizes.slice(from, to).reduce((a, b) => a + b));
      expect(tokens).toBeLessThanOrEqual(room);
    }
  }
});
