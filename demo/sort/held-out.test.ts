import { expect, it } from 'vitest';
import { evaluationOf, foldsOf, wilson } from './held-out';

const examples = (...targets: number[]) => targets.map((target, i) => ({ target, text: `text ${i}` }));

it('spreads every class over the parts, never all of one in a part', () => {
  expect(foldsOf(examples(0, 0, 1, 1))).toEqual({ fold: [0, 1, 0, 1], folds: 2 });
  const many = examples(...Array(12).fill(0), 1, 1);
  const { fold, folds } = foldsOf(many);
  expect(folds).toBe(5);
  expect(fold).toEqual([0, 1, 2, 3, 4, 0, 1, 2, 3, 4, 0, 1, 0, 1]);
});

it('keeps equal texts in one part', () => {
  const same = [...examples(0, 0, 0), { target: 0, text: 'text 1' }];
  expect(foldsOf(same).fold).toEqual([0, 1, 2, 1]);
});

it('has the interval of Wilson', () => {
  // Brown, Cai and DasGupta 2001: the centre is (x + z²/2) / (n + z²).
  expect(wilson(0.5, 10)).toEqual([expect.closeTo(0.2366, 4), expect.closeTo(0.7634, 4)]);
  expect(wilson(1, 6)).toEqual([expect.closeTo(0.6097, 4), 1]);
  expect(wilson(0, 6)).toEqual([0, expect.closeTo(0.3903, 4)]);
});

it('counts what was said of what', () => {
  const shares = [
    [0.9, 0.1, 0],
    [0.2, 0.8, 0],
    [0.3, 0.7, 0],
    [0.1, 0.9, 0],
  ];
  const evaluation = evaluationOf(['x', 'y', 'z'], examples(0, 0, 1, 1), shares, 2);
  expect(evaluation).toMatchObject({
    folds: 2,
    tested: 4,
    accuracy: 0.75,
    confusion: [
      [1, 1, 0],
      [0, 2, 0],
      [0, 0, 0],
    ],
    mistakes: [{ index: 1, label: 'y', score: 0.8 }],
  });
  expect(evaluation.labels.map(({ precision, recall }) => [precision, recall])).toEqual([
    [1, 0.5],
    [2 / 3, 1],
    [undefined, undefined],
  ]);
});
