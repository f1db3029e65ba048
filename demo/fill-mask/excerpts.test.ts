import { expect, it } from 'vitest';
import { excerpts } from './excerpts';

const masksOf = (text: string) =>
  [...text.matchAll(/\[MASK\]/g)].map(({ index }) => ({ start: index, end: index + 6 }));

it('cuts a short text at its masks', () => {
  const text = '[MASK] opened the [MASK].';
  expect(excerpts(text, masksOf(text))).toEqual(['', ' opened the ', '.']);
});

it('keeps of a long text what is near the masks', () => {
  const long = 'word '.repeat(1000);
  const text = `${long}before [MASK] between ${long} and [MASK] after ${long}`;
  const [first, between, last] = excerpts(text, masksOf(text));
  expect(first).toMatch(/^ … .*before $/);
  expect(between).toMatch(/^ between word .* … .* and $/);
  expect(last).toMatch(/^ after .* … $/);
  for (const piece of [first, between, last]) expect(piece.length).toBeLessThan(330);
});
