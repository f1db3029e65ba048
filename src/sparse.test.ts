import { describe, expect, it } from 'vitest';
import type { SparseEmbeddings, SparseRow } from './api/embeddings';
import { randomMatrix } from './kernels/fixtures';
import { sparseDot, sparseIndex, sparseRows, sparseSimilarity } from './sparse';

const SIZE = 60;

const rowOf = (dense: ArrayLike<number>): SparseRow => {
  const ids = Uint32Array.from(Array.from({ length: dense.length }, (_, id) => id).filter((id) => dense[id] !== 0));
  return { ids, weights: Float32Array.from(ids, (id) => dense[id]) };
};

/** Rows of which most numbers are 0. */
const random = (seed: number, count: number) =>
  randomMatrix(seed, count, SIZE, 1).map((row) => row.map((x) => Math.max(0, Math.fround(x - 1))));

const embeddingsOf = (dense: Float64Array[]): SparseEmbeddings => sparseRows(dense.map(rowOf), SIZE);

const sum = (a: Float64Array, b: Float64Array, term: (x: number, y: number) => number) =>
  a.reduce((total, x, i) => total + term(x, b[i]), 0);

describe('sparseRows', () => {
  it('puts rows one after the other, and has them as views', () => {
    const rows = [rowOf([0, 2, 0, 3]), rowOf([0, 0, 0, 0]), rowOf([1, 0, 0, 0])];
    const found = sparseRows(rows, 4);
    expect(found).toMatchObject({ rows: 3, size: 4, offsets: Uint32Array.of(0, 2, 2, 3) });
    expect(rows.map((_, i) => found.row(i))).toEqual(rows);
    expect(found.row(2).ids.buffer).toBe(found.ids.buffer);
  });
});

describe('sparseSimilarity', () => {
  const [a, b] = [random(1, 5), random(2, 4)];
  it.each([
    ['dot', (x: Float64Array, y: Float64Array) => sum(x, y, (p, q) => p * q)],
    [
      'cosine',
      (x: Float64Array, y: Float64Array) =>
        sum(x, y, (p, q) => p * q) / Math.sqrt(sum(x, x, (p) => p * p) * sum(y, y, (p) => p * p)),
    ],
    ['euclidean', (x: Float64Array, y: Float64Array) => -Math.sqrt(sum(x, y, (p, q) => (p - q) ** 2))],
    ['manhattan', (x: Float64Array, y: Float64Array) => -sum(x, y, (p, q) => Math.abs(p - q))],
  ] as const)('%s as of dense rows', (metric, compare) => {
    const found = sparseSimilarity(embeddingsOf(a), embeddingsOf(b), metric);
    expect(found).toHaveLength(5);
    for (const [i, row] of found.entries()) {
      for (const [j, value] of row.entries()) expect(value).toBeCloseTo(compare(a[i], b[j]), 4);
    }
  });

  it('is the dot product by default, and 0 for rows that share nothing', () => {
    const [x, y] = [embeddingsOf(a), embeddingsOf(b)];
    expect(sparseSimilarity(x, y)).toEqual(sparseSimilarity(x, y, 'dot'));
    expect(sparseDot(rowOf([1, 0, 2]), rowOf([0, 5, 0]))).toBe(0);
    expect(sparseSimilarity(embeddingsOf([new Float64Array(SIZE)]), y, 'cosine')[0]).toEqual(new Float32Array(4));
  });

  it('refuses a metric that it does not know', () => {
    expect(() => sparseSimilarity(embeddingsOf(a), embeddingsOf(b), 'maxsim' as never)).toThrow(RangeError);
  });
});

describe('sparseIndex', () => {
  const documents = random(3, 200);
  const queries = random(4, 20);

  it('finds exactly what comparing with every document finds', () => {
    const index = sparseIndex();
    index.add(embeddingsOf(documents.slice(0, 70)));
    index.add(embeddingsOf(documents.slice(70)));
    expect(index.length).toBe(200);
    for (const query of queries) {
      const row = rowOf(query);
      const all = documents
        .map((document, id) => ({ id, score: sparseDot(row, rowOf(document)) }))
        .filter(({ score }) => score > 0)
        .sort((a, b) => b.score - a.score || a.id - b.id);
      for (const k of [1, 7, 500]) {
        const found = index.search(row, k);
        expect(found.map(({ id }) => id)).toEqual(all.slice(0, k).map(({ id }) => id));
        for (const [i, { score }] of found.entries()) expect(score).toBeCloseTo(all[i].score, 10);
      }
    }
  });

  it('has ids of the caller, and equal documents in their order', () => {
    const index = sparseIndex<string>();
    const same = [documents[0], documents[0], documents[0]];
    index.add(embeddingsOf(same), ['b', 'a', 'c']);
    expect(index.search(rowOf(documents[0]), 2).map(({ id }) => id)).toEqual(['b', 'a']);
    expect(index.search({ ids: new Uint32Array(), weights: new Float32Array() })).toEqual([]);
  });

  it('refuses an id twice, too few ids and a wrong k, and is then as before', () => {
    const index = sparseIndex<string>();
    index.add(embeddingsOf(documents.slice(0, 1)), ['a']);
    expect(() => index.add(embeddingsOf(documents.slice(0, 2)), ['b', 'a'])).toThrow(
      new RangeError("The index has a document 'a' already."),
    );
    expect(() => index.add(embeddingsOf(documents.slice(0, 2)), ['b'])).toThrow('There are 1 ids for 2 rows.');
    expect(() => index.search(rowOf(documents[0]), 0)).toThrow('k must be a positive integer, it is 0.');
    expect(index.length).toBe(1);
    expect(index.search(rowOf(documents[0])).map(({ id }) => id)).toEqual(['a']);
  });
});

describe('embedding spaces', () => {
  const row = { ids: Uint32Array.of(1), weights: Float32Array.of(2) };
  const [one, two, none] = ['one', 'two', undefined].map((space) => sparseRows([row], 4, space));
  const message = /^Vectors of different embedding spaces, (one|two) and (one|two), cannot be compared/;

  it('are those of the rows, and are not mixed', () => {
    expect(one.row(0).embeddingSpace).toBe('one');
    for (const other of [one, none]) {
      expect(sparseDot(one.row(0), other.row(0))).toBe(4);
      expect(sparseSimilarity(other, one)[0][0]).toBe(4);
    }
    expect(() => sparseDot(one.row(0), two.row(0))).toThrow(message);
    for (const metric of ['dot', 'manhattan'] as const)
      expect(() => sparseSimilarity(one, two, metric)).toThrow(message);
  });

  it('an index takes those of its documents alone', () => {
    const index = sparseIndex();
    index.add(none);
    index.add(one);
    expect(() => index.add(two)).toThrow(message);
    expect(index.length).toBe(2);
    expect(index.search(one.row(0))).toHaveLength(2);
    expect(index.search(row)).toHaveLength(2);
    expect(() => index.search(two.row(0))).toThrow(message);
  });
});
