import { describe, expect, it } from 'vitest';
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
    expect(wordSplitter({ split: (text) => text.split('|') })('a b||c')).toEqual(['a b', 'c']);
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
  const search = (query: string) =>
    index.search(query).hits.map(({ passage, score }) => [passage.name, score] as const);
  return { index, passages, search };
}

const idf = (n: number, texts: number) => Math.log(1 + (texts - n + 0.5) / (n + 0.5));
/** BM25 by hand: a passage's length is its number of different words. */
const bm25 = (n: number, texts: number, times: number, length: number, mean: number) =>
  idf(n, texts) * ((times * 2.2) / (times + 1.2 * (0.25 + (0.75 * length) / mean)));

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
    expect(search('whale whale')).toEqual(search('whale'));
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

  it('says what about a passage has that has all of the words; those that none has are one', () => {
    const { index } = indexOf('a', 'c', 'd');
    const full = (query: string) => index.search(query).full;
    expect(full('ship bread')).toBeCloseTo(2 * idf(1, 3), 10);
    expect(full('and the ship, the ship!')).toBeCloseTo(3 * idf(1, 3), 10);
    expect(full('ship penguin')).toBeCloseTo(idf(1, 3) + idf(0, 3), 10);
    expect(full('penguins eat ship fish')).toBeCloseTo(idf(1, 3) + idf(0, 3), 10);
    // whal begins words of a and d, which count less; but only as the last word
    expect(full('whal')).toBeCloseTo(0.375 * idf(2, 3), 10);
    expect(full('ship whal')).toBeCloseTo(idf(1, 3) + 0.375 * idf(2, 3), 10);
    expect(full('whal ship')).toBeCloseTo(idf(1, 3) + idf(0, 3), 10);
    expect(full('')).toBe(0);
  });

  it('leaves out unwanted passages, which count all the same', () => {
    const { index } = indexOf('a', 'b', 'c');
    const wanted = index.search('whale ship', ({ name }) => name === 'b');
    expect(wanted.hits).toEqual(index.search('whale ship').hits.filter(({ passage }) => passage.name === 'b'));
    expect(wanted.full).toBe(index.search('whale ship').full);
  });

  it('leaves out what more than half of many passages have, unless nothing else is found', () => {
    const passages = Array.from({ length: 2002 }, (_, i) => ({ text: i < 1001 ? `the ship ${i}` : `the whale${i}` }));
    const index = wordIndex<{ text: string }>(({ text }) => text, {});
    for (const passage of passages) index.add(passage);
    const found = (query: string) => index.search(query).hits.length;
    expect([found('the'), found('the 7'), found('the penguin'), found('7 the')]).toEqual([2002, 1, 2002, 1]);
    expect([found('ship 1500'), found('ship 7')]).toEqual([1001, 1001]); // half is not more than half
    index.remove(passages[1500]);
    index.remove(passages[1501]);
    expect(found('the ship')).toBe(2000);
    expect(found('ship 7')).toBe(1);
    index.add(passages[1500]);
    index.add(passages[1501]);
    expect(found('ship 7')).toBe(1001);
  });
});
