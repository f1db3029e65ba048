import { afterAll, describe, expect, it } from 'vitest';
import { openTestGpu } from '../gpu/fixtures';
import { relativePositionBucket } from '../model/families/mpnet';
import { embeddings } from './embeddings';
import {
  dequantized,
  expectClose,
  expectF16Rejected,
  expectZeroPadding,
  padded,
  quantized,
  randomMatrix,
  roundToF16,
  runStep,
  unpadded,
} from './fixtures';
import { headScores } from './head_scores';
import { relativeBias } from './relative_bias';
import { blank, upload, uploadWords } from './test-buffers';
import { add, dot, type Matrix, rowsOf } from './twins';

const gpu = await openTestGpu();
afterAll(() => gpu.device.destroy());

const HIDDEN = 100;
const STRIDE = 128;

describe('embeddings', () => {
  /** Quantised in groups of 32 along the padded rows, then dequantised. */
  const dequantizedTable = (table: Matrix, dtype: 'q8' | 'q4') =>
    dequantized(
      table.map((row) => Float64Array.from({ length: STRIDE }, (_, i) => row[i] ?? 0)),
      dtype,
    ).map((row) => row.subarray(0, HIDDEN));

  const table = randomMatrix(7, 130, HIDDEN, 0.5);
  const [positionTable, typeTable] = [randomMatrix(8, 9, HIDDEN), randomMatrix(9, 2, HIDDEN)];
  const ids = Uint32Array.of(129, 0, 1, 127, 128, 5, 5);
  const positions = Uint32Array.of(2, 3, 4, 5, 8, 1, 0);
  const types = Uint32Array.of(0, 0, 1, 1, 0, 1, 0);

  it.each([
    ['f32', 0, 0],
    ['f32', 9, 2],
    ['f16', 9, 1],
    ['f16', 0, 2],
    ['q8', 9, 0],
    ['q8', 0, 1],
    ['q4', 9, 0],
    ['q4', 0, 2],
  ] as const)(
    'sums rows of an %s table in two pieces, %i positions and %i types',
    async (dtype, positionRows, typeRows) => {
      const hidden_states = blank(gpu, 8 * STRIDE);
      let data = new Float32Array();
      for (const [firstId, end] of [
        [0, 128],
        [128, 130],
      ]) {
        const rows = padded(table.slice(firstId, end), { stride: STRIDE });
        const piece: Record<'w' | 'w_scales', GPUBuffer | undefined> = {
          w: undefined,
          w_scales: undefined,
        };
        if (dtype === 'q8' || dtype === 'q4') {
          const { bytes, scales } = quantized(rows, dtype);
          piece.w = uploadWords(gpu, new Uint32Array(bytes.buffer));
          piece.w_scales = uploadWords(gpu, new Uint32Array(scales.buffer));
        } else piece.w = upload(gpu, rows, dtype);
        const spec = { stride: STRIDE, dtype, firstId, ids: end - firstId, positions: positionRows, types: typeRows };
        const small = (count: number, rows: Matrix) =>
          count > 0 ? upload(gpu, padded(rows.slice(0, count), { stride: STRIDE })) : undefined;
        const buffers = {
          input_ids: uploadWords(gpu, ids),
          ...piece,
          positions: positionRows > 0 ? uploadWords(gpu, positions) : undefined,
          position_embeddings: small(positionRows, positionTable),
          token_type_ids: typeRows > 1 ? uploadWords(gpu, types) : undefined,
          token_type_embeddings: small(typeRows, typeTable),
          hidden_states,
        };
        data = await runStep(
          gpu,
          embeddings<void>(spec, buffers, () => ids.length),
          hidden_states,
          8 * STRIDE,
        );
      }
      const stored = {
        f32: table,
        f16: roundToF16(table),
        q8: dequantizedTable(table, 'q8'),
        q4: dequantizedTable(table, 'q4'),
      }[dtype];
      let expected = rowsOf(stored, ids);
      if (positionRows > 0) expected = add(expected, rowsOf(positionTable, positions));
      if (typeRows > 0) expected = add(expected, rowsOf(typeTable, typeRows > 1 ? types : new Uint32Array(ids.length)));
      expectClose(unpadded(data, [ids.length, HIDDEN], STRIDE), expected, 1e-6);
      expectZeroPadding(data, ids.length, HIDDEN, STRIDE);
    },
  );
});

describe('relative_bias', () => {
  it('has the weight of its bucket for every distance and head, times log2 e', async () => {
    const [heads, reach] = [5, 128];
    const weight = randomMatrix(3, 32, heads);
    const buckets = Float32Array.from({ length: 2 * reach + 1 }, (_, i) => relativePositionBucket(i - reach));
    const relative_bias = blank(gpu, heads * buckets.length);
    const buffers = {
      buckets: upload(gpu, buckets),
      weight: upload(gpu, padded(weight, { stride: 32 })),
      relative_bias,
    };
    const data = await runStep(
      gpu,
      relativeBias<void>({ heads, reach }, buffers),
      relative_bias,
      heads * buckets.length,
    );
    const expected = Array.from({ length: heads }, (_, head) =>
      Float64Array.from(buckets, (bucket) => weight[bucket][head] * Math.LOG2E),
    );
    expectClose(unpadded(data, [heads, buckets.length], buckets.length), expected, 1e-6);
    expect(new Set(buckets).size).toBe(31); // no key after a query is 0 tokens away
  });
});

describe('head_scores', () => {
  it.each([
    [64, 3, 70, 'f32'],
    [32, 2, 130, 'f32'],
    [128, 1, 5, 'f16'],
  ] as const)('multiplies heads of %i, %i of them, in %i rows of %s', async (headDim, heads, rows, act) => {
    const [a, b] = [randomMatrix(1, rows, heads * headDim + 8), randomMatrix(2, 50, 2 * heads * headDim)];
    const columns = 64;
    const stride = heads * headDim + 32;
    const room = Math.ceil(rows / 64) * 64;
    const [first, second] = [8, heads * headDim]; // where the heads begin
    const scores = blank(gpu, room * heads * columns, act);
    const buffers = {
      a: upload(gpu, padded(a, { stride, rows: room }), act),
      b: upload(gpu, padded(b, { stride: 2 * heads * headDim, rows: columns }), act),
      scores,
    };
    const sides = { a: { stride, column: first }, b: { stride: 2 * heads * headDim, column: second } };
    const spec = { act, heads, head_dim: headDim, headDim, columns, ...sides };
    const step = headScores<void>(spec, buffers, () => rows);
    const run = () => runStep(gpu, step, scores, room * heads * columns, { storage: act });
    if (act === 'f16' && !gpu.hasF16) return expectF16Rejected(gpu, run);
    const data = await run();
    const rounded = act === 'f16' ? [a, b].map(roundToF16) : [a, b];
    const expected = rounded[0].map((row) =>
      Float64Array.from({ length: heads * 50 }, (_, i) => {
        const [head, n] = [Math.floor(i / 50), i % 50];
        const [from, other] = [first + head * headDim, second + head * headDim];
        return dot(row.subarray(from, from + headDim), rounded[1][n].subarray(other, other + headDim));
      }),
    );
    const place = (i: number) => Math.floor(i / 50) * columns + (i % 50);
    const actual = unpadded(data, [rows, heads * 50], heads * columns, place);
    expectClose(actual, act === 'f16' ? roundToF16(expected) : expected, act === 'f16' ? 0.05 : 1e-4);
  });
});
