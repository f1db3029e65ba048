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

it('does not count what a document itself gives to the mean of a class', () => {
  const names = [at(45), at(45)]; // tell nothing
  const rows = guess([at(0), at(90)], names, [0, 1], 0.5);
  // Around their centre the two are opposite: -1 to the other, and without itself its own class has nothing.
  const sure = 1 / (1 + Math.exp(-1 / 0.5));
  expect(rows).toEqual([
    [expect.closeTo(sure), expect.closeTo(1 - sure)],
    [expect.closeTo(1 - sure), expect.closeTo(sure)],
  ]);
});

it('adds the cosine with the mean of the others and that with the name, at a temperature', () => {
  const documents = [at(0), at(20), at(100), at(70)];
  const names = [at(10), at(75)];
  const cosines = documents.map((one) => names.map((name) => dot(one, name)));
  const byName = cosines.map((row) => row.map((x, c) => x - cosines.reduce((sum, other) => sum + other[c], 0) / 4));
  const shares = byName.map((row) => softmax(row, 0.03));
  const centre = weightedSum(documents, [0.25, 0.25, 0.25, 0.25], 2);
  const around = documents.map((one) => unit(one.map((x, d) => x - centre[d])));
  const expected = documents.map((_, i) => {
    const meanOf = (c: number) =>
      weightedSum(
        around,
        shares.map((row, j) => (j === i ? 0 : row[c])),
        2,
      );
    return softmax(
      names.map((_, c) => dot(around[i], unit(meanOf(c))) + byName[i][c]),
      0.15,
    );
  });
  const rows = guess(documents, names, [undefined, undefined, undefined, undefined]);
  expect(rows.flat()).toEqual(expected.flat().map((share) => expect.closeTo(share, 5)));
  expect(rows.map(bestOf)).toEqual([0, 0, 1, 1]);
});

it('follows labels where they say otherwise than the names', () => {
  const documents = [at(0), at(4), at(86), at(90)];
  const names = [at(10), at(80)];
  const open = [undefined, undefined, undefined, undefined];
  expect(guess(documents, names, open).map(bestOf)).toEqual([0, 0, 1, 1]);
  expect(guess(documents, names, [1, 1, undefined, 0]).map(bestOf)).toEqual([1, 1, 0, 0]);
});
