import { expect, it } from 'vitest';
import { SAMPLE, SAMPLE_CLASSES } from './sample';

it('has eight files of each kind, mixed, of different names', () => {
  expect(SAMPLE).toHaveLength(24);
  expect(new Set(SAMPLE.map(({ name }) => name)).size).toBe(24);
  for (const label of SAMPLE_CLASSES) expect(SAMPLE.filter(({ kind }) => kind === label)).toHaveLength(8);
  expect(new Set(SAMPLE.slice(0, 4).map(({ kind }) => kind)).size).toBeGreaterThan(1);
});
