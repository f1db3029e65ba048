/**
 * BM25 as Lucene computes it (Kamphuis et al., ECIR 2020), over words in lower case, without stemming or stop words. All queries are known before
 * the texts are read, so that the texts need no index: a first pass counts the queries' words, a second scores each text for all queries.
 */

/** Lucene's. */
const [K1, B] = [1.2, 0.75];

export const wordsOf = (text: string): string[] => text.toLowerCase().match(/[\p{L}\p{N}]+/gu) ?? [];

interface Word {
  /** Texts that have it. */
  texts: number;
  /** The queries that have it, once for each time. */
  queries: number[];
}

/** Reads all texts; the returned function scores one of them for each query, 0 if they share no word. Its result is valid until its next call. */
export async function bm25(
  queries: readonly string[],
  texts: AsyncIterable<string> | Iterable<string>,
): Promise<(text: string) => Float64Array> {
  const words = new Map<string, Word>();
  for (const [q, query] of queries.entries()) {
    for (const name of wordsOf(query)) {
      const word = words.get(name) ?? { texts: 0, queries: [] };
      words.set(name, word);
      word.queries.push(q);
    }
  }
  let [count, length] = [0, 0];
  for await (const text of texts) {
    const all = wordsOf(text);
    count++;
    length += all.length;
    for (const name of new Set(all)) {
      const word = words.get(name);
      if (word) word.texts++;
    }
  }
  const meanLength = length / count;
  const scores = new Float64Array(queries.length);
  return (text) => {
    scores.fill(0);
    const all = wordsOf(text);
    const times = new Map<Word, number>();
    for (const name of all) {
      const word = words.get(name);
      if (word) times.set(word, (times.get(word) ?? 0) + 1);
    }
    for (const [word, n] of times) {
      const rarity = Math.log(1 + (count - word.texts + 0.5) / (word.texts + 0.5));
      const weight = (rarity * n) / (n + K1 * (1 - B + (B * all.length) / meanLength));
      for (const query of word.queries) scores[query] += weight;
    }
    return scores;
  };
}
