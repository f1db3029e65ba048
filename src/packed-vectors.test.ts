import { describe, expect, it } from 'vitest';
import type { Embeddings } from './api/embeddings';
import { type PackedBits, packVectors } from './packed-vectors';
import { seededRandom } from './seeded-random';
import { maxSim, searchMaxSim } from './similarity';
import { embeddingsOf } from './tasks/embeddings-of';

/** Rows of unit length, from a seed. */
function unitRows(rows: number, dim: number, seed: number): Embeddings {
  const uniform = seededRandom(seed);
  const normal = () => Math.sqrt(-2 * Math.log(1 - uniform())) * Math.cos(2 * Math.PI * uniform());
  const data = Float32Array.from({ length: rows * dim }, normal);
  for (let r = 0; r < rows; r++) {
    const row = data.subarray(r * dim, (r + 1) * dim);
    const length = Math.sqrt(row.reduce((sum, x) => sum + x * x, 0));
    for (const [c, x] of row.entries()) row[c] = x / length;
  }
  return embeddingsOf<'float32'>({ data, rows, dim });
}
const rowOf = (embeddings: Embeddings, r: number) =>
  embeddingsOf<'float32'>({ data: embeddings.row(r).slice(), rows: 1, dim: embeddings.dim });

describe.each([
  [1, 0.79],
  [2, 0.93],
  [4, 0.99],
] as [PackedBits, number][])('token embeddings in %i bits', (bits, least) => {
  it.each([128, 96, 37])('of %i numbers: each row is itself by MaxSim, and near its direction', (dim) => {
    const vectors = unitRows(20, dim, dim);
    for (let r = 0; r < 20; r++) {
      const packed = packVectors(rowOf(vectors, r), bits);
      expect(packed.codes.length).toBe(Math.ceil((dim * bits) / 8));
      expect(maxSim(rowOf(vectors, r), packed)).toBeCloseTo(1, 5);
      // The product with itself is exact, so the packed row's own length tells its cosine.
      const axes = Float32Array.from({ length: dim * dim }, (_, i) => (i % (dim + 1) === 0 ? 1 : 0));
      const values = Array.from({ length: dim }, (_, c) =>
        maxSim(embeddingsOf<'float32'>({ data: axes.subarray(c * dim, (c + 1) * dim), rows: 1, dim }), packed),
      );
      expect(1 / Math.hypot(...values)).toBeGreaterThan(least - 1 / dim - (bits === 1 ? 0.1 : 0.03));
    }
  });

  it('finds by packed rows and ranks by exact ones', async () => {
    const documents = Array.from({ length: 60 }, (_, d) => unitRows(1 + (d % 13), 64, d + 7));
    const packed = documents.map((document) => packVectors(document, bits));
    const query = unitRows(5, 64, 1);
    const best = documents
      .map((document, index) => ({ index, score: maxSim(query, document) }))
      .sort((a, b) => b.score - a.score);
    const exact = async (index: number) => documents[index];
    expect(await searchMaxSim(query, packed, { topK: 5, candidates: 60, exact })).toEqual(best.slice(0, 5));
    const asked: number[] = [];
    const some = await searchMaxSim(query, packed, {
      topK: 3,
      exact: (index) => {
        asked.push(index);
        return documents[index];
      },
    });
    expect(asked.length).toBe(12);
    expect(some.map(({ score }) => score)).toEqual(some.map(({ index }) => maxSim(query, documents[index])));
    const rough = await searchMaxSim(query, packed, { topK: 60 });
    expect(rough.map(({ score }) => score)).toEqual(rough.map(({ index }) => maxSim(query, packed[index])));
  });
});

it('packs a row of zeros, and refuses what it cannot pack or compare', async () => {
  const zeros = embeddingsOf<'float32'>({ data: new Float32Array(8), rows: 1, dim: 8 });
  const packed = packVectors(zeros, 2);
  expect(maxSim(unitRows(2, 8, 3), packed)).toBe(0);
  expect(() => packVectors(zeros, 3 as 2)).toThrow(new RangeError('bits must be one of 1, 2, 4; it is 3.'));
  expect(() => packVectors(embeddingsOf<'int8'>({ data: new Int8Array(8), rows: 1, dim: 8 }) as never, 2)).toThrow(
    TypeError,
  );
  expect(() => maxSim(unitRows(2, 9, 3), packed)).toThrow(/of 9 and of 8 numbers/);
  await expect(searchMaxSim(unitRows(1, 8, 3), [packed, packVectors(zeros, 4)])).rejects.toThrow(
    'Document 1 has 4 bits per number, document 0 has 2.',
  );
  await expect(searchMaxSim(zeros, [packed], { topK: 0 })).rejects.toThrow('topK must be a positive integer, it is 0.');
  expect(await searchMaxSim(zeros, [])).toEqual([]);
});

it('keeps the embedding space, and refuses a query of another', async () => {
  const inSpace = (embeddingSpace: string | undefined) => ({ ...unitRows(2, 8, 3), embeddingSpace });
  const packed = packVectors(inSpace('one'), 2);
  expect(packed.embeddingSpace).toBe('one');
  const plain = packVectors(inSpace(undefined), 2);
  for (const query of [inSpace('one'), inSpace(undefined)]) {
    expect(maxSim(query, packed)).toBe(maxSim(query, plain));
    expect(await searchMaxSim(query, [plain, packed], { exact: () => query })).toHaveLength(2);
  }
  const message = /^Vectors of different embedding spaces, two and one, cannot be compared: make both with one model/;
  expect(() => maxSim(inSpace('two'), packed)).toThrow(message);
  await expect(searchMaxSim(inSpace('two'), [plain, packed])).rejects.toThrow(message);
  const exact = () => inSpace('one');
  await expect(searchMaxSim(inSpace('two'), [plain], { exact })).rejects.toThrow(message);
});
