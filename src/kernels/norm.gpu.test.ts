import { afterAll, describe, expect, it } from 'vitest';
import { openTestGpu } from '../gpu/fixtures';
import {
  expectClose,
  expectF16Rejected,
  expectZeroPadding,
  padded,
  randomMatrix,
  randomVector,
  roundToF16,
  runStep,
  unpadded,
} from './fixtures';
import { layerNormInPlace, layerNorm as layerNormStep, type NormSpec } from './layer_norm';
import { blank, upload, uploadWords } from './test-buffers';
import { layerNorm, rmsNorm, rowsOf } from './twins';

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

  it('copies every row, or the listed ones, without a weight', async () => {
    const list = Uint32Array.of(5, 2, 7);
    const hidden_states = upload(gpu, padded(x, { stride: STRIDE }));
    for (const rows of [undefined, list]) {
      const normed = blank(gpu, 8 * STRIDE);
      const buffers = {
        hidden_states,
        rows: rows && uploadWords(gpu, rows),
        weight: undefined,
        bias: undefined,
        normed,
      };
      const step = layerNormStep<void>(SPEC, buffers, () => rows?.length ?? x.length);
      const data = await runStep(gpu, step, normed, 8 * STRIDE);
      const expected = rows ? rowsOf(x, rows) : x;
      expect(unpadded(data, [expected.length, HIDDEN], STRIDE)).toEqual(expected);
    }
  });

  it('is RMSNorm if asked: no mean is subtracted', async () => {
    const normed = blank(gpu, 8 * STRIDE);
    const hidden_states = upload(gpu, padded(x, { stride: STRIDE }));
    const { weight: w } = vectors();
    const zero = upload(gpu, new Float32Array(STRIDE));
    const buffers = { hidden_states, rows: undefined, weight: w, bias: zero, normed };
    const step = layerNormStep<void>({ ...SPEC, rms: true }, buffers, () => x.length);
    const data = await runStep(gpu, step, normed, 8 * STRIDE);
    expectClose(unpadded(data, [x.length, HIDDEN], STRIDE), rmsNorm(x, weight, EPS), 1e-5);
  });

  it.each(['f32', 'f16'] as const)('normalises in place, and to %s', async (out) => {
    const y = x.slice(0, 5);
    const [hidden_states, normed] = [upload(gpu, padded(y, { stride: STRIDE, rows: 8 })), blank(gpu, 8 * STRIDE, out)];
    const step = layerNormInPlace<void>({ ...SPEC, out }, { hidden_states, ...vectors(), normed }, () => y.length);
    const run = (buffer: GPUBuffer, storage: 'f32' | 'f16') => runStep(gpu, step, buffer, 8 * STRIDE, { storage });
    if (out === 'f16' && !gpu.hasF16) return expectF16Rejected(gpu, () => run(normed, out));
    const once = layerNorm(y, weight, bias, EPS);
    const first = await run(normed, out);
    expectClose(
      unpadded(first, [5, HIDDEN], STRIDE),
      out === 'f16' ? roundToF16(once) : once,
      out === 'f16' ? 4e-3 : 1e-5,
    );
    expectZeroPadding(first, 5, HIDDEN, STRIDE);
    const again = await run(hidden_states, 'f32'); // the step has run twice by now
    expectClose(unpadded(again, [5, HIDDEN], STRIDE), layerNorm(once, weight, bias, EPS), 1e-5);
  });
});
