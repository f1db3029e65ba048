import { afterAll, describe, it, type TestContext } from 'vitest';
import { openTestGpu, SOFTWARE_DESIGNS_ONLY } from '../gpu/fixtures';
import {
  dequantized,
  expectClose,
  padded,
  randomMatrix,
  randomVector,
  roundToF16,
  runStep,
  unpadded,
} from './fixtures';
import { INT8_TILES, unrolled } from './gemm';
import { M_MULTIPLE } from './gemm-spec';
import { gegluPlace, headsLayout, paddedWidth, qkvPlace, ropeTable } from './layout';
import { quantizeRows as quantizeRowsStep } from './quantize_rows';
import { blank, upload } from './test-buffers';
import { rotated, runGemm } from './test-gemm';
import { withMatrices } from './test-matrices';
import { geglu, linear, type Matrix, quantizeRows } from './twins';

const gpu = await openTestGpu();
afterAll(() => gpu.device.destroy());

/** All designs share the epilogues; what differs is how columns pair up. */
describe('gemm with emulated matrix units', () => {
  const needs = (skip: TestContext['skip'], what: string, has: boolean) => {
    skip(!has || gpu.subgroupSize === undefined, `not for this device: it needs ${what}`);
    skip(SOFTWARE_DESIGNS_ONLY, 'not for this device: it takes minutes to compile');
  };

  it('multiplies 16 × 16 × 16 in f16, with GeGLU', async ({ skip }) => {
    needs(skip, 'shader-f16 and subgroups of one size', gpu.hasF16);
    const x = roundToF16(randomMatrix(41, 65, 96));
    const w = roundToF16(randomMatrix(42, 200, 96, 96 ** -0.5));
    const types = { dtype: 'f16', a: 'f16', out: 'f16' } as const;
    const epilogue = { kind: 'geglu', activation: 'gelu' } as const;
    const { data, stride } = await runGemm(
      gpu,
      [{ tile: { design: 'matrix', m: 128, n: 128, k: 32 } }],
      { ...types, n: 2 * paddedWidth(100), epilogue },
      { x, w, rowAt: gegluPlace(100) },
      withMatrices(gpu, { component: 'f16', m: 16, n: 16, k: 16, threads: 32 }),
    );
    expectClose(unpadded(data, [65, 100], stride), geglu(linear(x, w), 'gelu'), 4e-3); // f16 outputs up to 8
  });

  it('multiplies 16 × 8 × 8 in f32 by q8 weights, with a bias and RoPE', async ({ skip }) => {
    needs(skip, 'subgroups of one size', true);
    const heads = headsLayout(4, 32);
    const x = randomMatrix(43, 67, 128);
    const w = randomMatrix(44, 384, 128, 128 ** -0.5);
    const bias = randomVector(45, 384);
    const positions = Uint32Array.from({ length: 67 }, (_, row) => row);
    const place = qkvPlace(heads);
    const epilogue = { kind: 'rope', attentionWidth: 128, headDim: 32, qScale: 0.3 } as const;
    const { data, stride } = await runGemm(
      gpu,
      [{ tile: { design: 'matrix', m: 64, n: 128, k: 16 } }],
      { n: 384, dtype: 'q8', epilogue },
      { x, w, bias, rowAt: place, positions, rope: ropeTable(heads, 10_000, 100) },
      withMatrices(gpu, { component: 'f32', m: 16, n: 8, k: 8, threads: 32 }),
    );
    const expected = rotated(linear(x, dequantized(w, 'q8'), bias), positions, 32, 10_000, 0.3);
    expectClose(unpadded(data, [67, 384], stride, place), expected, 1e-4);
  });
});

describe.each(SOFTWARE_DESIGNS_ONLY ? INT8_TILES.slice(1) : INT8_TILES)('gemm of integers, $m × $n', (tile) => {
  const types = { dtype: 'q8', a: 'int8' } as const;
  /** x after rounding to integers. */
  const rounded = (x: Matrix): Matrix => {
    const { integers, scales } = quantizeRows(x);
    return integers.map((row, r) => row.map((value, c) => value * scales[r][c >> 5]));
  };

  it('multiplies 65 rows with 777 columns and adds a bias', async () => {
    const x = randomMatrix(31, 65, 320);
    for (const row of x) row[7] *= 40; // outlier columns, as activations have them
    const w = randomMatrix(32, 777, 320, 320 ** -0.5);
    for (const row of [...x.slice(0, 2), ...w.slice(0, 9)]) row.fill(1); // the largest integers
    x[1].fill(-1, 32, 64);
    const bias = randomVector(33, 777);
    const { data, stride } = await runGemm(
      gpu,
      [{ tile: unrolled(tile, gpu.profile.unroll) }],
      { ...types, n: 784, epilogue: { kind: 'store' } },
      { x, w, bias },
    );
    expectClose(unpadded(data, [65, 777], stride), linear(rounded(x), dequantized(w, 'q8'), bias), 1e-4);
  });

  it('applies GeGLU to rows placed in pairs', async () => {
    const x = randomMatrix(34, 33, 192);
    const w = randomMatrix(35, 200, 192, 192 ** -0.5);
    const n = 2 * paddedWidth(100);
    const epilogue = { kind: 'geglu', activation: 'gelu' } as const;
    const { data, stride } = await runGemm(
      gpu,
      [{ tile: unrolled(tile, gpu.profile.unroll) }],
      { ...types, n, epilogue },
      { x, w, rowAt: gegluPlace(100) },
    );
    expectClose(unpadded(data, [33, 100], stride), geglu(linear(rounded(x), dequantized(w, 'q8')), 'gelu'), 1e-5);
  });
});

describe('quantize_rows', () => {
  it.for(['f32', 'f16'] as const)(
    'rounds %s rows to 8 bits, in groups of 32 with one scale each',
    async (act, { skip }) => {
      skip(act === 'f16' && !gpu.hasF16, 'not for this device: it needs shader-f16');
      const x = (act === 'f16' ? roundToF16 : (m: Matrix) => m)(randomMatrix(36, 3, 192, 50));
      x[1].fill(0, 32, 64);
      x[2].fill(1e-6, 0, 1);
      const rows = M_MULTIPLE;
      const buffers = {
        x: upload(gpu, padded(x, { stride: 192, rows }), act),
        a: blank(gpu, (rows * 192) / 4),
        a_scales: blank(gpu, rows * 6),
      };
      const step = quantizeRowsStep<void>({ act, k: 192 }, buffers, () => 3);
      const words = await runStep(gpu, step, buffers.a, (rows * 192) / 4);
      const data = await runStep(gpu, step, buffers.a_scales, rows * 6);
      const { integers, scales } = quantizeRows(x);
      expectClose(unpadded(data, [3, 6], 6), scales, 1e-6);
      expectClose(unpadded(Float32Array.from(new Int8Array(words.buffer)), [3, 192], 192), integers, 0);
    },
  );
});
