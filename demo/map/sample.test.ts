import { expect, it } from 'vitest';
import { sampleRows } from './sample';

it('takes all rows if they are few', () => {
  expect(sampleRows(3, 5)).toEqual([0, 1, 2]);
});

it('takes rows from everywhere, also where they repeat', () => {
  const sample = sampleRows(1000, 250);
  expect(new Set(sample).size).toBe(250);
  expect(sample).toEqual(sample.toSorted((a, b) => a - b));
  for (let rest = 0; rest < 4; rest++) {
    const share = sample.filter((i) => i % 4 === rest).length;
    expect(share).toBeGreaterThan(40);
  }
  expect(sampleRows(1000, 250)).toEqual(sample);
});
