import { afterAll, describe, expect, it } from 'vitest';
import { openTestGpu } from '../gpu/fixtures';
import { POOLINGS } from '../model/modules/pooling';
import { addRows as addRowsStep } from './add_rows';
import {
  cumulate,
  expectClose,
  expectZeroPadding,
  padded,
  randomMatrix,
  randomVector,
  runStep,
  unpadded,
} from './fixtures';
import { paddedWidth } from './layout';
import { normalize as normalizeStep } from './normalize';
import { poolSpan, pool as poolStep } from './pool';
import { blank, upload, uploadWords } from './test-buffers';
import { topK as topKStep } from './top_k';
import { addRows, normalize, pool, topK } from './twins';

const gpu = await openTestGpu();
afterAll(() => gpu.device.destroy());

describe('pool', () => {
  it.each(POOLINGS)(
    '%s over sequences of 1 to 200 tokens, also into columns of wider rows or without the first token',
    async (pooling) => {
      const cu_seqlens = cumulate([1, 65, 16, 200, 2]);
      const x = randomMatrix(1, 284, 320);
      for (const [skip, outStride, outColumn] of [
        [0, 320, 0],
        [0, 960, 640],
        [1, 320, 0],
      ]) {
        const starts = [...cu_seqlens.keys()].slice(skip, -1);
        const spans = Uint32Array.from(starts.flatMap((s) => poolSpan(cu_seqlens[s], cu_seqlens[s + 1], skip)));
        const pooled = blank(gpu, 5 * outStride);
        const hidden_states = upload(gpu, padded(x, { stride: 320 }));
        const buffers = { hidden_states, spans: uploadWords(gpu, spans), pooled };
        const step = poolStep<void>({ stride: 320, pooling, outStride, outColumn }, buffers, () => starts.length);
        const data = await runStep(gpu, step, pooled, starts.length * outStride);
        const found = unpadded(data, [starts.length, 320], outStride, (c) => outColumn + c);
        expectClose(found, pool(x, cu_seqlens.subarray(skip), pooling, skip), 2e-6);
      }
    },
  );
});

describe('poolings side by side', () => {
  /** Each writes what is its own and nothing else, the last one also the zeros that a layer's padding needs. */
  it.each([
    [24, 2],
    [24, 6],
    [33, 5],
    [1, 3],
    [70, 4],
  ])('of %i columns, %i of them', async (columns, count) => {
    const cu_seqlens = cumulate([1, 18, 40]);
    const [stride, outStride] = [paddedWidth(columns), paddedWidth(columns * count)];
    const x = randomMatrix(7, 59, columns);
    const pooled = upload(gpu, new Float32Array(3 * outStride).fill(Number.NaN));
    const spans = Uint32Array.from([0, 1, 2].flatMap((s) => poolSpan(cu_seqlens[s], cu_seqlens[s + 1])));
    const buffers = {
      hidden_states: upload(gpu, padded(x, { stride, padding: 1e9 })),
      spans: uploadWords(gpu, spans),
      pooled,
    };
    const own = POOLINGS.slice(0, count);
    let data = new Float32Array();
    for (const [p, pooling] of own.entries()) {
      const outColumn = p * columns;
      const outColumns = p === count - 1 ? outStride - outColumn : columns;
      const step = poolStep<void>({ pooling, stride, columns, outStride, outColumn, outColumns }, buffers, () => 3);
      data = await runStep(gpu, step, pooled, 3 * outStride);
    }
    const expected = own.map((pooling) => pool(x, cu_seqlens, pooling));
    const rows = [0, 1, 2].map((s) => Float64Array.from(expected.flatMap((each) => [...each[s]])));
    expectClose(unpadded(data, [3, columns * count], outStride), rows, 2e-6);
    expectZeroPadding(data, 3, columns * count, outStride);
  });
});

describe('normalize', () => {
  it.each([320, 77])('scales the first %i of 320 numbers to unit length and leaves a row of zeros', async (columns) => {
    const x = randomMatrix(2, 3, 320, 40);
    x[1].fill(0);
    const embeddings = upload(gpu, padded(x, { stride: 320 }));
    const step = normalizeStep<void>({ stride: 320, columns }, { embeddings }, () => 3);
    const data = await runStep(gpu, step, embeddings, 3 * 320);
    const expected = normalize(x.map((row) => row.slice(0, columns)));
    expectClose(unpadded(data, [3, columns], 320), expected, 1e-6);
  });
});

describe('add_rows', () => {
  const rows = randomMatrix(7, 3, 77);
  const sum = randomMatrix(8, 3, 77);
  const weights = Float32Array.of(0.5, -2, 4);
  it.each([
    { name: 'adds rows of one stride to rows of another', term: undefined, w: 1 },
    { name: 'adds a term of a weighted mean', term: { index: 1, weights: 3, isFirst: false }, w: -2 / 2.5 },
    { name: 'replaces what was there by the first term', term: { index: 2, weights: 3, isFirst: true }, w: 4 / 2.5 },
  ])('$name', async ({ term, w }) => {
    const total = upload(gpu, padded(sum, { stride: 128 }));
    const buffers = {
      rows: upload(gpu, padded(rows, { stride: 96 })),
      weights: term && upload(gpu, weights),
      sum: total,
    };
    const step = addRowsStep<void>({ stride: 96, sumStride: 128, columns: 77, term }, buffers, () => 3);
    const data = await runStep(gpu, step, total, 3 * 128);
    expectClose(unpadded(data, [3, 77], 128), addRows(rows, w, term?.isFirst ? undefined : sum), 1e-6);
    expect(unpadded(data, [3, 51], 128, (c) => 77 + c).flatMap((row) => [...row])).toEqual(Array(153).fill(0));
  });
});

describe('top_k', () => {
  const VOCAB = 777;
  const STRIDE = 784;
  /** A random row, one with equal logits, one with a clear winner, one with all logits far below zero. */
  const logits = [
    randomVector(3, VOCAB, 3),
    randomVector(4, VOCAB, 2).map((value) => Math.round(value)),
    randomVector(5, VOCAB).map((value, i) => (i === 776 ? 1e4 : value)),
    randomVector(6, VOCAB, 100, -1e5),
  ];

  it.each([1, 5, 777])('finds the best %i of a vocabulary of 777 and ignores padding columns', async (k) => {
    const best = uploadWords(gpu, new Uint32Array(logits.length * k * 2));
    const data = padded(logits, { stride: STRIDE, padding: 1e9 });
    const bound = { of: best, range: () => ({ offset: 0, size: logits.length * k * 8 }) };
    const step = topKStep<void>(
      { vocab: VOCAB, stride: STRIDE },
      { logits: upload(gpu, data), best: bound },
      () => logits.length,
    );
    const found = await runStep(gpu, step, best, logits.length * k * 2);
    const ids = new Uint32Array(found.buffer);
    logits.forEach((row, r) => {
      const expected = topK(row, k);
      const at = (i: number) => 2 * (r * k + i);
      expect(expected.map((_, i) => ids[at(i)])).toEqual(expected.map(({ id }) => id));
      expectClose(
        [Float64Array.from(expected, (_, i) => found[at(i) + 1])],
        [Float64Array.from(expected, (e) => e.probability)],
        1e-6,
      );
    });
  });
});
