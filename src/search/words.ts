/** The search by words: BM25 over passages. */
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

/** Lucene's. */
const BM25 = { k1: 1.2, b: 0.75 };
/** What a word counts that only begins with the query's last, at most; each letter more takes something away. */
const PREFIX = { weight: 0.375, letter: 0.3 };
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

/** A passage that is in the index. */
interface Entry<P> {
  passage: P;
  /** Entries are numbered as they are added. */
  number: number;
  /** Its different words. */
  length: number;
}

/** Where a word is: the passages by their numbers, and how often each has it. */
interface Postings<P> {
  entries: Entry<P>[];
  times: number[];
}

/** An index of passages that are told apart as objects; `textOf` must give the same text for `remove`. */
export function wordIndex<P>(textOf: (passage: P) => string, options: WordOptions): WordIndex<P> {
  const split = wordSplitter(options);
  const words = new Map<string, Postings<P>>();
  const entries = new Map<P, Entry<P>>();
  let next = 0;
  /** The sum of all lengths. */
  let total = 0;

  const idf = (passages: number) => Math.log(1 + (entries.size - passages + 0.5) / (passages + 0.5));

  /** Adds what a word counts to the scores of the passages that have it (Robertson and Zaragoza 2009, "The Probabilistic Relevance Framework"). */
  function score(scores: Map<Entry<P>, number>, { entries: found, times }: Postings<P>, weight: number) {
    const { k1, b } = BM25;
    const mean = total / entries.size;
    const rarity = weight * idf(found.length);
    for (const [i, entry] of found.entries()) {
      const saturated = (times[i] * (k1 + 1)) / (times[i] + k1 * (1 - b + (b * entry.length) / mean));
      scores.set(entry, (scores.get(entry) ?? 0) + rarity * saturated);
    }
  }

  return {
    add(passage) {
      const entry = { passage, number: next++, length: 0 };
      for (const word of split(textOf(passage))) {
        const known = words.get(word);
        if (!known) words.set(word, { entries: [entry], times: [1] });
        else if (known.entries.at(-1) === entry) {
          known.times[known.times.length - 1]++;
          continue;
        } else {
          known.entries.push(entry);
          known.times.push(1);
        }
        entry.length++;
      }
      entries.set(passage, entry);
      total += entry.length;
    },
    remove(passage) {
      const entry = entries.get(passage)!;
      for (const word of new Set(split(textOf(passage)))) {
        const { entries, times } = words.get(word)!;
        const at = placeOf(entries, entry);
        entries.splice(at, 1);
        times.splice(at, 1);
        if (entries.length === 0) words.delete(word);
      }
      entries.delete(passage);
      total -= entry.length;
    },
    search(query, isWanted = () => true) {
      const all = split(query);
      const most = Math.max(COMMON.share * entries.size, COMMON.passages);
      const rare = all.filter((word) => (words.get(word)?.entries.length ?? 0) <= most);
      const asked = [...new Set(rare.some((word) => words.has(word)) ? rare : all)];
      const known = asked.filter((word) => words.has(word));
      const scores = new Map<Entry<P>, number>();
      for (const word of known) score(scores, words.get(word)!, 1);
      const last = all.at(-1) ?? '';
      /** The passages with words that the last one begins; one letter begins too many. */
      const begun = new Set<Entry<P>>();
      for (const [word, postings] of last.length > 1 && asked.includes(last) ? words : []) {
        if (word === last || !word.startsWith(last)) continue;
        for (const entry of postings.entries) begun.add(entry);
        const more = word.length - last.length;
        score(scores, postings, (PREFIX.weight * word.length) / (word.length + PREFIX.letter * more));
      }
      const hits: WordHits<P>['hits'] = [];
      for (const [{ passage }, score] of scores) if (isWanted(passage)) hits.push({ passage, score });
      hits.sort((a, b) => b.score - a.score);
      const isBegun = !words.has(last) && begun.size > 0;
      const full =
        known.reduce((sum, word) => sum + idf(words.get(word)!.entries.length), 0) +
        (isBegun ? PREFIX.weight * idf(begun.size) : 0) +
        (known.length + Number(isBegun) < asked.length ? idf(0) : 0);
      return { hits, full };
    },
  };
}

/** The place of an entry among those of a word, which are in the order of their numbers. */
function placeOf<P>(entries: readonly Entry<P>[], { number }: Entry<P>): number {
  let [from, to] = [0, entries.length - 1];
  while (from < to) {
    const middle = (from + to) >> 1;
    if (entries[middle].number < number) from = middle + 1;
    else to = middle;
  }
  return from;
}
