import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Gpu } from '../gpu/device';
import { blank, openTestGpu, runKernel, upload, uploadWords } from '../gpu/fixtures';
import { cumulate, expectClose, padded, randomMatrix, randomVector, unpadded } from './fixtures';
import { createNormalize } from './normalize';
import { createPool, poolWorkgroups } from './pool';
import { normalize, pool, topK } from './reference';
import { createTopK } from './top_k';

let gpu: Gpu;
beforeAll(async () => {
  gpu = await openTestGpu();
});
afterAll(() => gpu.device.destroy());

describe('pool', () => {
  it.each(['mean', 'cls'] as const)('%s over sequences of 1 to 200 tokens', async (pooling) => {
    const cu_seqlens = cumulate([1, 65, 16, 200, 2]);
    const x = randomMatrix(1, 284, 320);
    const pooled = blank(gpu, 5 * 320);
    const spans = Uint32Array.from(
      [...cu_seqlens.keys()].slice(0, -1).flatMap((s) => [cu_seqlens[s], cu_seqlens[s + 1]]),
    );
    const buffers = { hidden_states: upload(gpu, padded(x, { stride: 320 })), spans: uploadWords(gpu, spans), pooled };
    const kernel = await createPool(gpu, { stride: 320, pooling });
    const data = await runKernel(gpu, kernel, buffers, poolWorkgroups(320, 5), pooled, 5 * 320);
    expectClose(unpadded(data, [5, 320], 320), pool(x, cu_seqlens, pooling), 1e-6);
  });
});

describe('normalize', () => {
  it('to unit length, and leaves a row of zeros', async () => {
    const x = randomMatrix(2, 3, 320, 40);
    x[1].fill(0);
    const embeddings = upload(gpu, padded(x, { stride: 320 }));
    const kernel = await createNormalize(gpu, { stride: 320 });
    const data = await runKernel(gpu, kernel, { embeddings }, [3], embeddings, 3 * 320);
    expectClose(unpadded(data, [3, 320], 320), normalize(x), 1e-6);
  });
});

describe('top_k', () => {
  const VOCAB = 777;
  const STRIDE = 784;
  /** A random row, one with equal logits, one with a certain winner, one whose logits are all far below zero. */
  const logits = [
    randomVector(3, VOCAB, 3),
    randomVector(4, VOCAB, 2).map((value) => Math.round(value)),
    randomVector(5, VOCAB).map((value, i) => (i === 776 ? 1e4 : value)),
    randomVector(6, VOCAB, 100, -1e5),
  ];

  it.each([1, 5, 777])('finds the best %i of a vocabulary of 777, columns that pad it left out', async (k) => {
    const best = uploadWords(gpu, new Uint32Array(logits.length * k * 2));
    const data = padded(logits, { stride: STRIDE, padding: 1e9 });
    const kernel = await createTopK(gpu, { vocab: VOCAB, stride: STRIDE });
    const bound = { buffer: best, size: logits.length * k * 8 };
    const found = await runKernel(
      gpu,
      kernel,
      { logits: upload(gpu, data), best: bound },
      [logits.length],
      best,
      logits.length * k * 2,
    );
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
