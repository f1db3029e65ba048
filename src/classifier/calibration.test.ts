import { expect, it } from 'vitest';
import { turns } from '../turns';
import { calibrationError, fitTemperature, logLoss, probabilities } from './calibration';

const pause = turns(undefined);
const shares = [Float64Array.of(0.9, 0.1), Float64Array.of(0.4, 0.6), Float64Array.of(0.92, 0.08)];

it('divides logits by the temperature', () => {
  const [a, b] = probabilities([2, 0], 2);
  expect(a).toBeCloseTo(Math.E / (Math.E + 1), 12);
  expect(a + b).toBeCloseTo(1, 12);
});

it('finds the temperature at which confidence is how often the classifier is right', async () => {
  // Logits (3, 0): right 3 times of 4. With the doubt of 1/(4 + 1) the best class should have 0.8 · 0.75 + 0.2 / 2 = 0.7.
  const outcomes = [0, 0, 0, 1].map((target) => ({ logits: Float64Array.of(3, 0), target }));
  expect(await fitTemperature(outcomes, pause)).toBeCloseTo(3 / Math.log(0.7 / 0.3), 4);
  // Of 400 outcomes the doubt is 1/401.
  const many = Array.from({ length: 100 }, () => outcomes).flat();
  const share = (400 / 401) * 0.75 + 1 / 401 / 2;
  expect(await fitTemperature(many, pause)).toBeCloseTo(3 / Math.log(share / (1 - share)), 4);
});

it('does not believe a few right answers without doubt, nor ever turn answers round', async () => {
  const right = Array.from({ length: 4 }, () => ({ logits: Float64Array.of(1, 0), target: 0 }));
  const temperature = await fitTemperature(right, pause);
  expect(probabilities([1, 0], temperature)[0]).toBeCloseTo(0.9, 4); // 0.8 + 0.2 / 2
  const wrong = right.map(({ logits }) => ({ logits, target: 1 }));
  const [said] = probabilities([1, 0], await fitTemperature(wrong, pause));
  expect(said).toBeGreaterThanOrEqual(0.5);
  expect(said).toBeLessThan(0.51);
  expect(await fitTemperature([], pause)).toBe(1);
});

it('measures log loss and calibration', () => {
  expect(logLoss(shares, [0, 0, 1])).toBeCloseTo(-(Math.log(0.9) + Math.log(0.4) + Math.log(0.08)) / 3, 12);
  // 0.9 and 0.92 are in one of 15 bins, 0.6 (of the second class) in another: |0.9 + 0.92 - 1| + |0.6 - 0|, of 3.
  expect(calibrationError(shares, [0, 0, 1])).toBeCloseTo((0.82 + 0.6) / 3, 12);
  expect(calibrationError([Float64Array.of(1, 0)], [0])).toBe(0);
});
