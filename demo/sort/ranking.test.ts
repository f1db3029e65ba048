import { expect, it } from 'vitest';
import { lacking, leastSureFirst, margin, type Score } from './ranking';

const scores = (...shares: number[]): Score[] => shares.map((score, i) => ({ label: 'abc'[i], score }));

it('knows how far the best class is ahead', () => {
  expect(margin(scores(0.5, 0.3, 0.2))).toBeCloseTo(0.2, 10);
  expect(margin(scores(1))).toBe(1);
});

it('puts what it is least sure of first, what has no guess and what has a label last', () => {
  const documents = ['labelled', 'sure', 'none', 'unsure', 'tie'].map((hash) => ({ hash }));
  const known = new Map([
    ['labelled', scores(0.51, 0.49)],
    ['sure', scores(0.98, 0.01)],
    ['unsure', scores(0.4, 0.39)],
    ['tie', scores(0.4, 0.39)],
  ]);
  const order = leastSureFirst(documents, new Map([['labelled', 'a']]), known).map(({ hash }) => hash);
  expect(order).toEqual(['unsure', 'tie', 'sure', 'none', 'labelled']);
});

it('asks for the classes that lack labels before others', () => {
  const documents = ['a', 'b', 'c'].map((hash) => ({ hash }));
  const known = new Map([
    [
      'a',
      [
        { label: 'x', score: 0.6 },
        { label: 'y', score: 0.4 },
      ],
    ],
    [
      'b',
      [
        { label: 'y', score: 0.9 },
        { label: 'x', score: 0.1 },
      ],
    ],
    [
      'c',
      [
        { label: 'y', score: 0.7 },
        { label: 'x', score: 0.3 },
      ],
    ],
  ]);
  const order = (wanted: string[]) =>
    leastSureFirst(documents, new Map(), known, new Set(wanted)).map(({ hash }) => hash);
  expect(order([])).toEqual(['a', 'c', 'b']);
  expect(order(['y'])).toEqual(['c', 'b', 'a']);
  expect(order(['x', 'y'])).toEqual(['a', 'c', 'b']);
});

it('counts the labels that classes lack', () => {
  expect(lacking(['x', 'y', 'z'], ['x', 'x', 'x', 'y'], 2)).toEqual([
    { label: 'y', missing: 1 },
    { label: 'z', missing: 2 },
  ]);
  expect(lacking(['x'], ['x', 'x'], 2)).toEqual([]);
});
