import { afterAll, describe, expect, it } from 'vitest';
import type { Dtype } from '../api/types';
import type { QuantizedDtype } from '../formats/quantize';
import { openTestGpu, SOFTWARE_DESIGNS_ONLY } from '../gpu/fixtures';
import { createKernel } from '../gpu/kernel';
import { SUBGROUP_SIZES } from '../gpu/profile';
import {
  dequantized,
  expectClose,
  expectF16Rejected,
  expectZeroPadding,
  randomMatrix,
  randomVector,
  roundToF16,
  unpadded,
} from './fixtures';
import { createGemm, gemmDispatch, PLANS, TILES, unrolled } from './gemm';
import { ACTIVATIONS, type GemmTile } from './gemm-spec';
import { gegluPlace, headsLayout, paddedWidth, qkvPlace, ropeTable } from './layout';
import { type Operands, type Options, rotated, runGemm } from './test-gemm';
import { ACTIVATE, add, geglu, linear, type Matrix, rope } from './twins';

const gpu = await openTestGpu();
afterAll(() => gpu.device.destroy());

/**
 * The tiles of every design that this device can run: one of each design in all tests, and the other sizes, which differ only in constants, in a
 * single test.
 */
const ofSubgroups = SUBGROUP_SIZES.includes(gpu.subgroupSize ?? 0) ? PLANS.subgroup.map(({ tile }) => tile) : [];
const ofWorkgroups = SOFTWARE_DESIGNS_ONLY ? [] : TILES.map((tile) => unrolled(tile, gpu.profile.unroll));
const isFirst = ({ design }: GemmTile, i: number) => ofWorkgroups.findIndex((tile) => tile.design === design) === i;
const named = (tiles: GemmTile[]) =>
  tiles.map((tile) => ({
    tile,
    name: `${tile.design} ${tile.m} × ${tile.n} × ${tile.k}`,
  }));
const tiles = named([...ofWorkgroups.filter(isFirst), ...ofSubgroups]);

it('the design for subgroups is among them', ({ skip }) => {
  const isOther = ofSubgroups.length === 0;
  skip(isOther, `not for this device: it needs subgroups of ${SUBGROUP_SIZES.join(', ')} threads`);
  expect(tiles.map(({ tile }) => tile.design)).toContain('subgroup');
});

it.each(named(ofWorkgroups.filter((tile, i) => !isFirst(tile, i))))(
  '$name multiplies whole and partial tiles',
  async ({ tile }) => {
    const x = randomMatrix(1, 129, 320);
    const w = randomMatrix(2, 777, 320, 320 ** -0.5);
    const { data, stride } = await runGemm(gpu, [{ tile }], { n: 784, epilogue: { kind: 'store' } }, { x, w });
    expectClose(unpadded(data, [129, 777], stride), linear(x, w), 1e-5);
  },
);

