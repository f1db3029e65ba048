import { expect, it } from 'vitest';
import { extentNotes } from './notes';

const whole = { model: 'm', limit: 8192, windows: 1, read: 700, tokens: 700, characters: 3000, end: 3000 };

it('says what was left out and why, and where the text was divided', () => {
  expect(extentNotes(whole)).toEqual([]);
  expect(extentNotes({ ...whole, read: 500, time: 4000 })).toEqual([
    'Only the first 500 of 700 tokens were read. Under “Text” you can choose more.',
  ]);
  expect(extentNotes({ ...whole, read: 500, time: 40_000 })[0]).toContain(
    'All of them would take about 40 s on this device.',
  );
  expect(extentNotes({ ...whole, characters: 2_000_000, end: 300_000 })).toEqual([
    'The text has 2,000,000 characters. No more than 65,536 tokens can be read here, which are its first 300,000 characters.',
  ]);
  expect(extentNotes({ ...whole, limit: 256, windows: 4 })).toEqual([
    'm reads up to 256 tokens at once: the text was read in 4 parts that overlap.',
  ]);
});
