import { expect, it } from 'vitest';
import { random } from './fixtures';
import { spansOf } from './spans';

const bounds = (pairs: [number, number][]) => ({
  lower: Float64Array.from(pairs, ([least]) => least),
  upper: Float64Array.from(pairs, ([, most]) => most),
});

it('the groups that may have one of the best rows, neighbours as one span', () => {
  const five = bounds([
    [0.1, 0.2],
    [0.8, 0.9],
    [0.7, 0.85],
    [0.3, 0.75],
    [0.2, 0.3],
  ]);
  expect(spansOf(five, 1, 150)).toEqual([{ from: 32, to: 96 }]); // the third may have the best: 0.85 > 0.8
  expect(spansOf(five, 2, 150)).toEqual([{ from: 32, to: 128 }]); // the fourth may be above 0.7
  expect(spansOf(five, 3, 150)).toEqual([{ from: 32, to: 150 }]); // 0.3 is the third; equal is not less
  expect(spansOf(five, 6, 150)).toEqual([{ from: 0, to: 150 }]); // five groups do not have six rows for certain
});

it('equal scores keep all groups, and what cannot be compared is searched', () => {
  expect(
    spansOf(
      bounds([
        [1, 1],
        [1, 1],
        [0, 0],
        [1, 1],
      ]),
      2,
      128,
    ),
  ).toEqual([
    { from: 0, to: 64 },
    { from: 96, to: 128 },
  ]);
  const unknown = bounds([
    [1, 1],
    [NaN, NaN],
    [0, 0],
    [1, 1],
  ]);
  expect(spansOf(unknown, 1, 128)).toEqual([
    { from: 0, to: 64 },
    { from: 96, to: 128 },
  ]);
});

it('never leaves out one of the best rows, whatever the error of the bounds', () => {
  const next = random(2);
  for (let trial = 0; trial < 200; trial++) {
    const count = 1 + Math.floor((next() + 1) * 400);
    const scores = Array.from({ length: count }, () => Math.round(next() * 50) / 50);
    const groups = Array.from({ length: Math.ceil(count / 32) }, (_, g): [number, number] => {
      const most = Math.max(...scores.slice(g * 32, g * 32 + 32));
      return [most - 0.1 * (next() + 1), most + 0.1 * (next() + 1)];
    });
    const topK = 1 + Math.floor((next() + 1) * 10);
    const spans = spansOf(bounds(groups), topK, count);
    const best = scores.map((score, row) => ({ score, row })).sort((a, b) => b.score - a.score || a.row - b.row);
    for (const { row } of best.slice(0, topK)) {
      expect(spans.some(({ from, to }) => row >= from && row < to)).toBe(true);
    }
  }
});
