import { expect, it } from 'vitest';
import { filledText } from './editor';

it('puts words in, with one space before each where there was one', () => {
  const text = '[MASK] wrote a [MASK]to ([MASK]).';
  const at = [0, 15, 25].map((start) => ({ start, end: start + 6 }));
  const tokens = [' He', ' letter ', ' her'];
  expect(
    filledText(
      text,
      at.map((place, i) => ({ ...place, token: tokens[i] })),
    ),
  ).toBe('He wrote a letter to ( her).');
  expect(filledText('as it is', [])).toBe('as it is');
});
