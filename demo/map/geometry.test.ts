import { expect, it } from 'vitest';
import { createFinder, fitPoints, pointsIn, step } from './geometry';

it('gives both axes the same scale, in the middle', () => {
  const points = Float32Array.of(0, 10, 4, 11, 2, 10.5);
  // 4 across and 1 up in 400 × 200 pixels: 100 pixels for a step.
  const wide = fitPoints(points, 420, 220, 10);
  expect([...wide.x]).toEqual([10, 410, 210]);
  expect([...wide.y]).toEqual([160, 60, 110]);
  expect(wide.place({ x: 4, y: 11 })).toEqual({ x: 410, y: 60 });
  const flat = fitPoints(points, 420, 40, 10);
  expect([...flat.x]).toEqual([170, 250, 210]);
  expect([...flat.y]).toEqual([30, 10, 20]);
});

it('puts a single place into the middle', () => {
  const { x, y } = fitPoints(Float32Array.of(3, 7, 3, 7), 300, 200, 20);
  expect([...x, ...y]).toEqual([150, 150, 100, 100]);
});

const places = { x: Float32Array.of(10, 20, 200, 22), y: Float32Array.of(10, 10, 100, 60) };

it('finds the nearest point within reach', () => {
  const finder = createFinder(places);
  expect(finder.find(16, 12, 24)).toBe(1);
  expect(finder.find(12, 12, 24)).toBe(0);
  expect(finder.find(100, 50, 24)).toBeUndefined();
});

it('finds the points of a rectangle, whichever corner comes first', () => {
  expect(pointsIn(places, { x0: 25, y0: 70, x1: 15, y1: 5 })).toEqual([1, 3]);
});

it('goes to the next point in a direction', () => {
  expect(step(places, 0, 'ArrowRight')).toBe(1);
  expect(step(places, 1, 'ArrowDown')).toBe(3);
  expect(step(places, 3, 'ArrowUp')).toBe(1);
  expect(step(places, 0, 'ArrowLeft')).toBeUndefined();
  expect(step(places, 0, 'Enter')).toBeUndefined();
});
