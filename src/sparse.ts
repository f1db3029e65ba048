/** Sparse embeddings outside a model: their rows, how alike two are, and a search through many. */
import type { Metric, SparseEmbeddings, SparseRow } from './api/embeddings';
import { wrongChoice } from './api/errors';
import { checkSpaces } from './same-space';

/** The numbers of sparse embeddings as embeddings. */
export const sparseEmbeddings = (parts: Omit<SparseEmbeddings, 'row'>): SparseEmbeddings => ({
  ...parts,
  row(i) {
    const [from, to] = [parts.offsets[i], parts.offsets[i + 1]];
    const { ids, weights, embeddingSpace } = parts;
    return { ids: ids.subarray(from, to), weights: weights.subarray(from, to), embeddingSpace };
  },
});

/** Rows one after the other. `size`: of the vocabulary. */
export function sparseRows(rows: SparseRow[], size: number, embeddingSpace?: string): SparseEmbeddings {
  const offsets = new Uint32Array(rows.length + 1);
  for (const [i, { ids }] of rows.entries()) offsets[i + 1] = offsets[i] + ids.length;
  const ids = new Uint32Array(offsets[rows.length]);
  const weights = new Float32Array(ids.length);
  for (const [i, row] of rows.entries()) {
    ids.set(row.ids, offsets[i]);
    weights.set(row.weights, offsets[i]);
  }
  return sparseEmbeddings({ ids, weights, offsets, rows: rows.length, size, embeddingSpace });
}

/** The dot product of two sparse rows: the sum over the tokens that both have. Throws a RangeError if their embedding spaces differ. */
export const sparseDot = (a: SparseRow, b: SparseRow): number => {
  checkSpaces(a, b);
  return dot(a, b);
};

const dot = (a: SparseRow, b: SparseRow): number => {
  let total = 0;
  for (let i = 0, j = 0; i < a.ids.length && j < b.ids.length; ) {
    const [x, y] = [a.ids[i], b.ids[j]];
    if (x === y) total += a.weights[i] * b.weights[j];
    if (x <= y) i++;
    if (y <= x) j++;
  }
  return total;
};

const length = ({ weights }: SparseRow): number => Math.sqrt(weights.reduce((sum, x) => sum + x * x, 0));

const METRICS: Record<Metric, (a: SparseRow, b: SparseRow) => number> = {
  cosine: (a, b) => dot(a, b) / Math.max(length(a) * length(b), 1e-12),
  dot,
  euclidean: (a, b) => -Math.sqrt(between(a, b, (x) => x * x)),
  manhattan: (a, b) => -between(a, b, Math.abs),
};

/** The sum over all tokens of `term` of the weights' difference. */
function between(a: SparseRow, b: SparseRow, term: (difference: number) => number): number {
  let total = 0;
  for (let i = 0, j = 0; i < a.ids.length || j < b.ids.length; ) {
    const x = a.ids[i] ?? Infinity;
    const y = b.ids[j] ?? Infinity;
    total += term((x <= y ? a.weights[i++] : 0) - (y <= x ? b.weights[j++] : 0));
  }
  return total;
}

/**
 * The similarity of each row i of `a` to each row j of `b`: result[i][j], larger is more similar; as sentence-transformers' SparseEncoder.similarity. Throws
 * a RangeError if their embedding spaces differ.
 */
export function sparseSimilarity(a: SparseEmbeddings, b: SparseEmbeddings, metric: Metric = 'dot'): Float32Array[] {
  const compare = METRICS[metric];
  if (!compare) throw wrongChoice('metric', Object.keys(METRICS), metric);
  checkSpaces(a, b);
  return Array.from({ length: a.rows }, (_, i) =>
    Float32Array.from({ length: b.rows }, (_, j) => compare(a.row(i), b.row(j))),
  );
}

/** A document that a query found. `score`: the dot product. */
export interface SparseHit<Id> {
  id: Id;
  score: number;
}

/** An index in memory, made by sparseIndex. */
export interface SparseIndex<Id> {
  /** Documents in it. */
  readonly length: number;
  /** Adds rows under these ids; default: 0, 1, 2, … Throws a RangeError for an id that is there already, and for another embedding space. */
  add(embeddings: SparseEmbeddings, ids?: Id[]): void;
  /**
   * The `k` documents (default 10) with the largest dot product with the query, best first, equal ones in the order in which they were added. Those
   * that share no token with it are left out, so there may be fewer. Throws a RangeError for a query of another embedding space.
   */
  search(query: SparseRow, k?: number): SparseHit<Id>[];
}

