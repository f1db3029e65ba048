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
    if (Array.isArray(words) && words.every((word) => typeof word === 'string'))
      return words.filter((word) => word !== '');
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
  return (text) => {
    // NFKC, so that one character has one spelling: composed or not, full width or not.
    const normal = lower(text.normalize('NFKC'));
    const runs: string[] = normal.match(RUN) ?? [];
    return UNSPACED.test(normal) ? runs.flatMap(wordsOf) : runs; // most texts need one test, not one per word
  };
}

/** Lucene's; the library's own parameters are those of BM25+. */
const BM25 = { k: 1.2, b: 0.75, d: 0 };
/** What a word counts that only begins with the query's last, at most. */
const PREFIX = 0.375;
/** A word that more than half of the passages have says little. In a small index it costs little, too. */
const COMMON = { share: 0.5, passages: 1000 };

export interface WordHits<P> {
  /** The passages that have one of the query's words, or one that begins with its last (of two letters or more), best first. */
  hits: { passage: P; score: number }[];
  /**
   * About the score of a passage that has all of the query's words: one of mean length that has each once. Those that no passage has count as one word
   * together: they may be what the query is about, or no more than "do" and "you" among few passages.
   */
  full: number;
}

export interface WordIndex<P> {
  add(passage: P): void;
  remove(passage: P): void;
  /** `isWanted`: which passages may be hits. Common words are left out, unless the query has no others that are found. */
  search(query: string, isWanted?: (passage: P) => boolean): WordHits<P>;
}

/** An index of passages that are told apart as objects; `textOf` must give the same text for `remove`. */
export function wordIndex<P>(textOf: (passage: P) => string, options: WordOptions): WordIndex<P> {
  const split = wordSplitter(options);
  /** How many passages have a word. */
  const counts = new Map<string, number>();
  const index = new MiniSearch<{ passage: P; words: readonly string[] }>({
    idField: 'passage',
    fields: ['words'],
    // The words are split before, as they are counted too; the library hands on what it gets.
    stringifyField: (words) => words,
    tokenize: (words) => words as unknown as string[],
    processTerm: (word) => word,
    searchOptions: { bm25: BM25, weights: { prefix: PREFIX, fuzzy: 0 } },
  });
  const count = (words: readonly string[], by: 1 | -1) => {
    for (const word of new Set(words)) {
      const passages = (counts.get(word) ?? 0) + by;
      if (passages > 0) counts.set(word, passages);
      else counts.delete(word);
    }
  };
  const idf = (passages: number) => Math.log(1 + (index.documentCount - passages + 0.5) / (passages + 0.5));
  return {
    add(passage) {
      const words = split(textOf(passage));
      index.add({ passage, words });
      count(words, 1);
    },
    remove(passage) {
      const words = split(textOf(passage));
      index.remove({ passage, words });
      count(words, -1);
    },
    search(query, isWanted = () => true) {
      const all = split(query);
      const last = all.at(-1);
      const most = Math.max(COMMON.share * index.documentCount, COMMON.passages);
      const rare = all.filter((word) => (counts.get(word) ?? 0) <= most);
      const words = [...new Set(rare.some((word) => counts.has(word)) ? rare : all)];
      const hits: WordHits<P>['hits'] = [];
      let withLast = 0;
      index.search(query, {
        tokenize: () => words,
        prefix: (word) => word === last && word.length > 1, // one letter begins too many words
        // Takes the hits from the library before it sorts them: by a product with the number of words found, which is no part of BM25.
        filter({ id, score, queryTerms }) {
          if (queryTerms.includes(last!)) withLast++;
          if (isWanted(id)) hits.push({ passage: id, score: score / queryTerms.length });
          return false;
        },
      });
      hits.sort((a, b) => b.score - a.score);
      const known = words.filter((word) => counts.has(word));
      const begins = last !== undefined && !counts.has(last) && withLast > 0;
      const full =
        known.reduce((sum, word) => sum + idf(counts.get(word)!), 0) +
        (begins ? PREFIX * idf(withLast) : 0) +
        (known.length + Number(begins) < words.length ? idf(0) : 0);
      return { hits, full };
    },
  };
}
