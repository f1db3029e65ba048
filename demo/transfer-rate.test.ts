import { expect, it } from 'vitest';
import { createRate, rateText } from './transfer-rate';

it('follows the last seconds, and starts again with another file', () => {
  let time = 0;
  const rate = createRate(() => time);
  const at = (ms: number, loaded: number) => {
    time = ms;
    return rate.report(loaded);
  };
  expect(at(0, 0)).toBeUndefined();
  expect(at(1000, 1e6)).toBe(1e6);
  expect(at(5000, 1e6)).toBe(2e5);
  expect(at(7000, 5e6)).toBe(2e6); // since 5000 ms: what was before the window is forgotten
  expect(at(7100, 10)).toBeUndefined();
});

it('says how long it will take', () => {
  expect(rateText(2e6, 10e6, 30e6)).toBe('2.0 MB/s, 10.0 s left');
  expect(rateText(2e6, 10e6, undefined)).toBe('2.0 MB/s');
  expect(rateText(undefined, 0, 1)).toBe('');
  expect(rateText(2e6, 5, 5)).toBe('');
});
