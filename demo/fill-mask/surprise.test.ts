import { expect, it } from 'vitest';
import { surprisal } from './surprise';

it('is the bits of a probability', () => {
  const logits = Float32Array.from([0.5, 0.25, 0.125, 0.125], (p) => Math.log(p) + 100);
  expect([0, 1, 2].map((target) => Math.round(surprisal(logits, target) * 1e3) / 1e3)).toEqual([1, 2, 3]);
});