describe.each(tiles)('$name', ({ tile }) => {
  const isSliced = tile.design === 'sliced_k'; // compiles as slowly as all others together; the others test each epilogue, which all share
  const run = (options: Options, operands: Operands) => runGemm(gpu, [{ tile }], options, operands);

  describe('gemm', () => {
    /** With 777 columns the last tile has 9; sums of 320 products are of unit size, so 1e-5 is a few ulps. */
    it.each([
      [1, 'f32'],
      [65, 'f16'],
    ] as [number, Dtype][])(
      'multiplies %i rows with 777 columns of %s weights and adds a bias',
      async (rows, dtype) => {
        const x = randomMatrix(1, rows, 320);
        const w = randomMatrix(2, 777, 320, 320 ** -0.5);
        const bias = randomVector(3, 777);
        const { data, stride } = await run({ n: 784, dtype, epilogue: { kind: 'store' } }, { x, w, bias });
        expectClose(unpadded(data, [rows, 777], stride), linear(x, dtype === 'f16' ? roundToF16(w) : w, bias), 1e-5);
      },
    );

    it('writes its columns into a wider matrix and leaves the others alone', async () => {
      const x = randomMatrix(4, 3, 100);
      const w = randomMatrix(5, 72, 100, 0.1);
      const out = randomMatrix(6, 3, 160);
      const placed = { n: 72, outStride: 160, outColumn: 64, epilogue: { kind: 'store' } } as const;
      const { data, stride } = await run(placed, { x, w, out });
      const product = linear(x, w);
      const expected = out.map((row, r) => row.map((value, c) => (c >= 64 && c < 136 ? product[r][c - 64] : value)));
      expectClose(unpadded(data, [3, 160], stride), expected, 1e-5);
    });

    it('adds to the residual stream', async () => {
      const x = randomMatrix(7, 65, 320);
      const w = randomMatrix(8, 320, 320, 320 ** -0.5);
      const bias = randomVector(9, 320);
      const out = randomMatrix(10, 65, 320, 100);
      const { data } = await run({ n: 320, epilogue: { kind: 'residual' } }, { x, w, bias, out });
      expectClose(unpadded(data, [65, 320], 320), add(out, linear(x, w, bias)), 5e-5);
    });

    /** Values from -100 to 100 in steps that match no tile size, and ones so large that their powers overflow f32. */
    it.each(isSliced ? ACTIVATIONS.slice(0, 1) : ACTIVATIONS)('activates with %s', async (activation) => {
      const values = [
        -1e15,
        -1e4,
        1e4,
        1e15,
        ...Array.from({ length: 60 }, (_, i) => Math.fround((i - 29.5) ** 3 / 260)),
      ];
      const x = values.map((value) => Float64Array.of(value));
      const w = [1, 0.5, -0.25, 0.01, 0.1, -1, 0.03125, 2].map((value) => Float64Array.of(Math.fround(value)));
      const { data } = await run({ n: 8, epilogue: { kind: 'activation', activation } }, { x, w });
      const expected = linear(x, w).map((row) => row.map(ACTIVATE[activation]));
      const relative = (value: number, scale: number) => value / Math.max(1, Math.abs(scale));
      const actual = unpadded(data, [x.length, 8], 8).map((row, r) =>
        row.map((value, c) => relative(value, expected[r][c])),
      );
      const tolerance = 3e-6; // f32 sums of a few terms, and an error of 1.5e-7 |x| in erf's approximation
      expectClose(
        actual,
        expected.map((row) => row.map((value) => relative(value, value))),
        tolerance,
      );
    });

    it('activates the first half of Wi and multiplies by the second, in halves of 100 columns', async () => {
      const x = randomMatrix(11, 65, 96);
      const w = randomMatrix(12, 200, 96, 96 ** -0.5);
      const bias = randomVector(13, 200);
      const n = 2 * paddedWidth(100);
      const epilogue = { kind: 'geglu', activation: 'gelu' } as const;
      const { data, stride } = await run({ n, epilogue }, { x, w, bias, rowAt: gegluPlace(100) });
      expect(stride).toBe(128);
      expectClose(unpadded(data, [65, 100], stride), geglu(linear(x, w, bias), 'gelu'), 1e-5);
      expectZeroPadding(data, 65, 100, stride);
    });

    /** Two sequences, so that positions restart; thetas and head sizes of the ModernBERT family, and two head sizes that need padding. */
    const heads = [
      { head_dim: 20, heads: 5, theta: 10_000 },
      { head_dim: 64, heads: 2, theta: 160_000 },
      { head_dim: 96, heads: 1, theta: 10_000 },
      { head_dim: 128, heads: 1, theta: 160_000 },
    ];
    it.each(isSliced ? heads.slice(0, 2) : heads)(
      'rotates q and k of head_dim $head_dim and scales q',
      async ({ head_dim, heads, theta }) => {
        const hidden = heads * head_dim;
        const layout = headsLayout(heads, head_dim);
        const x = randomMatrix(14, 67, hidden);
        const w = randomMatrix(15, 3 * hidden, hidden, hidden ** -0.5);
        const bias = randomVector(16, 3 * hidden);
        const positions = Uint32Array.from({ length: 67 }, (_, row) => (row < 40 ? row : row - 40 + 1000));
        const place = qkvPlace(layout);
        const epilogue = {
          kind: 'rope',
          attentionWidth: layout.attention,
          headDim: layout.headDim,
          qScale: 0.3,
        } as const;
        const { data, stride } = await run(
          { n: 3 * layout.attention, epilogue },
          { x, w, bias, rowAt: place, positions, rope: ropeTable(layout, theta, 1100) },
        );
        const expected = rotated(linear(x, w, bias), positions, head_dim, theta, 0.3);
        // Angles reach 1000 radians and are rounded to f32 as in transformers: by up to 3e-5 each.
        expectClose(unpadded(data, [67, 3 * hidden], stride, place), expected, 3e-4);
      },
    );
  });

  it.each([
    { head_dim: 20, heads: 5 },
    { head_dim: 64, heads: 2 },
  ])('scales q of head_dim $head_dim without RoPE', async ({ head_dim, heads }) => {
    const hidden = heads * head_dim;
    const layout = headsLayout(heads, head_dim);
    const [x, w] = [randomMatrix(14, 67, hidden), randomMatrix(15, 3 * hidden, hidden, hidden ** -0.5)];
    const bias = randomVector(16, 3 * hidden);
    const place = qkvPlace(layout, false);
    const { attention: attentionWidth, headDim } = layout;
    const epilogue = { kind: 'scale', attentionWidth, headDim, qScale: 0.3 } as const;
    const { data, stride } = await run({ n: layout.qkv, epilogue }, { x, w, bias, rowAt: place });
    const expected = linear(x, w, bias).map((row) => row.map((value, c) => (c < hidden ? 0.3 : 1) * value));
    expectClose(unpadded(data, [67, 3 * hidden], stride, place), expected, 1e-5);
  });

  it('rotates keys of fewer heads than those of q', async () => {
    const [head_dim, heads, kv_heads, hidden] = [32, 4, 2, 128];
    const layout = headsLayout(heads, head_dim, kv_heads);
    const [x, w] = [randomMatrix(14, 9, hidden), randomMatrix(15, layout.qkv, hidden, hidden ** -0.5)];
    const positions = Uint32Array.from({ length: 9 }, (_, row) => row);
    const place = qkvPlace(layout);
    const { attention: attentionWidth, keyWidth, headDim } = layout;
    const epilogue = { kind: 'rope', attentionWidth, keyWidth, headDim, qScale: 0.3 } as const;
    const operands = { x, w, rowAt: place, positions, rope: ropeTable(layout, 100, 9) };
    const { data, stride } = await run({ n: layout.qkv, epilogue }, operands);
    const all = linear(x, w);
    const [q, k] = [
      [0, hidden],
      [hidden, hidden + keyWidth],
    ].map(([from, to]) =>
      rope(
        all.map((row) => row.slice(from, to)),
        positions,
        head_dim,
        100,
      ),
    );
    const expected = all.map((row, r) =>
      Float64Array.of(...q[r].map((value) => value * 0.3), ...k[r], ...row.slice(hidden + keyWidth)),
    );
    expectClose(unpadded(data, [9, layout.qkv], stride, place), expected, 1e-5);
  });

  describe('gemm with quantised weights', () => {
    /** The GPU dequantises exactly, so the only difference is that of f32 sums. */
    it.each([
      ['q8', 1, 320],
      ['q8', 65, 64],
      ['q4', 65, 320],
      ['q4', 3, 1088],
    ] as [QuantizedDtype, number, number][])(
      '%s: multiplies %i rows of %i with 777 columns, adds a bias',
      async (dtype, rows, k) => {
        const x = randomMatrix(21, rows, k);
        const w = randomMatrix(22, 777, k, k ** -0.5);
        const bias = randomVector(23, 777);
        const { data, stride } = await run({ n: 784, dtype, epilogue: { kind: 'store' } }, { x, w, bias });
        expectClose(unpadded(data, [rows, 777], stride), linear(x, dequantized(w, dtype), bias), 1e-5);
      },
    );

    it.each(['q8', 'q4'] as const)('%s: applies GeGLU to rows placed in pairs, some of them padding', async (dtype) => {
      const x = randomMatrix(24, 65, 192);
      const w = randomMatrix(25, 200, 192, 192 ** -0.5);
      const n = 2 * paddedWidth(100);
      const epilogue = { kind: 'geglu', activation: 'gelu' } as const;
      const { data, stride } = await run({ n, epilogue, dtype }, { x, w, rowAt: gegluPlace(100) });
      expectClose(unpadded(data, [65, 100], stride), geglu(linear(x, dequantized(w, dtype)), 'gelu'), 1e-5);
      expectZeroPadding(data, 65, 100, stride);
    });
  });
});

