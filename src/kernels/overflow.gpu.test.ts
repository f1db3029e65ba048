/** NaN and what overflows stay visible through the kernels that could hide them: attention.gpu.test.ts has the rest. */
import { afterAll, expect, it } from 'vitest';
import { openTestGpu } from '../gpu/fixtures';
import { padded, randomMatrix, randomVector, runStep, unpadded } from './fixtures';
import { TILES, unrolled } from './gemm';
import { ACTIVATIONS, M_MULTIPLE } from './gemm-spec';
import { layerNorm } from './layer_norm';
import { normalize } from './normalize';
import { pool, poolSpan } from './pool';
import { quantizeRows } from './quantize_rows';
import { blank, upload, uploadWords } from './test-buffers';
import { runGemm } from './test-gemm';
import { topK } from './top_k';

const gpu = await openTestGpu();
afterAll(() => gpu.device.destroy());

const areNaN = (row: Float64Array): boolean => row.every(Number.isNaN);
const areFinite = (row: Float64Array): boolean => row.every(Number.isFinite);

it('LayerNorm makes NaN of a row whose variance overflows, and of one with a NaN or an infinity', async () => {
  const x = randomMatrix(1, 5, 64, 2);
  x[1] = x[1].map((value) => value * 1e20);
  x[2][63] = Number.NaN;
  x[3][0] = Number.POSITIVE_INFINITY;
  const vector = (seed: number) => upload(gpu, padded([randomVector(seed, 64)], { stride: 64 }));
  const normed = blank(gpu, 8 * 64);
  const hidden_states = upload(gpu, padded(x, { stride: 64, rows: 8 }));
  const buffers = { hidden_states, rows: undefined, weight: vector(2), bias: vector(3), normed };
  const step = layerNorm<void>({ hidden: 64, stride: 64, eps: 1e-5, out: 'f32' }, buffers, () => 5);
  const rows = unpadded(await runStep(gpu, step, normed, 5 * 64), [5, 64], 64);
  expect(rows.map(areNaN)).toEqual([false, true, true, true, false]);
  expect([rows[0], rows[4]].every(areFinite)).toBe(true);
});

it("LayerNorm's output in f16 is NaN where it overflows: some GPUs would make it 65504", async ({ skip }) => {
  skip(!gpu.hasF16, 'not for this device: it needs shader-f16');
  const x = randomMatrix(1, 4, 64);
  for (const row of x) row[3] = 5;
  const weight = new Float64Array(64).fill(1);
  weight[3] = 1e6;
  weight[5] = 1000;
  const vector = (values: Float64Array) => upload(gpu, padded([values], { stride: 64 }));
  const normed = blank(gpu, 4 * 64, 'f16');
  const hidden_states = upload(gpu, padded(x, { stride: 64 }));
  const bias = vector(new Float64Array(64));
  const buffers = { hidden_states, rows: undefined, weight: vector(weight), bias, normed };
  const step = layerNorm<void>({ hidden: 64, stride: 64, eps: 1e-5, out: 'f16' }, buffers, () => 4);
  const rows = unpadded(await runStep(gpu, step, normed, 4 * 64, { storage: 'f16' }), [4, 64], 64);
  expect(rows.map((row) => [...row.keys()].filter((c) => !Number.isFinite(row[c])))).toEqual([[3], [3], [3], [3]]);
  expect(rows.map((row) => row[3])).toEqual([Number.NaN, Number.NaN, Number.NaN, Number.NaN]);
});

it('normalising makes NaN of a row whose squares overflow, and leaves a row of zeros', async () => {
  const x = randomMatrix(3, 5, 64);
  x[1] = x[1].map((value) => value * 1e20);
  x[2][63] = Number.NaN;
  x[3].fill(0);
  const embeddings = upload(gpu, padded(x, { stride: 64 }));
  const step = normalize<void>({ stride: 64, columns: 64 }, { embeddings }, () => 5);
  const rows = unpadded(await runStep(gpu, step, embeddings, 5 * 64), [5, 64], 64);
  expect(rows.map(areNaN)).toEqual([false, true, true, false, false]);
  expect([...rows[3]]).toEqual(Array(64).fill(0));
});

it('max pooling keeps a NaN in its column', async () => {
  const x = randomMatrix(4, 40, 64);
  x[29][5] = Number.NaN;
  const pooled = blank(gpu, 2 * 64);
  const spans = uploadWords(gpu, Uint32Array.from([...poolSpan(0, 20), ...poolSpan(20, 40)]));
  const buffers = { hidden_states: upload(gpu, padded(x, { stride: 64 })), spans, pooled };
  const step = pool<void>({ stride: 64, pooling: 'max' }, buffers, () => 2);
  const [first, second] = unpadded(await runStep(gpu, step, pooled, 2 * 64), [2, 64], 64);
  expect(areFinite(first)).toBe(true);
  expect([...second.keys()].filter((c) => Number.isNaN(second[c]))).toEqual([5]);
});

it('rounding to 8 bits gives a group with a NaN or an infinity a scale that is no number', async () => {
  const x = randomMatrix(5, 3, 64);
  x[1][33] = Number.NaN;
  x[2][0] = Number.NEGATIVE_INFINITY;
  const buffers = {
    x: upload(gpu, padded(x, { stride: 64, rows: M_MULTIPLE })),
    a: blank(gpu, (M_MULTIPLE * 64) / 4),
    a_scales: blank(gpu, M_MULTIPLE * 2),
  };
  const step = quantizeRows<void>({ act: 'f32', k: 64 }, buffers, () => 3);
  const scales = unpadded(await runStep(gpu, step, buffers.a_scales, 3 * 2), [3, 2], 2);
  expect(scales.map((row) => [...row].map(Number.isFinite))).toEqual([
    [true, true],
    [true, false],
    [false, true],
  ]);
});

it.each(ACTIVATIONS)('%s keeps a NaN', async (activation) => {
  const x = randomMatrix(6, 4, 64);
  x[2][7] = Number.NaN;
  const options = { n: 32, epilogue: { kind: 'activation', activation } } as const;
  const { data } = await runGemm(gpu, [{ tile: unrolled(TILES[0], 1) }], options, { x, w: randomMatrix(7, 32, 64) });
  expect(unpadded(data, [4, 32], 32).map(areNaN)).toEqual([false, false, true, false]);
});

it('a NaN among the logits makes the probabilities of its row NaN, and of no other', async () => {
  const logits = randomMatrix(8, 3, 500, 3);
  logits[1][321] = Number.NaN;
  const best = blank(gpu, 3 * 2 * 2);
  const buffers = { logits: upload(gpu, padded(logits, { stride: 504 })), best };
  const data = await runStep(
    gpu,
    topK<void>({ vocab: 500, stride: 504 }, buffers, () => 3),
    best,
    12,
  );
  const probabilities = [0, 1, 2].map((row) => [data[4 * row + 1], data[4 * row + 3]]);
  expect(probabilities.map((row) => row.map(Number.isNaN))).toEqual([
    [false, false],
    [true, true],
    [false, false],
  ]);
});
