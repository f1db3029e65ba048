import { expect, test } from 'vitest';
import { parseOptions } from './args';
import { CASES, lengthsOf, scaled, sequencesOf } from './cases';
import { UsageError } from './usage-error';

test('variable lengths centre on half the limit, stay within it, and are reproducible', () => {
  const lengths = lengthsOf({ name: 'variable-512', kind: 'variable', limit: 512 }, 32768);
  expect(lengths).toEqual(lengthsOf({ name: 'variable-512', kind: 'variable', limit: 512 }, 32768));
  const sum = lengths.reduce((a, b) => a + b);
  const mean = sum / lengths.length;
  const deviation = Math.sqrt(lengths.reduce((a, n) => a + (n - mean) ** 2, 0) / lengths.length);
  expect(Math.abs(mean - 256)).toBeLessThan(20);
  expect(Math.abs(deviation - 64)).toBeLessThan(20);
  expect(sum).toBe(32768); // as many tokens as the fixed set has
  expect(Math.min(...lengths)).toBeGreaterThanOrEqual(1);
  expect(Math.max(...lengths)).toBeLessThanOrEqual(512);
});

test('a small budget shortens documents and says so in the name', () => {
  const [fixed] = CASES.filter(({ name }) => name === 'fixed-8192');
  const smaller = scaled(fixed, 2048, 8192);
  expect(smaller).toEqual({ name: 'fixed-2048', kind: 'fixed', limit: 2048 });
  expect(lengthsOf(smaller, 2048)).toEqual([2048]);
  expect(scaled(fixed, 32768, 8192)).toEqual(fixed);
  expect(lengthsOf(fixed, 32768)).toEqual([8192, 8192, 8192, 8192]);
  expect(lengthsOf({ name: 'query-16', kind: 'query', limit: 16 }, 32768)).toEqual([16]);
});

test('token ids fill the vocabulary', () => {
  const [ids] = sequencesOf([4000], 16);
  expect(new Set(ids)).toEqual(new Set(Array.from({ length: 16 }, (_, i) => i)));
});

test('a wrong command line is rejected with what is wrong and what is allowed', () => {
  expect(parseOptions(['--cases', 'fixed-512,query-16', '--tokens', '512'])).toMatchObject({
    cases: [{ name: 'fixed-512' }, { name: 'query-16' }],
    tokens: 512,
    toggles: [],
  });
  const rejected = (args: string[]) => {
    try {
      parseOptions(args);
    } catch (error) {
      if (error instanceof UsageError) return error.message;
    }
    return undefined;
  };
  expect(rejected(['--cases', 'fixed-9'])).toMatch(/'fixed-9'.*fixed-512/);
  expect(rejected(['--tiers', 'int4'])).toMatch(/'int4'.*shader-f16/);
  expect(rejected(['--tokens', '1.5'])).toMatch(/--tokens.*1\.5/);
  expect(rejected(['--models', 'nano,'])).toMatch(/empty/);
  expect(rejected(['--model', 'x', '--models', 'nano'])).toMatch(/exclusive/);
  expect(rejected(['--nonsense'])).toMatch(/--nonsense/);
});
