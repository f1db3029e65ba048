import { expect, it } from 'vitest';
import { confidence, evaluate, untested } from './evaluation';

const given = { labels: ['a', 'b', 'c'], targets: [0, 0, 0, 1, 1, 2, 2], duplicates: [2], conflicts: [] };

it('counts what was taken for what', () => {
  const said = [0, 0, 1, 1, 1, 0];
  const shares = said.map((c) => Float64Array.from({ length: 3 }, (_, i) => (i === c ? 0.8 : 0.1)));
  const evaluation = evaluate(given, 5, [0, 1, 2, 3, 4, 5], shares);
  expect(evaluation.confusion).toEqual([
    [2, 1, 0],
    [0, 2, 0],
    [1, 0, 0],
  ]);
  expect(evaluation).toMatchObject({ folds: 5, examples: 7, tested: 6, accuracy: 4 / 6, duplicates: [2] });
  expect(evaluation.accuracyInterval).toEqual(confidence(4 / 6, 6));
  expect(evaluation.labels).toEqual([
    { label: 'a', examples: 3, support: 3, precision: 2 / 3, recall: 2 / 3, f1: 2 / 3 },
    { label: 'b', examples: 2, support: 2, precision: 2 / 3, recall: 1, f1: 4 / 5 },
    { label: 'c', examples: 2, support: 1, recall: 0, f1: 0 },
  ]);
  expect(evaluation.macroF1).toBeCloseTo((2 / 3 + 4 / 5 + 0) / 3, 12);
  expect(evaluation.mistakes).toEqual([
    { index: 2, label: 'b', score: 0.8 },
    { index: 5, label: 'a', score: 0.8 },
  ]);
  expect(evaluation.logLoss).toBeCloseTo(-(4 * Math.log(0.8) + 2 * Math.log(0.1)) / 6, 12);
  expect(evaluation.calibrationError).toBeCloseTo(0.8 - 4 / 6, 12);
});

it('says why nothing was tested', () => {
  const evaluation = untested(given, 'No pairs.');
  expect(evaluation).toMatchObject({ folds: 0, reason: 'No pairs.', examples: 7, tested: 0 });
  expect(evaluation.accuracy).toBeUndefined();
  expect(evaluation.labels[0]).toEqual({ label: 'a', examples: 3, support: 0 });
});

it('gives the interval that tables give', () => {
  const [low, high] = confidence(0.9, 10); // Wilson 1927
  expect(low).toBeCloseTo(0.5958, 3);
  expect(high).toBeCloseTo(0.9821, 3);
});
