import { afterAll, describe, it } from 'vitest';
import { openTestGpu } from '../gpu/fixtures';
import {
  dequantized,
  expectClose,
  expectF16Rejected,
  expectZeroPadding,
  padded,
  quantized,
  randomMatrix,
  randomVector,
  roundToF16,
  runStep,
  unpadded,
} from './fixtures';
import { embed as embedStep, layerNorm as layerNormStep, type NormSpec } from './layer_norm';
import { blank, upload, uploadWords } from './test-buffers';
import { embed, layerNorm } from './twins';

const gpu = await openTestGpu();
afterAll(() => gpu.device.destroy());

const HIDDEN = 100;
const STRIDE = 128;
const EPS = 1e-5;
const SPEC: NormSpec = { hidden: HIDDEN, stride: STRIDE, eps: EPS, out: 'f32' };
const weight = randomVector(1, HIDDEN, 0.25, 1);
const bias = randomVector(2, HIDDEN);
const vectors = () => ({
  weight: upload(gpu, padded([weight], { stride: STRIDE })),
  bias: upload(gpu, padded([bias], { stride: STRIDE })),
});

describe('layer_norm', () => {
  /** Ordinary rows, one far from zero (mean² - mean of squares would lose it), one with large outliers, one constant. */
  const x = randomMatrix(3, 5, HIDDEN, 2);
  x.push(x[0].map((value) => Math.fround(value + 3000)));
  x.push(x[1].map((value, i) => (i % 40 === 7 ? 20_000 : value)));
  x.push(new Float64Array(HIDDEN).fill(5));

  /**
   * What rounding explains for a row. WGSL lets the division that makes the mean be 2.5 ulps off, on an H100 that of 500 / 100 is one, and the
   * sum adds about one; the deviations all have that error, and are divided by sqrt(variance + eps): much for rows of equal or of large values.
   */
  const tolerance = (row: Float64Array): number => {
    const mean = row.reduce((a, b) => a + b) / HIDDEN;
    const variance = row.reduce((sum, value) => sum + (value - mean) ** 2, 0) / HIDDEN;
    const ulp = 2 ** (Math.floor(Math.log2(Math.abs(mean))) - 23);
    return 1e-5 + ((3.5 * ulp) / Math.sqrt(variance + EPS)) * Math.max(...weight);
  };

  /** Padded results for all 8 rows of x, or for the listed ones. */
  const run = (list?: Uint32Array<ArrayBuffer>) => {
    const normed = blank(gpu, 8 * STRIDE);
    const hidden_states = upload(gpu, padded(x, { stride: STRIDE, padding: 0.5 })); // as sigmoid makes it of zeros
    const buffers = { hidden_states, rows: list && uploadWords(gpu, list), ...vectors(), normed };
    const step = layerNormStep<void>(SPEC, buffers, () => list?.length ?? x.length);
    return runStep(gpu, step, normed, 8 * STRIDE);
  };

  it('normalises every row', async () => {
    const data = await run();
    const actual = unpadded(data, [x.length, HIDDEN], STRIDE);
    const expected = layerNorm(x, weight, bias, EPS);
    x.forEach((row, r) => {
      expectClose([actual[r]], [expected[r]], tolerance(row));
    });
    expectZeroPadding(data, x.length, HIDDEN, STRIDE); // the next GEMM sums over the padding
  });

  it('normalises the listed rows, in the order of the list', async () => {
    const list = Uint32Array.of(6, 0, 0, 3, 1);
    const data = await run(list);
    const gathered = Array.from(list, (row) => x[row]);
    expectClose(unpadded(data, [list.length, HIDDEN], STRIDE), layerNorm(gathered, weight, bias, EPS), 1e-5);
  });

  it('normalises 320 columns to f16, or the device rejects f16', async () => {
    const wide = randomMatrix(4, 4, 320);
    const [w, b] = [randomVector(5, 320, 0.25, 1), randomVector(6, 320)];
    const normed = blank(gpu, 4 * 320, 'f16');
    const buffers = {
      hidden_states: upload(gpu, padded(wide, { stride: 320 })),
      rows: undefined,
      weight: upload(gpu, padded([w], { stride: 320 })),
      bias: upload(gpu, padded([b], { stride: 320 })),
      normed,
    };
    const step = layerNormStep<void>({ hidden: 320, stride: 320, eps: EPS, out: 'f16' }, buffers, () => 4);
    const run = () => runStep(gpu, step, normed, 4 * 320, { storage: 'f16' });
    if (!gpu.hasF16) return expectF16Rejected(gpu, run);
    const data = await run();
    expectClose(unpadded(data, [4, 320], 320), roundToF16(layerNorm(wide, w, b, EPS)), 4e-3); // one f16 ulp for values near 6
  });
});

describe('embed', () => {
  /** Quantised in groups of 32 along the padded rows, then dequantised. */
  const dequantizedTable = (table: Float64Array[]) =>
    dequantized(
      table.map((row) => Float64Array.from({ length: STRIDE }, (_, i) => row[i] ?? 0)),
      'q8',
    ).map((row) => row.subarray(0, HIDDEN));

  it.each(['f32', 'f16', 'q8'] as const)('looks up and normalises rows of an %s table in two pieces', async (dtype) => {
    const table = randomMatrix(7, 130, HIDDEN, 0.5);
    const ids = Uint32Array.of(129, 0, 1, 127, 128, 5, 5);
    const [hidden_states, normed] = [blank(gpu, 8 * STRIDE), blank(gpu, 8 * STRIDE)];
    const results = { hidden_states, normed };
    const data = { hidden_states: new Float32Array(), normed: new Float32Array() };
    for (const [firstId, end] of [
      [0, 128],
      [128, 130],
    ]) {
      const spec = { ...SPEC, dtype, firstId, ids: end - firstId };
      const rows = padded(table.slice(firstId, end), { stride: STRIDE });
      const piece: Record<'table' | 'table_scales', GPUBuffer | undefined> = {
        table: undefined,
        table_scales: undefined,
      };
      if (dtype === 'q8') {
        const { bytes, scales } = quantized(rows, dtype);
        piece.table = uploadWords(gpu, new Uint32Array(bytes.buffer));
        piece.table_scales = uploadWords(gpu, new Uint32Array(scales.buffer));
      } else piece.table = upload(gpu, rows, dtype);
      const buffers = { input_ids: uploadWords(gpu, ids), ...piece, ...vectors(), ...results };
      const step = embedStep<void>(spec, buffers, () => ids.length);
      for (const name of ['hidden_states', 'normed'] as const) {
        data[name] = await runStep(gpu, step, results[name], 8 * STRIDE);
      }
    }
    const stored = { f32: table, f16: roundToF16(table), q8: dequantizedTable(table) }[dtype];
    const expected = embed(ids, stored, weight, bias, EPS);
    expectClose(unpadded(data.hidden_states, [ids.length, HIDDEN], STRIDE), expected, 1e-5);
    expectClose(unpadded(data.normed, [ids.length, HIDDEN], STRIDE), expected, 1e-5);
    expectZeroPadding(data.normed, ids.length, HIDDEN, STRIDE);
  });
});