it('uses the tile that the plan has for the number of rows', async () => {
  const [first, second] = [64, 128].map((m): GemmTile => ({ design: 'workgroup', m, n: m, k: 8 }));
  const spec = {
    label: 'g',
    n: 72,
    k: 64,
    bias: false,
    dtype: 'f32',
    a: 'f32',
    out: 'f32',
    epilogue: { kind: 'store' },
  } as const;
  const gemm = await createGemm(gpu, spec, [{ upTo: 70, tile: first }, { tile: second }], (kernel) =>
    createKernel(gpu, kernel),
  );
  expect(gemmDispatch(gemm, 70)).toMatchObject({ kernel: gemm.variants[0].kernel, workgroups: [2, 2] });
  expect(gemmDispatch(gemm, 71)).toMatchObject({ kernel: gemm.variants[1].kernel, workgroups: [1, 1] });
  expect(gemmDispatch(gemm, 71).issuedFlops).toBe(2 * 128 * 128 * 64);
});

describe('gemm as compiled for cards', () => {
  it.each([1, 16])('returns the same with its inner loop written out %i times', async (unroll) => {
    const x = randomMatrix(19, 65, 320);
    const w = randomMatrix(20, 777, 320);
    const options = { n: 784, epilogue: { kind: 'store' } } as const;
    const { data } = await runGemm(gpu, [{ tile: { ...TILES[0], unroll } }], options, { x, w });
    expectClose(unpadded(data, [65, 777], 784), linear(x, w), 2e-4); // values up to 60, 320 f32 roundings each
  });
});

