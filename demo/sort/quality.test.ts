import { expect, it } from 'vitest';
import type { Evaluation } from '../../src/classifier';
import { qualityLine } from './quality';

const tested = { accuracy: 0.9286, accuracyInterval: [0.81, 0.984] } as Evaluation;
const labels = (...given: string[]) => new Map(given.map((label, i) => [String(i), label]));

it('says which labels are wanted', () => {
  expect(qualityLine(['a', 'b'], labels(), undefined, true)).toMatch(
    /^Guesses from the class names alone\. .* missing: a 2, b 2\.$/,
  );
  expect(qualityLine(['a', 'b'], labels('a', 'a', 'b'), undefined, true)).toMatch(
    /^3 labels so far\. .* missing: b 1\.$/,
  );
  expect(qualityLine(['a', 'b', 'c', 'd'], labels(), undefined, true)).toMatch(/c 2 and others\.$/);
});

it('says when there is nothing yet', () => {
  expect(qualityLine(['a', 'b'], labels(), undefined, false)).toMatch(/^Guesses come as the files are read\. Press/);
});

it('says how good the guesses are', () => {
  const line = qualityLine(['a', 'b'], labels('a', 'a', 'b', 'b'), tested, true);
  expect(line).toBe('4 labels so far. 93% right on held-out labels (81% to 98%).');
  expect(qualityLine(['a', 'b'], labels('a', 'a', 'b', 'b'), undefined, true)).toBe('4 labels so far.');
});
