import { describe, expect, it } from 'vitest';
import type { Embeddings } from '../api/embeddings';
import { similarity } from '../similarity';
import { pack } from '../tasks/embedding-precision';
import { embeddingsOf } from '../tasks/embeddings-of';
import { random } from './fixtures';
import { nearest } from './nearest';
import { TopK } from './top-k';
import { type Row, VectorTable } from './vector-table';

/** Unit rows. */
function unitRows(rows: number, dim: number, seed: number): Embeddings {
  const next = random(seed);
  const data = Float32Array.from({ length: rows * dim }, next);
  for (let r = 0; r < rows; r++) {
    const row = data.subarray(r * dim, (r + 1) * dim);
    const length = Math.hypot(...row);
    for (let c = 0; c < dim; c++) row[c] /= length;
  }
  return embeddingsOf({ data, rows, dim });
}

function tableOf(
  precision: 'float32' | 'int8' | 'binary',
  { data, rows, dim }: { data: Row; rows: number; dim: number },
) {
  const table = new VectorTable(precision, dim);
  for (let r = 0; r < rows; r++) table.push(data.subarray(r * dim, (r + 1) * dim));
  return table;
}

const bruteForce = (scores: Float32Array, topK: number) =>
  Array.from(scores, (score, row) => ({ row, score }))
    .sort((a, b) => b.score - a.score || a.row - b.row)
    .slice(0, topK);

const SIZES = [
  { rows: 1, dim: 1, topK: 1 },
  { rows: 1, dim: 7, topK: 10 },
  { rows: 65, dim: 33, topK: 3 },
  { rows: 257, dim: 130, topK: 64 },
  { rows: 1000, dim: 31, topK: 1000 },
];

describe.each(SIZES)('of $rows vectors of $dim numbers the best $topK', ({ rows, dim, topK }) => {
  const all = unitRows(rows, dim, 1);
  const query = unitRows(1, dim, 2);

  it('are those of similarity, in float32', () => {
    const [scores] = similarity(query, all);
    const found = nearest(query.data, tableOf('float32', all), topK);
    const expected = bruteForce(scores, topK);
    expect(found.map(({ row }) => row)).toEqual(expected.map(({ row }) => row));
    for (const [i, { score }] of found.entries()) expect(score).toBeCloseTo(expected[i].score, 6);
  });

  it('are those of similarity, in int8', () => {
    const packed = (e: Embeddings) =>
      embeddingsOf<'int8'>({ data: pack('int8', dim, undefined)(e.data), rows: e.rows, dim });
    const [scores] = similarity(packed(query), packed(all));
    const found = nearest(packed(query).data, tableOf('int8', packed(all)), topK);
    const expected = bruteForce(scores, topK);
    for (const [i, { row, score }] of found.entries()) {
      expect(score).toBeCloseTo(expected[i].score, 6);
      expect(score).toBeCloseTo(scores[row], 6);
    }
    expect(new Set(found.map(({ row }) => row)).size).toBe(expected.length);
  });
});

it('binary: those that differ in the fewest bits, compared by int8', () => {
  const [rows, dim, topK] = [1500, 70, 4];
  const int8 = (e: Embeddings) =>
    embeddingsOf<'int8'>({ data: pack('int8', dim, undefined)(e.data), rows: e.rows, dim });
  const [query, all] = [int8(unitRows(1, dim, 3)), int8(unitRows(rows, dim, 4))];
  const bits = (row: Int8Array) =>
    embeddingsOf<'binary'>({
      data: pack('binary', dim, undefined)(Float32Array.from(row)),
      rows: row.length / dim,
      dim,
    });
  const [byBits] = similarity(bits(query.data), bits(all.data));
  const [byInt8] = similarity(query, all);
  const candidates = bruteForce(byBits, 400);
  const expected = candidates
    .map(({ row }) => ({ row, score: byInt8[row] }))
    .sort((a, b) => b.score - a.score)
    .slice(0, topK);
  const found = nearest(query.data, tableOf('binary', all), topK);
  expect(found.map(({ row }) => row)).toEqual(expected.map(({ row }) => row));
  for (const [i, { score }] of found.entries()) expect(score).toBeCloseTo(expected[i].score, 6);
  expect(nearest(query.data, tableOf('binary', all), rows)).toHaveLength(rows);
});

it.each(['float32', 'int8', 'binary'] as const)('%s: only the allowed rows', (precision) => {
  const dim = 20;
  const { data } = unitRows(50, dim, 5);
  const rows = precision === 'float32' ? data : pack('int8', dim, undefined)(data);
  const allowed = Uint8Array.from({ length: 50 }, (_, i) => Number(i % 3 === 1));
  const table = tableOf(precision, { data: rows, rows: 50, dim });
  const found = nearest(rows.slice(0, dim), table, 50, allowed).map(({ row }) => row);
  expect(found.sort((a, b) => a - b)).toEqual(
    Array.from({ length: 17 }, (_, i) => 3 * i + 1).filter((row) => row < 50),
  );
  expect(nearest(rows.slice(0, dim), table, 5, new Uint8Array(50))).toEqual([]);
  expect(nearest(rows.slice(0, dim), new VectorTable(precision, dim), 5)).toEqual([]);
});

it('of equal scores the earlier row comes first, whatever is offered later', () => {
  const next = random(9);
  for (let size = 1; size < 12; size++) {
    const scores = Float32Array.from({ length: 100 }, () => Math.round(next() * 4));
    const best = new TopK(size);
    for (const [row, score] of scores.entries()) best.offer(row, score);
    expect(best.sorted()).toEqual(bruteForce(scores, size));
  }
});

it.each(['float32', 'int8', 'binary'] as const)(
  '%s: a removed row is replaced by the last, and its place is used again',
  (precision) => {
    const dim = 37;
    const { data } = unitRows(200, dim, 6);
    const all = precision === 'float32' ? data : pack('int8', dim, undefined)(data);
    const rowOf = (i: number) => all.slice(i * dim, (i + 1) * dim);
    const table = tableOf(precision, { data: all, rows: 200, dim });
    const held = Array.from({ length: 200 }, (_, i) => i);
    const next = random(7);
    for (let step = 0; step < 300; step++) {
      if (held.length > 0 && next() > -0.2) {
        const row = Math.floor(((next() + 1) / 2) * held.length);
        table.remove(row);
        const last = held.pop()!;
        if (row < held.length) held[row] = last;
      } else {
        expect(table.push(rowOf(step % 200))).toBe(held.length);
        held.push(step % 200);
      }
      if (held.length === 0) continue;
      const at = step % held.length;
      expect(table.copy([at])).toEqual(rowOf(held[at]));
      const [best] = nearest(rowOf(held[at]), table, 1);
      expect(held[best.row]).toBe(held[at]);
      expect(best.score).toBeCloseTo(1, 6);
    }
    expect(table.count).toBe(held.length);
  },
);

it('says how much memory there is not', () => {
  expect(() => new VectorTable('float32', 4096).reserve(1e9)).toThrow(
    /There is no memory for 1000000000 vectors of 4096 numbers in float32 \(16384000 MB\). Use int8/,
  );
});
