import { expect, it } from 'vitest';
import { masksIn, partsOf } from './parts';

const shown = (text: string) =>
  partsOf(text, masksIn(text, '[MASK]')).map(({ kind, start, end }) => [kind, text.slice(start, end)]);

it('finds every mask', () => {
  expect(masksIn('[MASK][MASK] and [MASK]', '[MASK]').map(({ start, end }) => [start, end])).toEqual([
    [0, 6],
    [6, 12],
    [17, 23],
  ]);
  expect(masksIn('none [mask]', '[MASK]')).toEqual([]);
});

it('makes words, masks and what is between out of a text, and loses nothing', () => {
  expect(shown("It's [MASK], 東京!")).toEqual([
    ['word', "It's"],
    ['text', ' '],
    ['mask', '[MASK]'],
    ['text', ', '],
    ['word', '東京'],
    ['text', '!'],
  ]);
  const text = 'A [MASK]\n\nb  [MASK].';
  expect(
    shown(text)
      .map(([, part]) => part)
      .join(''),
  ).toBe(text);
  expect(shown('')).toEqual([]);
});

it('leaves out of a long text what is far from its masks, and cuts no word in two that could be clicked', () => {
  const long = 'word '.repeat(1000);
  const parts = shown(`${long}before [MASK] between ${long}and [MASK] after ${long}`);
  expect(parts.filter(([kind]) => kind === 'gap')).toHaveLength(3);
  expect(new Set(parts.filter(([kind]) => kind === 'word').map(([, word]) => word))).toEqual(
    new Set(['word', 'before', 'between', 'and', 'after']),
  );
  const letters = parts.filter(([kind]) => kind !== 'gap').reduce((sum, [, part]) => sum + part.length, 0);
  expect(letters).toBe(4 * 160 + 2 * 6);
});

it('shows the beginning of a long text without a mask', () => {
  const parts = partsOf('word '.repeat(1000), []);
  expect(parts.at(-1)).toEqual({ kind: 'gap', start: 1200, end: 5000 });
});
