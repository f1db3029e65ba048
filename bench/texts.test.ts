import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { createTokenizer } from '../src/tokenizer/tokenizer';
import { median, quantile } from './statistics';
import { textOf } from './texts';

const tokenizer = createTokenizer(JSON.parse(readFileSync('public/models/nano/tokenizer.json', 'utf8')), undefined);
const count = (text: string) => tokenizer.encode(text).ids.length;

test('texts have exactly the requested number of tokens and are reproducible', async () => {
  for (const tokens of [3, 16, 17, 128, 511, 2048]) {
    const text = await textOf(tokens, tokens, count);
    expect(count(text)).toBe(tokens);
    expect(await textOf(tokens, tokens, count)).toBe(text);
  }
  expect(await textOf(128, 1, count)).not.toBe(await textOf(128, 2, count));
});

test('a text of special tokens alone is rejected', async () => {
  await expect(textOf(2, 1, count)).rejects.toThrow('No text has exactly 2 tokens.');
});

test('quantiles are interpolated between values', () => {
  expect(median([3, 1, 2])).toBe(2);
  expect(median([4, 1, 3, 2])).toBe(2.5);
  expect(quantile([1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11], 0.9)).toBe(10);
  expect(quantile([5], 0.9)).toBe(5);
});
