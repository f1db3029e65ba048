import { expect, it } from 'vitest';
import { cosineInWords, factorInWords, rateInWords, timeInWords, timeOfPages } from './sentences';

it('says times in units that people read at a glance', () => {
  expect(
    [0.94, 6.04, 9.96, 42.4, 99.6, 380, 996, 4096, 9960, 42_000, 119_000, 119_600, 1_260_000, 12_600_000].map(
      timeInWords,
    ),
  ).toEqual([
    '0.9 ms',
    '6.0 ms',
    '10 ms',
    '42 ms',
    '0.10 s',
    '0.38 s',
    '1.0 s',
    '4.1 s',
    '10 s',
    '42 s',
    '119 s',
    '2 minutes',
    '21 minutes',
    '3.5 hours',
  ]);
});

it('says rates with two digits, and whole from ten on', () => {
  expect([0.614, 4.515, 9.96, 244.4, 2566].map(rateInWords)).toEqual(['0.61', '4.5', '10', '244', '2,566']);
});

it('extrapolates pages linearly', () => {
  expect(timeOfPages(1000, 64, 262.4)).toBeCloseTo(4100);
  expect(timeOfPages(1000, 1, 1300)).toBe(1_300_000);
});

it('says factors: faster, as fast, slower', () => {
  expect(factorInWords(10, 62)).toBe('6.2 times as fast as');
  expect(factorInWords(10, 1234)).toBe('123 times as fast as');
  expect(factorInWords(10, 10.4)).toBe('as fast as');
  expect(factorInWords(10, 9.6)).toBe('as fast as');
  expect(factorInWords(10, 10.6)).toBe('1.1 times as fast as');
  expect(factorInWords(10, 4)).toBe('slower, at 40% of the speed of');
  expect(factorInWords(1000, 1)).toBe('slower, at less than 1% of the speed of');
});

it('never says more of a cosine than it is', () => {
  expect(cosineInWords(0.9999999)).toBe('same vectors to cosine 0.99999');
  expect(cosineInWords(0.999989)).toBe('same vectors to cosine 0.9999');
  expect(cosineInWords(0.9991)).toBe('same vectors to cosine 0.999');
  expect(cosineInWords(0.9989)).toBe('but other vectors: cosine 0.998');
  expect(cosineInWords(-1)).toBe('but other vectors: cosine -1.000');
});
