import { expect, it } from 'vitest';
import { firstPassages, type Passage, passagesOf, pieceEnd, sentencesOf, unwrapped } from './passages';

/** Tokens that begin where words do. */
const wordStarts = (text: string) => Array.from(text.matchAll(/\S+/g), ({ index }) => index);
const sentences = (text: string, most = 100) => sentencesOf(text, wordStarts(text), most);
const textsOf = (text: string, parts: { start: number; end: number }[]) =>
  parts.map(({ start, end }) => text.slice(start, end));

it('divides a text into sentences that together are the text, with their tokens', () => {
  const text = '  One two. Three?\n\nFour five six! ';
  const found = sentences(text);
  expect(textsOf(text, found)).toEqual(['  One two.', ' Three?', '\n\nFour five six! ']);
  expect(found.map(({ tokens }) => tokens)).toEqual([2, 1, 3]);
  expect(found.map(({ begins }) => begins)).toEqual([true, false, true]);
  expect(sentencesOf('ab cd', [0, 3], 100, 40)).toEqual([{ start: 40, end: 45, tokens: 2, begins: true }]);
  expect(sentences(' \n ')).toEqual([]);
});

it('lines that the width of a page has broken go on; short ones do not', () => {
  const wrapped = `${'word '.repeat(12)}end\nof it. Then\n\n- one\n- two\n`;
  expect(unwrapped(wrapped)).toBe(`${'word '.repeat(12)}end of it. Then\n\n- one\n- two\n`);
  expect(sentences(wrapped).length).toBe(4);
});

it('divides a sentence of too many tokens between words, or between tokens where there are no words', () => {
  const text = 'a b c d e f g';
  expect(textsOf(text, sentences(text, 3))).toEqual(['a b c ', 'd e f ', 'g']);
  const letters = 'abcdefg';
  const found = sentencesOf(letters, [0, 1, 2, 3, 4, 5, 6], 3);
  expect(textsOf(letters, found)).toEqual(['abc', 'def', 'g']);
  expect(found.map(({ begins }) => begins)).toEqual([true, false, false]);
  // Two tokens of one character stay together.
  expect(textsOf('字字', sentencesOf('字字', [0, 0, 1, 1], 3))).toEqual(['字', '字']);
});

it('what has no tokens goes with a neighbour', () => {
  const text = '… Yes. ☃';
  const found = sentencesOf(text, [2, 5], 10);
  expect(found).toEqual([{ start: 0, end: text.length, tokens: 2, begins: true }]);
});

it('groups sentences to passages that end with paragraphs where they are long enough', () => {
  const of = (tokens: number[], begins: number[]) => {
    let end = 0;
    const list = tokens.map((n, i) => {
      end += n;
      return { start: end - n, end, tokens: n, begins: begins.includes(i) };
    });
    return passagesOf(list, 200).map(({ sentences }) => sentences.map(({ tokens }) => tokens));
  };
  const long = Array.from({ length: 20 }, () => 100);
  // 100 tokens are no passage yet, 200 are.
  expect(of(long, [0, 1, 2])).toEqual(Array.from({ length: 10 }, () => [100, 100]));
  // 120 and more are one, where a paragraph ends.
  expect(of([120, 60, 60, ...long], [0, 1]).slice(0, 2)).toEqual([[120], [60, 60]]);
  // A short text has short passages.
  expect(of([30, 30, 10, 20], [0, 1, 2, 3])).toEqual([[30], [30], [10, 20]]);
  expect(of([5], [0])).toEqual([[5]]);
});

it('takes as many of the first passages as fit, and one at least', () => {
  const passages = [50, 60, 70].map((tokens): Passage => ({ start: 0, end: 1, tokens, sentences: [] }));
  expect(firstPassages(passages, 110).length).toBe(2);
  expect(firstPassages(passages, 109).length).toBe(1);
  expect(firstPassages(passages, 1).length).toBe(1);
  expect(firstPassages(passages, Number.POSITIVE_INFINITY).length).toBe(3);
});

it('divides a long text at paragraphs, else at sentences, else at spaces, else between characters', () => {
  expect(pieceEnd('aaaa. bb\n\ncc dd', 0, 12)).toBe(10);
  expect(pieceEnd('aaaa bb. cc dd', 0, 12)).toBe(9);
  expect(pieceEnd('aaaa bb cc dd ee', 0, 12)).toBe(11);
  expect(pieceEnd('aaaa', 0, 3)).toBe(3);
  expect(pieceEnd('aa😀aa', 0, 3)).toBe(2);
  expect(pieceEnd('short', 0, 100)).toBe(5);
});
