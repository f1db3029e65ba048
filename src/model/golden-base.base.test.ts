import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { LoadOptions } from '../api/types';
import { TEST_PROFILE, testGpu } from '../gpu/fixtures';
import type { Runtime } from '../runtime/runtime';
import { loadRuntime } from '../session/open';
import { folderFiles } from '../sources/folder';
import { argmaxes, checkpointFolder, maxDifference, minCosine, readGolden } from './fixtures/golden';
import { pooledEmbedding } from './heads/embeddings';
import { lastHiddenState } from './heads/hidden';
import { tokenLogits } from './heads/logits';

/** ModernBERT-base's shape, all of its 8192 tokens: 599 MB of f32 weights, and many minutes on a software GPU. */
const golden = readGolden('base-mlm');
const HIDDEN = 768;
const VOCAB = 50368;
const MEBIBYTE = 2 ** 20;

/** Where each golden sequence begins in the stream, and the rows that are known of it. */
const sequences = Array.from(golden.batch.lengths, (length, s) => {
  const before = (list: Iterable<number>) => [...list].slice(0, s).reduce((a, b) => a + b, 0);
  const start = before(golden.batch.lengths);
  const firstRow = before(golden.ints('row_counts'));
  const rows = Uint32Array.from(golden.ints('rows').subarray(firstRow, firstRow + golden.ints('row_counts')[s]));
  const expected = (name: string, from: number, count: number, width: number) =>
    golden.floats(name).data.subarray(from * width, (from + count) * width);
  return {
    ids: golden.batch.inputIds.slice(start, start + length),
    length,
    rows,
    hidden: expected('last_hidden_state_rows', firstRow, rows.length, HIDDEN),
    mean: expected('mean_pooled', s, 1, HIDDEN),
    topIds: golden.ints('top_logit_ids').subarray(s * 4 * 50, (s + 1) * 4 * 50),
    topLogits: expected('top_logits', s * 4, 4, 50),
  };
});

/** Every output that is known of one sequence, in one pass. */
async function run(runtime: Runtime, { ids, rows }: (typeof sequences)[number]) {
  const start = performance.now();
  const { heads } = await runtime.run(
    [ids],
    [
      { head: lastHiddenState, indices: rows },
      { head: pooledEmbedding({ pooling: ['mean'], normalize: false }), indices: Uint32Array.of(0) },
      { head: tokenLogits, indices: rows.slice(0, 4) },
    ],
  );
  console.log(`${ids.length} tokens in ${Math.round((performance.now() - start) / 1000)} s`);
  const [hidden, mean, logits] = heads.map(({ data }) => data);
  return { hidden, mean, logits };
}

const load = async (options: LoadOptions): Promise<Runtime> => {
  const { runtime } = await loadRuntime(checkpointFolder('base-mlm'), {
    ...options,
    gpu: testGpu(),
    profile: TEST_PROFILE,
    folder: folderFiles,
    task: 'mlm',
  });
  return runtime;
};

describe('ModernBERT-base in f32', () => {
  let runtime: Runtime;
  beforeAll(async () => {
    runtime = await load({ dtype: 'f32', arithmetic: 'f32' });
  });
  afterAll(() => runtime.dispose());

  it.each(sequences)('$length tokens: hidden states, mean and logits to 2e-4', async (sequence) => {
    const { hidden, mean, logits } = await run(runtime, sequence);
    expect(maxDifference(hidden, sequence.hidden)).toBeLessThanOrEqual(2e-4);
    expect(maxDifference(mean, sequence.mean)).toBeLessThanOrEqual(2e-4);
    const best = Array.from(sequence.topIds, (id, i) => logits[Math.floor(i / 50) * VOCAB + id]);
    expect(maxDifference(Float32Array.from(best), sequence.topLogits)).toBeLessThanOrEqual(2e-4);
    expect(argmaxes(logits, VOCAB)).toEqual([0, 1, 2, 3].map((row) => sequence.topIds[row * 50]));
  });
});

/**
 * Rounding the F32 checkpoint's weights to f16 moves logits by up to 0.02 (tiny-mlm), and one of the sixteen golden rows has its two best
 * logits, 12.4581 and 12.4508, closer than that.
 */
const NEAR_TIE = 0.02;

describe('ModernBERT-base in f16 storage', () => {
  let runtime: Runtime;
  beforeAll(async () => {
    runtime = await load({ dtype: 'f16', arithmetic: 'f32' });
  });
  afterAll(() => runtime.dispose());

  it.each(sequences)(
    '$length tokens: every row to a cosine of 0.9999, the same best tokens, near ties aside',
    async (sequence) => {
      const { hidden, mean, logits } = await run(runtime, sequence);
      expect(minCosine(hidden, sequence.hidden, HIDDEN)).toBeGreaterThanOrEqual(0.9999);
      expect(minCosine(mean, sequence.mean, HIDDEN)).toBeGreaterThanOrEqual(0.9999);
      for (const [row, id] of argmaxes(logits, VOCAB).entries()) {
        const from = row * 50;
        const place = sequence.topIds.subarray(from, from + 50).indexOf(id);
        expect(place, `row ${row}: token ${id} is not among the golden 50`).toBeGreaterThanOrEqual(0);
        const behind = sequence.topLogits[from] - sequence.topLogits[from + place];
        expect(behind, `row ${row}: token ${id} in place of ${sequence.topIds[from]}`).toBeLessThanOrEqual(NEAR_TIE);
      }
    },
  );

  it('takes at most 900 MB of the GPU, 8192 tokens and loading included', () => {
    const { weights, peak } = runtime.memoryUse();
    console.log(`weights ${Math.round(weights / MEBIBYTE)} MiB, peak ${Math.round(peak / MEBIBYTE)} MiB`);
    expect(weights).toBeLessThanOrEqual(310 * MEBIBYTE);
    expect(peak).toBeLessThanOrEqual(900e6);
  });
});
