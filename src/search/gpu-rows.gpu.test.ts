import { afterAll, describe, expect, it } from 'vitest';
import type { Precision } from '../api/embeddings';
import { openGpu } from '../gpu/device';
import { openTestGpu, withShaders } from '../gpu/fixtures';
import { GROUP } from '../kernels/group_max';
import { groupMax } from '../kernels/twins';
import { random } from './fixtures';
import { GpuRows } from './gpu-rows';
import { nearest } from './nearest';
import { spansOf } from './spans';
import { type Row, scaleOf, VectorTable } from './vector-table';

const gpu = await openTestGpu();
afterAll(() => gpu.device.destroy());

const rowOf = (precision: Precision, dim: number, next: () => number): Row =>
  precision === 'float32'
    ? Float32Array.from({ length: dim }, next)
    : Int8Array.from({ length: dim }, () => Math.round(next() * 127));

function tableOf(precision: Precision, count: number, dim: number, next: () => number): VectorTable {
  const table = new VectorTable(precision, dim);
  for (let row = 0; row < count; row++) table.push(rowOf(precision, dim, next));
  return table;
}

/** The vectors of a table as numbers, int8 ones divided by their lengths. */
const matrixOf = ({ precision, data, dim, count, scales }: VectorTable) =>
  Array.from({ length: count }, (_, row) =>
    Float64Array.from(data.subarray(row * dim, (row + 1) * dim), (x) => x * (precision === 'int8' ? scales[row] : 1)),
  );

const SIZES = [
  { count: 1, dim: 1 },
  { count: 31, dim: 7 },
  { count: 33, dim: 33 },
  { count: 1025, dim: 130 },
  { count: 700, dim: 384 },
  { count: 1030, dim: 9000 }, // two segments of float32
];

describe.each(['float32', 'int8'] as const)('%s', (precision) => {
  it.each(SIZES)('the bounds of $count rows of $dim numbers', async ({ count, dim }) => {
    const next = random(count);
    const table = tableOf(precision, count, dim, next);
    const rows = await GpuRows.open(gpu, table);
    await rows.copy(Infinity);
    expect(table.changed.size).toBe(0);
    const query = rowOf(precision, dim, next);
    const allowed = Uint8Array.from({ length: count }, () => Number(next() > -0.5));
    for (const filter of [undefined, allowed, new Uint8Array(count)]) {
      const { lower, upper } = await rows.bounds(query, filter);
      const twin = groupMax(Float64Array.from(query), matrixOf(table), GROUP, (row) => !filter || filter[row] === 1);
      expect(lower.length).toBe(twin.length);
      for (const [group, [score, size]] of twin.entries()) {
        if (score === -Infinity) {
          expect(upper[group]).toBeLessThan(-3e38);
          continue;
        }
        expect(lower[group]).toBeLessThanOrEqual(score);
        expect(upper[group]).toBeGreaterThanOrEqual(score);
        // Bounds that are no nearer would be of no use.
        expect(upper[group] - lower[group]).toBeLessThan(3e-4 * size + 1e-20);
      }
    }
  });

  it('the best rows are those of the CPU, also of equal ones, and after changes', async () => {
    const [dim, count] = [24, 3000];
    const next = random(7);
    const table = tableOf(precision, count, dim, next);
    const same = table.copy([5]);
    for (let i = 0; i < 100; i++) table.push(same); // as many texts that are the same
    const rows = await GpuRows.open(gpu, table);
    const checkBest = async (query: Row) => {
      await rows.copy(Infinity);
      for (const filter of [undefined, Uint8Array.from({ length: table.count }, (_, row) => Number(row % 3 > 0))]) {
        const bounds = await rows.bounds(query, filter);
        for (const topK of [1, 10, 40, 99, 1000, 5000]) {
          const spans = spansOf(bounds, topK, table.count);
          expect(nearest(query, table, topK, filter, spans)).toEqual(nearest(query, table, topK, filter));
          if (topK > 10) continue;
          const scanned = spans.reduce((sum, { from, to }) => sum + to - from, 0);
          expect(scanned).toBeLessThan(table.count / 4);
        }
      }
    };
    await checkBest(rowOf(precision, dim, next));
    await checkBest(same);
    for (const row of [5, 0]) table.remove(row);
    for (let i = 0; i < 10; i++) table.push(rowOf(precision, dim, next));
    expect([...table.changed].sort()).toEqual([0, 3]);
    await checkBest(rowOf(precision, dim, next));
    for (let i = 0; i < 1500; i++) table.push(rowOf(precision, dim, next));
    await checkBest(rowOf(precision, dim, next));
    while (table.count > 2000) table.remove(0);
    await checkBest(rowOf(precision, dim, next));
  });

  it('a row near to the query is found among large numbers and small ones', async () => {
    const dim = 64;
    for (const scale of precision === 'float32' ? [1e-18, 1e-6, 1e6, 1e15] : [1]) {
      const next = random(3);
      const scaled = () => next() * scale;
      const table = tableOf(precision, 640, dim, scaled);
      const rows = await GpuRows.open(gpu, table);
      await rows.copy(Infinity);
      for (const row of [0, 31, 32, 639]) {
        const query = table.copy([row]);
        const spans = spansOf(await rows.bounds(query), 1, table.count);
        const [found] = nearest(query, table, 1, undefined, spans);
        expect(found).toEqual(nearest(query, table, 1)[0]);
        const exact = scaleOf(query) ** -2;
        expect(found.score / (precision === 'int8' ? 1 : exact)).toBeCloseTo(1, 5);
      }
    }
  });
});

