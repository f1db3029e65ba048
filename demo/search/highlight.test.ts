import { expect, it } from 'vitest';
import { highlight } from './highlight';

const marked = (text: string, query: string) => {
  const pieces = highlight(text, query);
  expect(pieces.map(({ text }) => text).join('')).toBe(text);
  return pieces.filter(({ match }) => match).map(({ text }) => text);
};

it('marks the words of a query that tell something, whatever their case', () => {
  expect(marked('The Whale, the white WHALE!', 'the whale')).toEqual(['Whale', 'WHALE']);
  expect(marked('the sea and the whales', 'whale in the sea')).toEqual(['sea']); // whole words
  expect(marked('a bed, and how to lie in it', 'how to lie in a bed')).toEqual(['bed', 'lie']);
  expect(marked('das Bett und der Wal', 'der Wal und das Meer')).toEqual(['Wal']);
  expect(marked('I am the one', 'the')).toEqual(['the']); // nothing else tells more
  expect(marked('With him, to bed', 'with him')).toEqual(['With', 'him']);
  expect(marked('With a whale', 'with whale')).toEqual(['whale']);
  expect(marked('', 'whale')).toEqual([]);
  expect(marked('No word of it.', '')).toEqual([]);
});

it('marks what the last word begins, while it is typed', () => {
  expect(marked('Harpooneers and a harpoon', 'the harp')).toEqual(['Harpooneers', 'harpoon']);
  expect(marked('that is the', 'whale th')).toEqual([]);
});

it('finds words where there are no spaces, and composed letters', () => {
  expect(marked('这条白鲸在海里', '白鲸')).toEqual(['白鲸']);
  expect(marked('Ein Mu\u0308ller', 'm\u00fcller')).toEqual(['Mu\u0308ller']);
});
