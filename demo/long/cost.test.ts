import { expect, it } from 'vitest';
import { shapeOf, timeOf, workOf } from './cost';

const NANO = {
  num_hidden_layers: 7,
  hidden_size: 256,
  intermediate_size: 384,
  global_attn_every_n_layers: 3,
  local_attention: 128,
};

it('reads the shape of a model', () => {
  expect(shapeOf(NANO)).toEqual({ layers: 7, hidden: 256, intermediate: 384, every: 3, near: 128 });
  expect(shapeOf({ num_hidden_layers: 6, hidden_size: 384 })).toEqual({
    layers: 6,
    hidden: 384,
    intermediate: 1536,
    every: 1,
    near: Number.POSITIVE_INFINITY,
  });
});

it('work grows with the matrices, and with the square where tokens see all others', () => {
  const shape = { layers: 2, hidden: 1, intermediate: 2, every: 2, near: 3 };
  // Per token: 2 × (4 + 6) for the matrices, and 2 for each of the 10 + 3 tokens that it sees.
  expect(workOf(shape, 10)).toBe(10 * (20 + 2 * 13));
  expect(workOf(shape, 2)).toBe(2 * (20 + 2 * 4));
});

it('foretells what was measured for nano-embed on lavapipe: 1,430 tokens in 0.9 s, 7,169 in 11.3 s', () => {
  const time = timeOf(shapeOf(NANO), { tokens: 1430, ms: 913 }, [7169]);
  expect(time).toBeGreaterThan(9000);
  expect(time).toBeLessThan(13_000);
  expect(timeOf(shapeOf(NANO), { tokens: 1430, ms: 913 }, [1430, 1430])).toBeCloseTo(1826, 6);
});
