import { expect, it } from 'vitest';
import { batchOf } from './engine';

const documents = (...lengths: number[]) =>
  lengths.map((n, i) => ({ hash: String(i), names: [], text: 'x'.repeat(n) }));

it('embeds so much at a time that guesses come in soon', () => {
  expect(batchOf(documents(...Array(40).fill(10)))).toHaveLength(16);
  expect(batchOf(documents(9000, 9000, 9000))).toHaveLength(2);
  expect(batchOf(documents(500_000, 10))).toHaveLength(1); // one is always taken
  expect(batchOf(documents(10, 10))).toHaveLength(2);
  expect(batchOf([])).toEqual([]);
});
