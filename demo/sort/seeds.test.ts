import { expect, it } from 'vitest';
import { dot, guess, softmax, unit, weightedSum } from './seeds';

const at = (degrees: number) =>
  Float32Array.of(Math.cos((degrees * Math.PI) / 180), Math.sin((degrees * Math.PI) / 180));
const bestOf = (row: number[]) => row.indexOf(Math.max(...row));

it('adds vectors by weight and gives them length 1', () => {
  expect([...weightedSum([Float32Array.of(1, 2), Float32Array.of(3, 4)], [2, -1], 2)]).toEqual([-1, 0]);
  expect([...unit(Float32Array.of(3, 4))]).toEqual([expect.closeTo(0.6), expect.closeTo(0.8)]);
  expect([...unit(new Float32Array(2))]).toEqual([0, 0]);
});

it('makes shares of numbers', () => {
  const [a, b] = softmax([2, 1], 0.5);
  expect(a).toBeCloseTo(1 / (1 + Math.exp(-2)), 10);
  expect(a + b).toBeCloseTo(1, 10);
  expect(softmax([1000, -1000], 0.01)).toEqual([1, 0]);
});

it('guesses from names alone', () => {
  const rows = guess([at(5), at(12), at(80), at(70)], [at(0), at(90)], [undefined, undefined, undefined, undefined]);
  expect(rows.map(bestOf)).toEqual([0, 0, 1, 1]);
  for (const row of rows) expect(row[0] + row[1]).toBeCloseTo(1, 10);
  expect(guess([], [at(0)], [])).toEqual([]);
});

it('is not misled by a name that is near to everything', () => {
  // The second name is nearer to all four, also to those of the first class.
  const documents = [at(30), at(34), at(50), at(54)];
  const names = [at(-20), at(44)];
  expect(documents.map((vector) => bestOf(names.map((name) => dot(vector, name))))).toEqual([1, 1, 1, 1]);
  const rows = guess(documents, names, [undefined, undefined, undefined, undefined]);
  expect(rows.map(bestOf)).toEqual([0, 0, 1, 1]);
});

it('follows labels where they say otherwise than the names', () => {
  const documents = [at(0), at(4), at(86), at(90)];
  const names = [at(10), at(80)];
  const open = [undefined, undefined, undefined, undefined];
  expect(guess(documents, names, open).map(bestOf)).toEqual([0, 0, 1, 1]);
  expect(guess(documents, names, [1, 1, undefined, 0]).map(bestOf)).toEqual([1, 1, 0, 0]);
});
