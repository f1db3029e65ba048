import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Gpu } from '../gpu/device';
import { openTestGpu } from '../gpu/fixtures';
import {
  dequantized,
  expectClose,
  padded,
  quantized,
  randomMatrix,
  randomVector,
  roundToF16,
  runStep,
  unpadded,
} from './fixtures';
import { embed as embedStep, layerNorm as layerNormStep, type NormSpec } from './layer_norm';
import { embed, layerNorm } from './reference';
import { roundUp } from './storage';
import { blank, upload, uploadWords } from './test-buffers';

let gpu: Gpu;
beforeAll(async () => {
  gpu = await openTestGpu();
});
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
/** The columns that only pad must be zero: the next GEMM sums over them. */
const expectZeroPadding = (data: Float32Array, rows: number) =>
  expect(unpadded(data, [rows, STRIDE], STRIDE).every((row) => row.subarray(HIDDEN).every((x) => x === 0))).toBe(true);

describe('layer_norm', () => {
  /** Ordinary rows, one far from zero (mean² - mean of squares would lose it), one with large outliers, one constant. */
  const x = randomMatrix(3, 5, HIDDEN, 2);
  x.push(x[0].map((value) => Math.fround(value + 3000)));
  x.push(x[1].map((value, i) => (i % 40 === 7 ? 20_000 : value)));
  x.push(new Float64Array(HIDDEN).fill(5));

  it('of every row', async () => {
    const rows = roundUp(x.length, 4);
    const normed = blank(gpu, rows * STRIDE);
    const buffers = {
      hidden_states: upload(gpu, padded(x, { stride: STRIDE, rows })),
      rows: undefined,
      ...vectors(),
      normed,
    };
    const data = await runStep(
      gpu,
      layerNormStep<void>(SPEC, buffers, () => x.length),
      normed,
      rows * STRIDE,
    );
    const actual = unpadded(data, [x.length, HIDDEN], STRIDE);
    const expected = layerNorm(x, weight, bias, EPS);
    const far = 5; // f32 values near 3000 are 2.4e-4 apart: what the row's own sums leave
    expectClose(actual.toSpliced(far, 1), expected.toSpliced(far, 1), 1e-5);
    expectClose([actual[far]], [expected[far]], 2e-4);
    expectZeroPadding(data, x.length);
  });

  it('of the rows that a list names, in its order', async () => {
    const list = Uint32Array.of(6, 0, 0, 3, 1);
    const normed = blank(gpu, 8 * STRIDE);
    const buffers = {
      hidden_states: upload(gpu, padded(x, { stride: STRIDE })),
      rows: uploadWords(gpu, list),
      ...vectors(),
      normed,
    };
    const data = await runStep(
      gpu,
      layerNormStep<void>(SPEC, buffers, () => list.length),
      normed,
      8 * STRIDE,
    );
    const gathered = Array.from(list, (row) => x[row]);
    expectClose(unpadded(data, [list.length, HIDDEN], STRIDE), layerNorm(gathered, weight, bias, EPS), 1e-5);
  });

  it('of 320 columns in f16, or the device refuses f16', async () => {
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
    if (!gpu.hasF16) {
      gpu.device.pushErrorScope('validation');
      await expect(run()).rejects.toThrow(/does not compile on this device/);
      expect((await gpu.device.popErrorScope())?.message).toMatch(/f16/);
      return;
    }
    const data = await run();
    expectClose(unpadded(data, [4, 320], 320), roundToF16(layerNorm(wide, w, b, EPS)), 4e-3); // an f16 ulp of values near 6
  });
});

describe('embed', () => {
  /** Groups of 32 of the padded rows. */
  const dequantizedTable = (table: Float64Array[]) =>
    dequantized(
      table.map((row) => Float64Array.from({ length: STRIDE }, (_, i) => row[i] ?? 0)),
      'q8',
    ).map((row) => row.subarray(0, HIDDEN));

  it.each(['f32', 'f16', 'q8'] as const)(
    'looks up and normalises rows of a table of %s in two pieces',
    async (dtype) => {
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
      expectZeroPadding(data.normed, ids.length);
    },
  );
});
