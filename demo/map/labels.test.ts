import fc from 'fast-check';
import { expect, it } from 'vitest';
import { type LabelCandidate, placeLabels } from './labels';

it('places each label at its first free place, the first ones first', () => {
  const label = (...places: [number, number][]): LabelCandidate => ({
    width: 40,
    height: 10,
    places: places.map(([x, y]) => ({ x, y })),
  });
  expect(
    placeLabels([label([50, 50]), label([60, 50], [60, 70]), label([55, 52]), label([150, 20])], 100, 100),
  ).toEqual([
    { index: 0, x: 50, y: 50 },
    { index: 1, x: 60, y: 70 },
  ]);
  expect(placeLabels([label([2, 99])], 100, 100)).toEqual([{ index: 0, x: 20, y: 95 }]); // moved off the edge
  expect(placeLabels([label([20, 20])], 30, 100)).toEqual([]);
});

it('never lets labels overlap each other or the edge', () => {
  const candidate = fc.record({
    width: fc.double({ min: 1, max: 200, noNaN: true }),
    height: fc.double({ min: 1, max: 40, noNaN: true }),
    places: fc.array(
      fc.record({
        x: fc.double({ min: -50, max: 450, noNaN: true }),
        y: fc.double({ min: -50, max: 350, noNaN: true }),
      }),
      { minLength: 1, maxLength: 5 },
    ),
  });
  fc.assert(
    fc.property(fc.array(candidate, { maxLength: 60 }), (candidates) => {
      const placed = placeLabels(candidates, 400, 300);
      const boxes = placed.map(({ index, x, y }) => ({
        x,
        y,
        w: candidates[index].width,
        h: candidates[index].height,
      }));
      for (const [i, a] of boxes.entries()) {
        expect(a.x - a.w / 2).toBeGreaterThanOrEqual(-1e-9);
        expect(a.x + a.w / 2).toBeLessThanOrEqual(400 + 1e-9);
        expect(a.y - a.h / 2).toBeGreaterThanOrEqual(-1e-9);
        expect(a.y + a.h / 2).toBeLessThanOrEqual(300 + 1e-9);
        for (const b of boxes.slice(i + 1)) {
          const isApart = Math.abs(a.x - b.x) >= (a.w + b.w) / 2 || Math.abs(a.y - b.y) >= (a.h + b.h) / 2;
          expect(isApart).toBe(true);
        }
      }
    }),
  );
});
