/** The search by words: BM25 over passages. */
import MiniSearch from 'minisearch';
import { shown } from '../formats/json-fields';
import type { WordOptions } from './types';

/** Letters, digits and marks. */
const RUN = /[\p{L}\p{N}\p{M}]+/gu;
/** Scripts that are written without spaces between words. */
const UNSPACED =
  /[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}\p{Script=Thai}\p{Script=Lao}\p{Script=Khmer}\p{Script=Myanmar}]/u;

/** The caller's function, which must return words. */
function checkedSplit(split: (text: string) => string[]): (text: string) => string[] {
  if (typeof split !== 'function') throw new TypeError(`words.split must be a function, it is a ${typeof split}.`);
  const checked = (text: string) => {
    const words: unknown = split(text);
    if (Array.isArray(words) && words.every((word) => typeof word === 'string')) return words;
    throw new TypeError(`words.split must return a list of strings, it returned ${shown(words)}.`);
  };
  checked('a b');
  return checked;
}

/** Words in lower case: runs of letters, digits and marks; where there are no spaces, what Intl.Segmenter finds. */
export function wordSplitter({ language, split }: WordOptions): (text: string) => string[] {
  if (split !== undefined) return checkedSplit(split);
  const lower = (text: string) => (language === undefined ? text.toLowerCase() : text.toLocaleLowerCase(language));
  const segmenter = new Intl.Segmenter(language, { granularity: 'word' });
  const wordsOf = (run: string) =>
    UNSPACED.test(run)
      ? Array.from(segmenter.segment(run), ({ segment, isWordLike }) => (isWordLike ? segment : '')).filter(Boolean)
      : [run];
  // NFKC, so that one character has one spelling: composed or not, full width or not.
  return (text) => (lower(text.normalize('NFKC')).match(RUN) ?? []).flatMap(wordsOf);
}

export interface WordIndex<P> {
  add(passage: P): void;
  remove(passage: P): void;
  /** All passages that have one of the query's words, or one that begins with its last (of two letters or more), best first. */
  search(query: string): { passage: P; score: number }[];
}

/** An index of passages that are told apart as objects; `textOf` must give the same text for `remove`. */
export function wordIndex<P>(textOf: (passage: P) => string, options: WordOptions): WordIndex<P> {
  const index = new MiniSearch<P>({
    fields: ['text'],
    extractField: (passage, field) => (field === 'id' ? passage : textOf(passage)),
    tokenize: wordSplitter(options),
    processTerm: (word) => word,
    searchOptions: {
      bm25: { k: 1.2, b: 0.75, d: 0 }, // Lucene's; the library's own are those of BM25+
      prefix: (word, i, words) => i === words.length - 1 && word.length > 1, // one letter begins too many words
    },
  });
  return {
    add: (passage) => index.add(passage),
    remove: (passage) => index.remove(passage),
    search: (query) =>
      // The library multiplies by the number of the query's words that were found, which is no part of BM25.
      index
        .search(query)
        .map(({ id, score, queryTerms }) => ({ passage: id as P, score: score / queryTerms.length }))
        .sort((a, b) => b.score - a.score),
  };
}
