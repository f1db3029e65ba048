import { expect, it } from 'vitest';
import { turns } from '../turns';
import { crossValidate, foldCount, stratifiedFolds } from './cross-validation';

const pause = turns(undefined);
/** Examples of which no two have the same text. */
const groupsOf = (targets: number[], classes: number) => ({ targets, classes, firsts: [...targets.keys()] });
const sizes = (fold: number[], folds: number) =>
  Array.from({ length: folds }, (_, f) => fold.filter((held) => held === f).length);

it('spreads every class evenly over the folds, which are of one size', () => {
  const targets = [...Array(13).fill(0), ...Array(7).fill(1), ...Array(5).fill(2)];
  const fold = stratifiedFolds(groupsOf(targets, 3), 5);
  expect(sizes(fold, 5)).toEqual([5, 5, 5, 5, 5]);
  for (const c of [0, 1, 2]) {
    const of = sizes(
      fold.filter((_, i) => targets[i] === c),
      5,
    );
    expect(Math.max(...of) - Math.min(...of)).toBeLessThanOrEqual(1);
  }
  expect(stratifiedFolds(groupsOf(targets, 3), 5)).toEqual(fold);
});

it('keeps equal texts together', () => {
  const targets = [0, 0, 0, 1, 1, 1, 0, 1];
  const firsts = [0, 1, 2, 3, 4, 0, 2, 3];
  const fold = stratifiedFolds({ targets, classes: 2, firsts }, 3);
  expect(fold[5]).toBe(fold[0]);
  expect(fold[6]).toBe(fold[2]);
  expect(fold[7]).toBe(fold[3]);
  expect(new Set(fold.slice(0, 3)).size).toBe(3);
});

it('takes as many folds as the largest class has texts', () => {
  expect(foldCount(groupsOf([0, 0, 0, 1, 1, 1, 1], 2), 5)).toBe(4);
  expect(foldCount(groupsOf([0, 0, 1], 2), 5)).toBe(2);
  expect(foldCount(groupsOf([0, 1], 2), 5)).toBe(0);
  expect(foldCount(groupsOf([0, 0, 0, 0, 0, 0, 1], 2), 5)).toBe(5);
  expect(foldCount(groupsOf([0, 0, 0, 1], 2), 0)).toBe(0);
  expect(foldCount({ targets: [0, 0, 0, 1], classes: 2, firsts: [0, 0, 0, 3] }, 5)).toBe(0);
});

it('tests every example on a head that has not seen it', async () => {
  // Each example has a feature of its own: only a head that was trained on it could know its class.
  const rows = 8;
  const features = new Float32Array(rows * rows).map((_, i) => (i % (rows + 1) === 0 ? 1 : 0));
  const targets = [0, 1, 0, 1, 0, 1, 0, 1];
  const fold = stratifiedFolds(groupsOf(targets, 2), 4);
  const done: number[] = [];
  const examples = { features, dim: rows, targets, classes: 2 };
  const { tested, logits } = await crossValidate(examples, fold, 4, [0.01], pause, (n) => done.push(n));
  expect(done).toEqual([1, 2, 3, 4]);
  expect(tested).toEqual([0, 1, 2, 3, 4, 5, 6, 7]);
  for (const held of [0, 1, 2, 3]) {
    // Unseen features look all the same.
    const [first, ...others] = logits[0].filter((_, i) => fold[i] === held);
    for (const other of others) expect([...other]).toEqual([...first]);
  }

  const apart = Float32Array.from(targets, (target, i) => target * 10 + i * 0.1);
  const two = await crossValidate({ features: apart, dim: 1, targets, classes: 2 }, fold, 4, [0.01, 0.001], pause);
  for (const strength of two.logits) {
    expect(strength.map(([zero, one]) => (one > zero ? 1 : 0))).toEqual(targets);
  }
});

it('does not test an example whose class nothing else teaches', async () => {
  const targets = [0, 0, 1];
  const examples = { features: Float32Array.of(1, 0, 0.8, 0.6, 0, 1), dim: 2, targets, classes: 2 };
  const { tested, logits, cosines } = await crossValidate(examples, [0, 1, 0], 2, [0.01], pause);
  expect(tested).toEqual([0, 1]);
  expect(logits[0][2]).toHaveLength(0);
  // Example 0 beside the means (0.8, 0.6) of class 0 and none of class 1; example 1 beside (1, 0) and (0, 1).
  expect(cosines[0]).toBeCloseTo(0.8, 6);
  expect(cosines[1]).toBeCloseTo(0.8, 6);
  expect(cosines[2]).toBeNaN();
});
