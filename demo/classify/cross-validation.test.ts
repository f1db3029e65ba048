import { expect, it } from 'vitest';
import { classSizes, confidence, confusion, crossValidate, foldCount, stratifiedFolds } from './cross-validation';

it('spreads every class evenly over the folds, which are of one size', () => {
  const targets = [...Array(13).fill(0), ...Array(7).fill(1), ...Array(5).fill(2)];
  const fold = stratifiedFolds(targets, 3, 5);
  expect(classSizes(fold, 5)).toEqual([5, 5, 5, 5, 5]);
  for (const c of [0, 1, 2]) {
    const sizes = classSizes(
      fold.filter((_, i) => targets[i] === c),
      5,
    );
    expect(Math.max(...sizes) - Math.min(...sizes)).toBeLessThanOrEqual(1);
  }
  expect(stratifiedFolds(targets, 3, 5)).toEqual(fold);
});

it('takes as many folds as the smallest class allows', () => {
  expect(foldCount([0, 0, 0, 1, 1, 1, 1], 2)).toBe(3);
  expect(
    foldCount(
      Array.from({ length: 40 }, (_, i) => i % 2),
      2,
    ),
  ).toBe(5);
  expect(foldCount([0, 0, 1], 2)).toBe(0);
});

it('tests every example on a head that has not seen it', () => {
  // Each example has a feature of its own: only a head that was trained on it could know its class.
  const rows = 8;
  const features = new Float32Array(rows * rows).map((_, i) => (i % (rows + 1) === 0 ? 1 : 0));
  const targets = [0, 1, 0, 1, 0, 1, 0, 1];
  const done: number[] = [];
  const predicted = crossValidate({ features, dim: rows, targets, classes: 2 }, 4, (n) => done.push(n));
  expect(done).toEqual([1, 2, 3, 4]);
  const fold = stratifiedFolds(targets, 2, 4);
  for (const held of [0, 1, 2, 3]) {
    const said = new Set(predicted.filter((_, i) => fold[i] === held));
    expect(said.size).toBe(1); // unseen features look all the same
  }

  const apart = Float32Array.from(targets, (target, i) => target * 10 + i * 0.1);
  expect(crossValidate({ features: apart, dim: 1, targets, classes: 2 }, 4)).toEqual(targets);
});

it('counts what was taken for what', () => {
  const { counts, accuracy, precision, recall } = confusion([0, 0, 0, 1, 1, 2], [0, 0, 1, 1, 1, 0], 3);
  expect(counts).toEqual([
    [2, 1, 0],
    [0, 2, 0],
    [1, 0, 0],
  ]);
  expect(accuracy).toBeCloseTo(4 / 6);
  expect(precision).toEqual([2 / 3, 2 / 3, Number.NaN]);
  expect(recall).toEqual([2 / 3, 1, 0]);
});

it('gives the interval that tables give', () => {
  const [low, high] = confidence(0.9, 10); // Wilson 1927
  expect(low).toBeCloseTo(0.5958, 3);
  expect(high).toBeCloseTo(0.9821, 3);
});
