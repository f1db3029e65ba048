/** The best documents of each query, kept while the documents come by: nothing else of them has to be held. */
import { byRank, compareIds } from './retrieval-metrics';

/** Documents of a query, best first, by their index. */
export interface Ranking {
  documents: Uint32Array;
  scores: Float32Array;
}

export interface Rankings {
  /** Documents that were offered, or skipped. */
  done: number;
  /** The next document, with its score for each query. `positive`: only scores above 0 count, as no word or token is shared otherwise. */
  offer(scores: ArrayLike<number>, positive: boolean): void;
  best(query: number): Ranking;
}

/** Keeps `depth` documents of each query. A document with a query's own id is not ranked for it, as in BEIR. */
export function rankings(
  queries: readonly { id: string }[],
  ids: readonly string[],
  depth: number,
  before?: Before,
): Rankings {
  const room = 2 * depth;
  const lists = queries.map((_, q) => {
    const list = { length: 0, documents: new Uint32Array(room), scores: new Float32Array(room), least: -Infinity };
    const old = before?.rankings[q];
    if (old) {
      list.documents.set(old.documents);
      list.scores.set(old.scores);
      list.length = old.documents.length;
    }
    return list;
  });
  const isBefore = (list: Ranking, i: number, j: number) =>
    list.scores[j] - list.scores[i] || compareIds(ids[list.documents[j]], ids[list.documents[i]]);
  const sorted = (list: (typeof lists)[number]): Ranking => {
    const order = Array.from({ length: list.length }, (_, i) => i)
      .sort((i, j) => isBefore(list, i, j))
      .slice(0, depth);
    return {
      documents: Uint32Array.from(order, (i) => list.documents[i]),
      scores: Float32Array.from(order, (i) => list.scores[i]),
    };
  };
  return {
    done: before?.done ?? 0,
    offer(scores, positive) {
      const document = this.done++;
      for (const [q, list] of lists.entries()) {
        const score = Math.fround(scores[q]);
        if (score < list.least || (positive && score <= 0) || queries[q].id === ids[document]) continue;
        list.documents[list.length] = document;
        list.scores[list.length++] = score;
        if (list.length < room) continue;
        const best = sorted(list);
        list.documents.set(best.documents);
        list.scores.set(best.scores);
        list.length = depth;
        list.least = best.scores[depth - 1];
      }
    },
    best: (query) => sorted(lists[query]),
  };
}

/** What an earlier run has done. */
export interface Before {
  done: number;
  rankings: Ranking[];
}

/** The bytes of rankings: for each query the number of its documents, the documents, and their scores. */
export function bytesOf(all: readonly Ranking[]): Uint8Array[] {
  return all.flatMap(({ documents, scores }) =>
    [Uint32Array.of(documents.length), documents, scores].map(
      (part) => new Uint8Array(part.buffer, part.byteOffset, part.byteLength),
    ),
  );
}

/** Throws a RangeError if bytes are missing. */
export function rankingsOf(bytes: Uint8Array, queries: number): Ranking[] {
  // An own copy is aligned (slice of a Buffer is none).
  const words = new Uint32Array(new Uint8Array(bytes).buffer);
  let at = 0;
  const take = (count: number) => {
    if (at + count > words.length) throw new RangeError('The rankings are incomplete.');
    at += count;
    return words.slice(at - count, at);
  };
  return Array.from({ length: queries }, () => {
    const [count] = take(1);
    const documents = take(count);
    return { documents, scores: new Float32Array(take(count).buffer) };
  });
}

/** Cormack et al., SIGIR 2009. */
const RRF = 60;

/** Reciprocal rank fusion: the sum of 1 / (60 + rank) over both rankings. */
export function fuse(a: Ranking, b: Ranking, ids: readonly string[]): Ranking {
  const scores = new Map<number, number>();
  for (const { documents } of [a, b]) {
    for (const [i, document] of documents.entries()) {
      scores.set(document, (scores.get(document) ?? 0) + 1 / (RRF + i + 1));
    }
  }
  const hits = Array.from(scores, ([document, score]) => ({ document, score, id: ids[document] }));
  return ranking(hits.sort(byRank).slice(0, Math.max(a.documents.length, b.documents.length)));
}

export const ranking = (hits: readonly { document: number; score: number }[]): Ranking => ({
  documents: Uint32Array.from(hits, ({ document }) => document),
  scores: Float32Array.from(hits, ({ score }) => score),
});