/** The documents that have a token, and its weight in each. */
interface Postings {
  length: number;
  documents: Uint32Array;
  weights: Float32Array;
}

/**
 * An exact index of sparse embeddings: for each token the documents that have it, so that a search reads those of the query's tokens alone. It
 * takes 8 to 16 bytes per weight. To keep it, store the embeddings' arrays: an index is built from them in one pass.
 */
export function sparseIndex<Id = number>(): SparseIndex<Id> {
  const postings = new Map<number, Postings>();
  const known: Id[] = [];
  const seen = new Set<Id>();
  /** Those that the documents have, if any have one. */
  const space: { embeddingSpace?: string } = {};
  /** Of every document, reused. */
  let scores = new Float64Array();

  function append(token: number, document: number, weight: number): void {
    const list = postings.get(token) ?? { length: 0, documents: new Uint32Array(4), weights: new Float32Array(4) };
    if (list.length === 0) postings.set(token, list);
    if (list.length === list.documents.length) {
      const { documents, weights } = list;
      list.documents = new Uint32Array(2 * list.length);
      list.documents.set(documents);
      list.weights = new Float32Array(2 * list.length);
      list.weights.set(weights);
    }
    list.documents[list.length] = document;
    list.weights[list.length++] = weight;
  }

  return {
    get length() {
      return known.length;
    },

    add(embeddings, ids = Array.from({ length: embeddings.rows }, (_, i) => (known.length + i) as Id)) {
      if (ids.length !== embeddings.rows) {
        throw new RangeError(`There are ${ids.length} ids for ${embeddings.rows} rows.`);
      }
      checkSpaces(space, embeddings);
      const added = new Set<Id>();
      for (const id of ids) {
        if (seen.has(id) || added.has(id)) {
          throw new RangeError(`The index has a document '${String(id).slice(0, 100)}' already.`);
        }
        added.add(id);
      }
      space.embeddingSpace ??= embeddings.embeddingSpace;
      for (const [i, id] of ids.entries()) {
        const row = embeddings.row(i);
        for (let e = 0; e < row.ids.length; e++) append(row.ids[e], known.length, row.weights[e]);
        known.push(id);
        seen.add(id);
      }
    },

    search(query, k = 10) {
      if (!Number.isInteger(k) || k < 1) throw new RangeError(`k must be a positive integer, it is ${k}.`);
      checkSpaces(space, query);
      if (scores.length < known.length) scores = new Float64Array(2 * known.length);
      const found = new Set<number>();
      for (let q = 0; q < query.ids.length; q++) {
        const list = postings.get(query.ids[q]);
        if (!list) continue;
        for (let i = 0; i < list.length; i++) {
          scores[list.documents[i]] += query.weights[q] * list.weights[i];
          found.add(list.documents[i]);
        }
      }
      const best = largest(found, scores, k).map((document) => ({ id: known[document], score: scores[document] }));
      for (const document of found) scores[document] = 0;
      return best;
    },
  };
}

/** The k documents of the largest scores, best first: a heap of the best so far, whose top is the worst of them. */
function largest(documents: Iterable<number>, scores: Float64Array, k: number): number[] {
  const heap: number[] = [];
  const isWorse = (a: number, b: number) => scores[a] < scores[b] || (scores[a] === scores[b] && a > b);
  const swap = (i: number, j: number) => {
    [heap[i], heap[j]] = [heap[j], heap[i]];
  };
  for (const document of documents) {
    let at = heap.length;
    if (at < k) {
      heap.push(document);
      for (let up = (at - 1) >> 1; at > 0 && isWorse(heap[at], heap[up]); up = (at - 1) >> 1) {
        swap(at, up);
        at = up;
      }
      continue;
    }
    if (!isWorse(heap[0], document)) continue;
    heap[0] = document;
    for (at = 0; ; ) {
      const [left, right] = [2 * at + 1, 2 * at + 2];
      let least = at;
      if (left < k && isWorse(heap[left], heap[least])) least = left;
      if (right < k && isWorse(heap[right], heap[least])) least = right;
      if (least === at) break;
      swap(at, least);
      at = least;
    }
  }
  return heap.sort((a, b) => (isWorse(a, b) ? 1 : -1));
}