it('bounds what rounding changes, also where a compiler adds the products one by one', async () => {
  const one = 'score = fma(a.w, b.w, fma(a.z, b.z, fma(a.y, b.y, fma(a.x, b.x, score))))';
  const fused = withShaders((code) => code.replace('score += dot(a, b)', one));
  for (const dim of [384, 1024, 4096]) {
    const table = new VectorTable('float32', dim);
    // A thread's numbers, of which the first swallows the others: half of each sum's last place.
    table.push(Float32Array.from({ length: dim }, (_, i) => (i === 0 ? 2 ** 24 : i >= 32 && i % 32 < 4 ? 1 : 0)));
    const rows = await GpuRows.open(await openGpu(fused), table);
    await rows.copy(1);
    const query = new Float32Array(dim).fill(1);
    const { lower, upper } = await rows.bounds(query);
    const [{ score }] = nearest(query, table, 1);
    expect(score).toBeGreaterThan(lower[0]);
    expect(score).toBeLessThan(upper[0]);
    rows.dispose();
  }
});

it('numbers that overflow, or are none, hide no other rows, whatever max does with them', async () => {
  const max = 'most = max(most, vec2(bitcast<f32>(scores[i][0]), sizes[i][0]))';
  const second = `let x = ${max.slice(16, -1)}; most = select(x, most, most > x)`; // of a number and NaN
  const changed = withShaders((code) => code.replace(max, second));
  for (const { odd, query } of [
    { odd: NaN, query: 1 },
    { odd: Infinity, query: 1 },
    { odd: -Infinity, query: 1 },
    { odd: 3e38, query: 1e3 },
    { odd: -3e38, query: 1e3 },
  ]) {
    const table = new VectorTable('float32', 8);
    for (let row = 0; row < 64; row++) table.push(new Float32Array(8).fill(row === 1 ? odd : row === 0 ? 5 : row / 16));
    const rows = await GpuRows.open(await openGpu(changed), table);
    await rows.copy(1);
    const all = new Float32Array(8).fill(query);
    const bounds = await rows.bounds(all);
    for (const topK of [1, 2]) {
      const spans = spansOf(bounds, topK, table.count);
      expect(nearest(all, table, topK, undefined, spans)).toEqual(nearest(all, table, topK));
    }
    rows.dispose();
  }
});

it('two searches at once do not disturb each other', async () => {
  const next = random(1);
  const table = tableOf('float32', 2000, 16, next);
  const rows = await GpuRows.open(gpu, table);
  const copied = rows.copy(Infinity);
  const queries = Array.from({ length: 5 }, () => rowOf('float32', 16, next));
  const found = await Promise.all(queries.map((query) => rows.bounds(query)));
  await copied;
  for (const [i, query] of queries.entries()) {
    const spans = spansOf(found[i], 3, table.count);
    expect(nearest(query, table, 3, undefined, spans)).toEqual(nearest(query, table, 3));
  }
});
