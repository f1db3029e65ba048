import { afterAll, describe, expect, it } from 'vitest';
import { openTestGpu } from '../gpu/fixtures';
import { cumulate, expectClose, padded, randomMatrix, randomVector, runStep, unpadded } from './fixtures';
import { poolSpan } from './pool';
import { sparseRows } from './sparse_rows';
import { blocksOf, placeOf } from './sparse-blocks';
import { spladePool as spladePoolStep } from './splade_pool';
import { blank, upload, uploadWords } from './test-buffers';
import { type Matrix, sparseRow, spladePool } from './twins';

const gpu = await openTestGpu();
afterAll(() => gpu.device.destroy());

describe('splade_pool', () => {
  const STRIDE = 256;
  async function pooledOf(logits: Matrix, lengths: number[], pooling: 'max' | 'sum', twice: boolean, columns = STRIDE) {
    const cu_seqlens = cumulate(lengths);
    const spans = Uint32Array.from(lengths.flatMap((_, s) => poolSpan(cu_seqlens[s], cu_seqlens[s + 1])));
    const pooled = blank(gpu, lengths.length * STRIDE);
    const buffers = {
      logits: upload(gpu, padded(logits, { stride: STRIDE })),
      spans: uploadWords(gpu, spans),
      pooled,
    };
    const step = spladePoolStep<void>({ stride: STRIDE, pooling, twice }, buffers, () => lengths.length, columns);
    const data = await runStep(gpu, step, pooled, lengths.length * STRIDE);
    return unpadded(data, [lengths.length, columns], STRIDE);
  }

  it.each([
    { pooling: 'max', twice: false },
    { pooling: 'max', twice: true },
    { pooling: 'sum', twice: false },
    { pooling: 'sum', twice: true },
  ] as const)(
    '$pooling, log1p twice: $twice, of 104 columns of sequences of 1 to 200 tokens',
    async ({ pooling, twice }) => {
      const lengths = [1, 65, 16, 200, 2];
      const x = randomMatrix(1, 284, 104, 3);
      const found = await pooledOf(x, lengths, pooling, twice, 104);
      expectClose(found, spladePool(x, cumulate(lengths), pooling, twice), pooling === 'sum' ? 1e-4 : 2e-6);
    },
  );

  it('keeps small weights', async () => {
    const x = [1e-9, 1e-6, 1e-4, 0.0077, 0.0079, 0.1, 1e4, 1e30].map((value) => Float64Array.of(Math.fround(value)));
    const found = await pooledOf(
      x,
      x.map(() => 1),
      'max',
      false,
      1,
    );
    for (const [r, [logit]] of x.entries()) expect(found[r][0] / Math.log1p(logit)).toBeCloseTo(1, 4);
  });

  it.each(['max', 'sum'] as const)('%s: NaN and overflows stay visible', async (pooling) => {
    const x = randomMatrix(2, 40, 8);
    x[17][0] = Number.NaN;
    x[3][1] = Infinity;
    x[39][2] = 3.2e38;
    x[20][3] = -Infinity;
    const [row] = await pooledOf(x, [40], pooling, true, 8);
    expect([...row].map((weight) => Math.abs(weight) < 3e38)).toEqual([
      false,
      false,
      false,
      false,
      true,
      true,
      true,
      true,
    ]);
  });
});

describe('sparse_rows', () => {
  const VOCAB = 777;
  /** Many weights, weights with many equal ones, few weights, none. */
  const rows = [
    randomVector(3, VOCAB, 3),
    randomVector(4, VOCAB, 2).map((value) => Math.round(value)),
    randomVector(5, VOCAB, 1, -2.5),
    new Float64Array(VOCAB),
  ].map((row) => row.map((value) => Math.max(value, 0)));

  async function entriesOf(weights: Float64Array[], k: number, spec: { block: number; piece: number }) {
    const all = { vocab: VOCAB, ...spec };
    const data = new Float32Array(weights.length * blocksOf(all) * spec.block).fill(1e9); // beyond a piece nothing counts
    weights.forEach((row, r) => {
      for (const [id, weight] of row.entries()) data[placeOf(all, weights.length, r, id)] = weight;
    });
    const width = 2 * (1 + k);
    const entries = uploadWords(gpu, new Uint32Array(weights.length * width).fill(7));
    const bound = { of: entries, range: () => ({ offset: 0, size: weights.length * width * 4 }) };
    const step = sparseRows<void>(all, { weights: upload(gpu, data), entries: bound }, () => weights.length);
    const found = await runStep(gpu, step, entries, weights.length * width);
    const words = new Uint32Array(found.buffer);
    return weights.map((_, r) => {
      const [nonzero, count] = words.subarray(r * width);
      const at = (i: number) => r * width + 2 + 2 * i;
      return {
        nonzero,
        entries: Array.from({ length: count }, (_, i): [number, number] => [words[at(i)], found[at(i) + 1]]),
      };
    });
  }

  it.each([
    { k: 1, block: 128, piece: 777 },
    { k: 5, block: 1024, piece: 1024 },
    { k: 50, block: 256, piece: 384 },
    { k: 300, block: 128, piece: 384 },
    { k: 777, block: 256, piece: 384 },
    { k: 1000, block: 384, piece: 777 },
  ])('the $k largest of 777 in blocks of $block, pieces of $piece', async ({ k, ...spec }) => {
    const found = await entriesOf(rows, k, spec);
    expect(found).toEqual(rows.map((row) => sparseRow(row, k)));
    expect(found[0].nonzero).toBeGreaterThan(300);
  });

  it('keeps NaN and infinite weights, above all others', async () => {
    const row = rows[0].map((weight, id) =>
      id === 700 ? Number.NaN : id === 5 ? Infinity : id === 6 ? -Infinity : weight,
    );
    const [{ entries }] = await entriesOf([row], 3, { block: 256, piece: 777 });
    expect(entries).toEqual([
      [5, Infinity],
      [6, -Infinity],
      [700, Number.NaN],
    ]);
  });
});
