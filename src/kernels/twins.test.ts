import { expect, it } from 'vitest';
import { ACTIVATE, attention, erf, rope, topK } from './twins';

/** Digits from Abramowitz and Stegun, table 7.1. */
it('erf agrees with the tables', () => {
  expect(erf(0)).toBe(0);
  expect(erf(0.5)).toBeCloseTo(0.5204998778, 10);
  expect(erf(1)).toBeCloseTo(0.8427007929, 10);
  expect(erf(-2)).toBeCloseTo(-0.995322265, 10);
  expect(erf(5)).toBeCloseTo(1, 10);
});

/** What torch 2 prints for nn.functional.gelu(1.0), with approximate='tanh', and silu(1.0). */
it('activations agree with torch', () => {
  expect(ACTIVATE.gelu(1)).toBeCloseTo(0.8413447, 6);
  expect(ACTIVATE.gelu_pytorch_tanh(1)).toBeCloseTo(0.8411919, 6);
  expect(ACTIVATE.silu(1)).toBeCloseTo(0.7310586, 6);
});

it('rope rotates position 1 by one radian and keeps position 0', () => {
  const [still, turned] = rope([Float64Array.of(1, 0), Float64Array.of(1, 0)], Uint32Array.of(0, 1), 2, 10_000);
  expect([...still]).toEqual([1, 0]);
  expect([...turned]).toEqual([Math.cos(1), Math.sin(1)]);
});

it('attention sees only its own sequence and window', () => {
  const rows = [1, 2, 3, 4].map((x) => Float64Array.of(x));
  const zeros = rows.map(() => Float64Array.of(0));
  const out = attention({ q: zeros, k: zeros, v: rows }, Uint32Array.of(0, 3, 4), 1, 1);
  expect(out.map(([x]) => x)).toEqual([1.5, 2, 2.5, 4].map((x) => expect.closeTo(x, 12)));
});

it('topK orders equal logits by id', () => {
  expect(topK(Float64Array.of(1, 3, 3), 2).map(({ id }) => id)).toEqual([1, 2]);
});
