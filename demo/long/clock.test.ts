import { expect, it } from 'vitest';
import { tokensRead } from './clock';

it('counts the tokens of the passes before, and of the present one by the clock, but never all', () => {
  expect(tokensRead(1000, 500, 100, 0.5)).toBe(1200);
  expect(tokensRead(1000, 500, 9999, 0.5)).toBe(1485);
  expect(tokensRead(1000, 500, 9999, 0)).toBe(1000);
});
