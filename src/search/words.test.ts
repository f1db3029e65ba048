import { describe, expect, it } from 'vitest';
import { fuse } from './fuse';
import { wordIndex, wordSplitter } from './words';

describe('words', () => {
  const words = wordSplitter({});

  it('are runs of letters, digits and marks in lower case, in one spelling', () => {
    expect(words("Don't panic: it is 42,  naïve!")).toEqual(['don', 't', 'panic', 'it', 'is', '42', 'naïve']);
    expect(words('nai\u0308ve ＡＢＣ ﬁn')).toEqual(['naïve', 'abc', 'fin']);
    expect(words('हिन्दी العربية Ελληνικά 한국어 말')).toEqual(['हिन्दी', 'العربية', 'ελληνικά', '한국어', '말']);
    expect(words(' … — 👩‍👩‍👧 ')).toEqual([]);
  });

  it('are found without spaces too', () => {
    expect(words('東京都に住んでいます。')).toContain('東京');
    expect(words('我喜欢北京烤鸭')).toContain('北京');
    expect(words('สวัสดีชาวโลก').length).toBeGreaterThan(1);
    expect(words('GPUで東京')).toContain('東京');
  });

  it('follow a language where it has rules of its own', () => {
    expect(words('ISPARTA')).toEqual(['isparta']);
    expect(wordSplitter({ language: 'tr' })('ISPARTA')).toEqual(['ısparta']);
    expect(() => wordSplitter({ language: 'not a language' })).toThrow(RangeError);
  });

  it('are what the caller splits', () => {
    expect(wordSplitter({ split: (text) => text.split('|') })('a b|c')).toEqual(['a b', 'c']);
    expect(() => wordSplitter({ split: (() => 'a b') as never })).toThrow(
      /words.split must return a list of strings, it returned "a b"/,
    );
    expect(() => wordSplitter({ split: 'x' as never })).toThrow(/words.split must be a function, it is a string/);
  });
});

const TEXTS = {
  a: 'the whale swims and the ship sinks',
  b: 'the whale is white the whale is large',
  c: 'bread is made of flour',
  d: 'a whalebone corset',
};
type Name = keyof typeof TEXTS;

function indexOf(...names: Name[]) {
  const index = wordIndex<{ name: Name }>(({ name }) => TEXTS[name], {});
  const passages = names.map((name) => ({ name }));
  for (const passage of passages) index.add(passage);
  const search = (query: string) => index.search(query).map(({ passage, score }) => [passage.name, score] as const);
  return { index, passages, search };
}

/** BM25 by hand: a passage's length is its number of different words. */
const bm25 = (n: number, texts: number, times: number, length: number, mean: number) =>
  Math.log(1 + (texts - n + 0.5) / (n + 0.5)) * ((times * 2.2) / (times + 1.2 * (0.25 + (0.75 * length) / mean)));

describe('BM25', () => {
  it('is what the formula says', () => {
    const { search } = indexOf('a', 'b', 'c');
    // a has 6 different words, b 5, c 5; whale is in two texts, twice in b; ship in one.
    const mean = 16 / 3;
    const found = search('ship whale ');
    expect(found.map(([name]) => name)).toEqual(['a', 'b']);
    expect(found[0][1]).toBeCloseTo(bm25(1, 3, 1, 6, mean) + bm25(2, 3, 1, 6, mean), 10);
    expect(found[1][1]).toBeCloseTo(bm25(2, 3, 2, 5, mean), 10);
    expect(search('whale').map(([name]) => name)).toEqual(['b', 'a']);
    expect(search('bread flour')).toEqual([['c', bm25(1, 3, 1, 5, mean) * 2]]);
    expect(search('penguin')).toEqual([]);
    expect(search(' ?! ')).toEqual([]);
  });

  it("finds words that begin with the query's last, below the word itself", () => {
    const { search } = indexOf('a', 'c', 'd');
    expect(search('whale').map(([name]) => name)).toEqual(['a', 'd']);
    expect(search('whale bread').map(([name]) => name)).not.toContain('d');
    expect(search('flo').map(([name]) => name)).toEqual(['c']);
    expect(search('f')).toEqual([]);
  });

  it('is the same after others were added and removed', () => {
    const { index, passages, search } = indexOf('a', 'b', 'c', 'd');
    index.remove(passages[3]);
    expect(search('whale ship is')).toEqual(indexOf('a', 'b', 'c').search('whale ship is'));
    index.remove(passages[0]);
    index.add(passages[0]);
    expect(new Map(search('whale ship is'))).toEqual(new Map(indexOf('a', 'b', 'c').search('whale ship is')));
  });
});

describe('reciprocal rank fusion', () => {
  it('adds up 1 / (60 + rank)', () => {
    const found = fuse([
      ['a', 'b', 'c'],
      ['c', 'd', 'b'],
    ]);
    expect(found.map(({ item }) => item)).toEqual(['c', 'b', 'a', 'd']);
    const sums = [1 / 63 + 1 / 61, 1 / 62 + 1 / 63, 1 / 61, 1 / 62];
    for (const [i, { score }] of found.entries()) expect(score).toBeCloseTo(sums[i], 12);
    expect(fuse([['a'], []]).map(({ score }) => score)).toEqual([1 / 61]);
    expect(fuse([])).toEqual([]);
  });
});