describe('gemm in f16', () => {
  const types = { dtype: 'f16', a: 'f16', out: 'f16' } as const;

  it('reads and stores f16 with f32 sums and makes NaN of larger values, or the device rejects f16', async () => {
    const x = roundToF16(randomMatrix(17, 65, 1024, 8));
    const w = roundToF16(randomMatrix(18, 40, 1024, 8));
    for (const row of w.slice(0, 4)) row.set(x[0].map((value) => Math.sign(value) * 60)); // sums near ±400,000
    const run = () =>
      runGemm(
        gpu,
        [{ tile: unrolled(TILES[0], gpu.profile.unroll) }],
        { ...types, n: 40, epilogue: { kind: 'store' } },
        { x, w },
      );
    if (!gpu.hasF16) return expectF16Rejected(gpu, run);
    const { data } = await run();
    const expected = linear(x, w).map((row) => row.map((value) => (Math.abs(value) > 65504 ? Number.NaN : value)));
    expect(expected[0][0]).toBeNaN();
    // Half an f16 ulp is 16 for values up to 65504; f32 sums add far less.
    const marked = (m: Matrix) => m.map((row) => row.map((value) => (Number.isNaN(value) ? 1e9 : value)));
    expectClose(marked(unpadded(data, [65, 40], 40)), marked(expected), 17);
    const small = expected.map((row) => row.map((value) => (Math.abs(value) < 1024 ? 1 : 0)));
    const masked = (m: Matrix) => m.map((row, r) => row.map((value, c) => (small[r][c] ? value : 0)));
    expectClose(masked(unpadded(data, [65, 40], 40)), masked(expected), 0.3);
  });
});
