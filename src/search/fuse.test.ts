import { describe, expect, it } from 'vitest';
import { fuse, NEAREST } from './fuse';

const list = (scores: Record<string, number>) => Object.entries(scores).map(([item, score]) => ({ item, score }));
const items = (found: { item: string }[]) => found.map(({ item }) => item).join('');

describe('the fusion of both searches', () => {
  it('adds ⅓ of the place between the scores by vectors and ⅔ of the squared share by words', () => {
    const found = fuse(list({ a: 0.8, b: 0.5, c: 0.2 }), list({ c: 3, b: 1, d: 0.5 }), 4);
    expect(items(found)).toBe('cabd');
    const sums = [(2 / 3) * (3 / 4) ** 2, 1 / 3, 1 / 6 + (2 / 3) * (1 / 4) ** 2, (2 / 3) * (1 / 8) ** 2];
    for (const [i, { score }] of found.entries()) expect(score).toBeCloseTo(sums[i], 12);
  });

  it('does not depend on the range of the scores by vectors, which may be negative or products without bounds', () => {
    const words = list({ c: 3, b: 2, d: 1 });
    const expected = fuse(list({ a: 1, b: 0.5, c: 0 }), words, 4);
    for (const scores of [
      { a: 0.9, b: 0.85, c: 0.8 },
      { a: -0.1, b: -0.3, c: -0.5 },
      { a: 3000, b: 2000, c: 1000 },
    ]) {
      const found = fuse(list(scores), words, 4);
      expect(items(found)).toBe(items(expected));
      for (const [i, { score }] of found.entries()) expect(score).toBeCloseTo(expected[i].score, 12);
    }
  });

  it('lets all of the words outweigh the nearest vector, and few of many not', () => {
    const vectors = list({ near: 0.6, far: 0.1 });
    expect(items(fuse(vectors, list({ far: 10 }), 10))).toBe('farnear');
    expect(items(fuse(vectors, list({ far: 4 }), 10))).toBe('nearfar');
    expect(items(fuse(vectors, list({ other: 10 }), 10))).toBe('othernearfar');
  });

  it('counts no more than all of the words', () => {
    const [{ score }] = fuse(list({ a: 1, b: 0 }), list({ a: 22 }), 10);
    expect(score).toBeCloseTo(1, 12);
  });

  it('of one search, of equal scores, of nothing', () => {
    expect(fuse([], list({ a: 5 }), 5)).toEqual([{ item: 'a', score: 2 / 3 }]);
    expect(items(fuse(list({ a: 3, b: 2 }), [], 0))).toBe('ab');
    const equal = fuse(list({ a: 0.3, b: 0.3 }), list({ b: 1 }), 2);
    expect(items(equal)).toBe('ba');
    expect(equal[1].score).toBeCloseTo(1 / 3, 12);
    expect(fuse([], [], 0)).toEqual([]);
  });

  it('measures by the first hundred, so that more that are wanted change no scores', () => {
    const scores = Array.from({ length: NEAREST + 50 }, (_, i) => ({ item: `${i}`, score: 1 - i / 1000 }));
    const [few, many] = [fuse(scores.slice(0, NEAREST), [], 0), fuse(scores, [], 0)];
    expect(many.slice(0, NEAREST)).toEqual(few);
    expect(many.map(({ item }) => item)).toEqual(scores.map(({ item }) => item));
    expect(many.slice(NEAREST).every(({ score }) => score === 0)).toBe(true);
  });
});
