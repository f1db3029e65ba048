import { expect, it } from 'vitest';
import { hintOf } from './surprise-view';

it('says what there is to do with a text of words, masks, signs or nothing', () => {
  expect(hintOf(2, 0, false)).toBe('Click a word to see what was expected there.');
  expect(hintOf(2, 1, false)).toMatch(/^Click a word .* Masks are not scored/);
  expect(hintOf(0, 1, true)).toMatch(/^Masks are not scored/);
  expect(hintOf(0, 0, false)).toBe('There are no words here, only signs: they count in the sum.');
  expect(hintOf(0, 0, true)).toBe('Write a text, or take an example.');
});
