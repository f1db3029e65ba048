import { expect, it } from 'vitest';
import { sentenceStart, wholeSentences } from './sentences';

const TEXT = 'Call me Ishmael. Some years ago I thought I would sail about a little. It is a way I have.';
const passage = (text: string, words: string) => ({
  start: text.indexOf(words),
  end: text.indexOf(words) + words.length,
});

it('begins with the sentence in which a passage begins, and ends with the one in which it ends', () => {
  expect(wholeSentences(TEXT, passage(TEXT, 'ago I thought'))).toBe(
    'Some years ago I thought I would sail about a little.',
  );
  expect(wholeSentences(TEXT, passage(TEXT, 'little. It is'))).toBe(
    'Some years ago I thought I would sail about a little. It is a way I have.',
  );
  expect(wholeSentences(TEXT, { start: 0, end: TEXT.length })).toBe(TEXT);
});

it('adds nothing where a passage is whole sentences, and no white space', () => {
  expect(wholeSentences(TEXT, passage(TEXT, 'Some years ago I thought I would sail about a little.'))).toBe(
    'Some years ago I thought I would sail about a little.',
  );
  expect(wholeSentences(TEXT, passage(TEXT, ' Some years ago I thought I would sail about a little. '))).toBe(
    'Some years ago I thought I would sail about a little.',
  );
  expect(wholeSentences('', { start: 0, end: 0 })).toBe('');
});

it('reads over the ends of lines that only the width of a page has made, and not over paragraphs', () => {
  const lines =
    'In the town of Aldermoor, where the river Wend meets\nthe sea, ships wait outside until the ice breaks in\nMarch. Cats are everywhere.';
  expect(wholeSentences(lines, passage(lines, 'the sea, ships'))).toBe(
    'In the town of Aldermoor, where the river Wend meets\nthe sea, ships wait outside until the ice breaks in\nMarch.',
  );
  const paragraphs = 'A heading\n\nthe sea goes on';
  expect(wholeSentences(paragraphs, passage(paragraphs, 'sea'))).toBe('the sea goes on');
});

it('stays with the passage where the sentence is long, and says so', () => {
  const long = `Begin ${'and so on, '.repeat(60)}here it is, ${'and on, '.repeat(60)}end.`;
  expect(wholeSentences(long, passage(long, 'here it is,'))).toBe('… here it is, …');
});

it('knows where the sentence of a word begins', () => {
  const second = TEXT.indexOf('Some');
  expect(sentenceStart(TEXT, 0)).toBe(0);
  expect(sentenceStart(TEXT, second - 1)).toBe(0);
  expect(sentenceStart(TEXT, second)).toBe(second);
  expect(sentenceStart(TEXT, TEXT.indexOf('sail'))).toBe(second);
  expect(sentenceStart('', 0)).toBe(0);
});
