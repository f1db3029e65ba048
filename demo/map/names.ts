/** Names of clusters by the words that set them apart: c-TF-IDF (Grootendorst 2022, BERTopic). */

/** Letters and marks, three at least. */
const WORD = /[\p{L}\p{M}]{3,}/gu;
/** Scripts that are written without spaces between words. */
const UNSPACED =
  /[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}\p{Script=Thai}\p{Script=Lao}\p{Script=Khmer}\p{Script=Myanmar}]/u;
const segmenter = new Intl.Segmenter(undefined, { granularity: 'word' });

/** A text's words in lower case: three letters or more; two where scripts have no spaces. */
export function wordsOf(text: string): string[] {
  const lower = text.normalize('NFKC').toLowerCase();
  if (!UNSPACED.test(lower)) return lower.match(WORD) ?? [];
  return Array.from(segmenter.segment(lower), ({ segment, isWordLike }) => (isWordLike ? segment : '')).filter(
    (word) => word.length >= (UNSPACED.test(word) ? 2 : 3) && /^[\p{L}\p{M}]+$/u.test(word),
  );
}

/** How often each word stands in a class. */
export type WordCounts = Map<string, number>;

/**
 * c-TF-IDF of every word of every class: tf · log(1 + A / f). tf: how often the class has it. f: how often all classes have it. A: the mean number of
 * words per class.
 */
export function classTfIdf(classes: WordCounts[]): Map<string, number>[] {
  const everywhere = summed(classes);
  const mean = totalOf(everywhere) / classes.length;
  return classes.map(
    (counts) => new Map(Array.from(counts, ([word, n]) => [word, n * Math.log(1 + mean / everywhere.get(word)!)])),
  );
}

/** How much more often a cluster must have a word than all texts have it. */
const LIFT = 1.5;
/** The share of a cluster's texts that a name stands in, at least. */
const COVERED = 0.05;
/** Words that begin with the same letters are one word's forms. */
const STEM = 4;

/**
 * For each cluster the `most` words that set it apart, best first. `of`: the cluster of each text, 0 to k - 1. Words are ranked by c-TF-IDF, times
 * log(texts / texts with the word), times log(share of the cluster's words / share of all words): a few clusters tell c-TF-IDF too little of which words
 * are common everywhere. A word in few of a cluster's texts does not name it.
 */
export function nameClusters(words: string[][], of: Int32Array, k: number, most: number): string[][] {
  const classes: WordCounts[] = Array.from({ length: k }, () => new Map());
  const textsOf: WordCounts[] = Array.from({ length: k }, () => new Map());
  const sizes = new Int32Array(k);
  for (const [i, list] of words.entries()) {
    sizes[of[i]]++;
    addTo(classes[of[i]], list);
    addTo(textsOf[of[i]], new Set(list));
  }
  const [inTexts, inAll] = [summed(textsOf), summed(classes)];
  const total = totalOf(inAll);
  return classTfIdf(classes).map((scores, c) => {
    const own = totalOf(classes[c]);
    const least = Math.max(2, COVERED * sizes[c]);
    const ranked: { word: string; score: number }[] = [];
    for (const [word, score] of scores) {
      const lift = (classes[c].get(word)! * total) / (own * inAll.get(word)!);
      if (textsOf[c].get(word)! < least || (k > 1 && lift < LIFT)) continue;
      const rarity = Math.log((words.length + 1) / inTexts.get(word)!);
      ranked.push({ word, score: score * rarity * (k > 1 ? Math.log(lift) : 1) });
    }
    ranked.sort((a, b) => b.score - a.score || (a.word < b.word ? -1 : 1));
    const names: string[] = [];
    for (const { word } of ranked) {
      if (names.length === most) break;
      if (!names.some((name) => name.slice(0, STEM) === word.slice(0, STEM))) names.push(word);
    }
    return names;
  });
}

function addTo(counts: WordCounts, words: Iterable<string>): void {
  for (const word of words) counts.set(word, (counts.get(word) ?? 0) + 1);
}

function summed(all: WordCounts[]): WordCounts {
  const sum: WordCounts = new Map();
  for (const counts of all) for (const [word, n] of counts) sum.set(word, (sum.get(word) ?? 0) + n);
  return sum;
}

const totalOf = (counts: WordCounts): number => {
  let total = 0;
  for (const n of counts.values()) total += n;
  return total;
};
