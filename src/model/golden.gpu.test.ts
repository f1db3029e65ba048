import { beforeAll, describe, expect, it, vi } from 'vitest';
import type { LoadOptions, Model } from '../api/types';
import { openTestGpu } from '../gpu/fixtures';
import { withModel } from '../session/fixtures';
import {
  argmaxes,
  checkpointFolder,
  type Golden,
  maxDifference,
  minCosine,
  nanoTexts,
  publicModel,
  readGolden,
  takeRows,
} from './fixtures/golden';

/** SwiftShader takes over a minute for small-encoder when the machine has other work. */
vi.setConfig({ testTimeout: 5 * 60_000 });

const F32 = { dtype: 'f32', arithmetic: 'f32' } as const;
/** PyTorch's own f32 is up to 3e-5 from float64 here. */
const F32_TOLERANCE = 2e-4;

let hasF16: boolean;
let arithmeticOfNano: { asked: string; used: string };
beforeAll(async () => {
  const gpu = await openTestGpu();
  hasF16 = gpu.hasF16;
  gpu.device.destroy();
});

const expectRows = (actual: Float32Array | undefined, expected: Float32Array) =>
  expect(maxDifference(actual ?? new Float32Array(), expected)).toBeLessThanOrEqual(F32_TOLERANCE);

describe('in f32, as transformers computes them', () => {
  it.each(['tiny-mlm', 'tiny-mlm-v5config'])(
    '%s: hidden states, those between the layers, logits; the same in any order and one by one',
    async (name) => {
      const golden = readGolden('tiny-mlm');
      await withModel(checkpointFolder(name), F32, async (model) => {
        expect(model.info).toMatchObject({
          task: 'mlm',
          dtype: 'f32',
          arithmetic: 'f32',
          hiddenSize: 128,
          vocabSize: 512,
        });
        const { last_hidden_state, logits } = await model.forward(golden.batch, {
          outputs: ['last_hidden_state', 'logits'],
        });
        expect([last_hidden_state?.shape, logits?.shape]).toEqual([
          [899, 128],
          [899, 512],
        ]);
        expectRows(last_hidden_state?.data, golden.floats('last_hidden_state').data);
        expectRows(takeRows(logits!.data, 512, golden.ints('logit_rows')), golden.floats('logits').data);

        const rows = Uint32Array.from({ length: 200 }, (_, i) => 699 + i);
        const { hidden_states } = await model.forward(golden.batch, { outputs: ['hidden_states'], rows });
        expect(hidden_states?.shape).toEqual([5, 200, 128]);
        expectRows(hidden_states?.data, golden.floats('hidden_states_of_last_sequence').data);
        await expectSameHoweverPacked(model, golden, last_hidden_state!.data);
      });
    },
  );

  it.each(['tiny-seqcls-cls-biases', 'tiny-seqcls-mean'])(
    '%s: hidden states and one row of logits a sequence',
    async (name) => {
      const golden = readGolden(name);
      const expected = golden.floats('logits');
      await withModel(checkpointFolder(name), F32, async (model) => {
        expect(model.info.task).toBe('seqcls');
        const { last_hidden_state, logits } = await model.forward(golden.batch, {
          outputs: ['last_hidden_state', 'logits'],
        });
        expect(logits?.shape).toEqual(expected.shape);
        expectRows(logits?.data, expected.data);
        expectRows(last_hidden_state?.data, golden.floats('last_hidden_state').data);
      });
    },
  );

  it('tiny-tokcls: hidden states and one row of logits a token', async () => {
    const golden = readGolden('tiny-tokcls');
    await withModel(checkpointFolder('tiny-tokcls'), { ...F32, task: 'tokcls' }, async (model) => {
      const { last_hidden_state, logits } = await model.forward(golden.batch, {
        outputs: ['last_hidden_state', 'logits'],
      });
      expect(logits?.shape).toEqual([899, 5]);
      expectRows(logits?.data, golden.floats('logits').data);
      expectRows(last_hidden_state?.data, golden.floats('last_hidden_state').data);
    });
  });

  it('small-encoder: up to 2048 tokens a sequence, and their means', async () => {
    const golden = readGolden('small-encoder');
    await withModel(checkpointFolder('small-encoder'), F32, async (model) => {
      expect(model.info.task).toBe('encoder');
      // A short pass first: the long one then needs larger buffers and RoPE tables.
      await model.forward({ inputIds: golden.batch.inputIds.slice(0, 9), lengths: Uint32Array.of(9) });
      const { last_hidden_state } = await model.forward(golden.batch);
      const rows = takeRows(last_hidden_state!.data, 256, golden.ints('rows'));
      expectRows(rows, golden.floats('last_hidden_state_rows').data);
      expectRows(means(last_hidden_state!.data, 256, golden.batch.lengths), golden.floats('mean_pooled').data);
    });
  });

  it('nano: token ids, hidden states, and the fifty best fillings of every mask', async () => {
    const golden = readGolden('nano');
    const texts = nanoTexts();
    const arithmetic = hasF16 ? 'f32' : 'auto';
    await withModel(publicModel('nano'), { arithmetic }, async (model) => {
      arithmeticOfNano = { asked: arithmetic, used: model.info.arithmetic };
      expect(model.info).toMatchObject({ dtype: 'f16', arithmetic: 'f32' });
      const tokens = await Promise.all(texts.map((text) => model.tokenize(text)));
      expect(tokens.map(({ ids }) => ids.length)).toEqual([...golden.batch.lengths]);
      expect(tokens.flatMap(({ ids }) => [...ids])).toEqual([...golden.batch.inputIds]);
      const { last_hidden_state } = await model.forward(golden.batch);
      expectRows(last_hidden_state?.data, golden.floats('last_hidden_state').data);

      const masks = (await model.fillMask(texts.slice(0, 3), { topK: 50 })).flat();
      const ids = golden.ints('top_logit_ids');
      const logits = golden.floats('top_logits').data;
      expect(masks).toHaveLength(4);
      masks.forEach(({ candidates }, m) => {
        const own = logits.subarray(m * 50, (m + 1) * 50);
        // Scores are softmax probabilities: their logarithms differ as the logits do.
        const differences = candidates.map(({ score }) => Math.log(score / candidates[0].score));
        expectRows(
          Float32Array.from(differences),
          own.map((logit) => logit - own[0]),
        );
        expect(candidates[0].tokenId).toBe(ids[m * 50]);
        // Logits within the tolerance may change places, at the end of the list with one that is not on it.
        const clear = [...own.keys()].filter(
          (i) => i < 49 && own[i] - own[i + 1] > F32_TOLERANCE && (i === 0 || own[i - 1] - own[i] > F32_TOLERANCE),
        );
        expect(clear.length).toBeGreaterThan(40);
        expect(clear.map((i) => candidates[i].tokenId)).toEqual(clear.map((i) => ids[m * 50 + i]));
      });
    });
  });
});

describe('in f16', () => {
  /** Cosines of hidden states, and the best token of every row of logits. */
  async function compareTinyMlm(options: LoadOptions): Promise<{ cosine: number; logits: number; sameBest: number }> {
    const golden = readGolden('tiny-mlm');
    const rows = Uint32Array.from(golden.ints('logit_rows'));
    const expected = golden.floats('logits').data;
    return withModel(checkpointFolder('tiny-mlm'), options, async (model) => {
      const { last_hidden_state } = await model.forward(golden.batch);
      const { logits } = await model.forward(golden.batch, { outputs: ['logits'], rows });
      const best = argmaxes(logits!.data, 512);
      return {
        cosine: minCosine(last_hidden_state!.data, golden.floats('last_hidden_state').data, 128),
        logits: minCosine(logits!.data, expected, 512),
        sameBest: argmaxes(expected, 512).filter((id, i) => id === best[i]).length,
      };
    });
  }

  it('storage with f32 arithmetic: every row to a cosine of 0.9999, the same best token', async () => {
    const { cosine, logits, sameBest } = await compareTinyMlm({ dtype: 'f16', arithmetic: 'f32' });
    expect(cosine).toBeGreaterThanOrEqual(0.9999);
    expect(logits).toBeGreaterThanOrEqual(0.9999);
    expect(sameBest).toBe(129);
  });

  it('arithmetic: every row to a cosine of 0.999, the same best token; or the device is said to lack shader-f16', async () => {
    const options = { dtype: 'f16', arithmetic: 'f16' } as const;
    if (!hasF16) {
      await expect(compareTinyMlm(options)).rejects.toThrow(/arithmetic: 'f16' needs the device feature shader-f16/);
      return;
    }
    const { cosine, logits, sameBest } = await compareTinyMlm(options);
    expect(cosine).toBeGreaterThanOrEqual(0.999);
    expect(logits).toBeGreaterThanOrEqual(0.999);
    expect(sameBest).toBe(129);
  });

  it("nano with 'auto' on a device with shader-f16; without, 'auto' is the f32 of the test above", async () => {
    if (!hasF16) {
      expect(arithmeticOfNano).toEqual({ asked: 'auto', used: 'f32' });
      return;
    }
    const golden = readGolden('nano');
    await withModel(publicModel('nano'), {}, async (model) => {
      expect(model.info).toMatchObject({ dtype: 'f16', arithmetic: 'f16' });
      const { last_hidden_state } = await model.forward(golden.batch);
      const cosine = minCosine(last_hidden_state!.data, golden.floats('last_hidden_state').data, 256);
      expect(cosine).toBeGreaterThanOrEqual(0.999);
      const masks = (await model.fillMask(nanoTexts().slice(0, 3), { topK: 1 })).flat();
      const best = golden.ints('top_logit_ids').filter((_, i) => i % 50 === 0);
      expect(masks.map(({ candidates }) => candidates[0].tokenId)).toEqual([...best]);
    });
  });
});

/** `packed`: the hidden states of all sequences in the golden order. */
async function expectSameHoweverPacked(model: Model, { batch }: Golden, packed: Float32Array): Promise<void> {
  const { inputIds, lengths } = batch;
  const starts = Array.from(lengths, (_, i) => lengths.subarray(0, i).reduce((a, b) => a + b, 0));
  const run = async (order: number[]) => {
    const { last_hidden_state } = await model.forward({
      inputIds: Uint32Array.from(order.flatMap((s) => [...inputIds.subarray(starts[s], starts[s] + lengths[s])])),
      lengths: Uint32Array.from(order, (s) => lengths[s]),
    });
    return last_hidden_state!.data;
  };
  const order = [7, 0, 11, 3, 9, 1, 10, 5, 2, 8, 4, 6];
  const shuffled = await run(order);
  let at = 0;
  for (const s of order) {
    const expected = packed.subarray(starts[s] * 128, (starts[s] + lengths[s]) * 128);
    expect(maxDifference(shuffled.subarray(at, at + expected.length), expected)).toBeLessThanOrEqual(1e-5);
    expect(maxDifference(await run([s]), expected)).toBeLessThanOrEqual(1e-5);
    at += expected.length;
  }
}

/** The mean of every sequence's rows. */
function means(data: Float32Array, width: number, lengths: Uint32Array): Float32Array {
  let start = 0;
  return Float32Array.from(
    Array.from(lengths).flatMap((length) => {
      const rows = data.subarray(start * width, (start + length) * width);
      start += length;
      return Array.from({ length: width }, (_, c) => {
        let sum = 0;
        for (let r = 0; r < length; r++) sum += rows[r * width + c];
        return sum / length;
      });
    }),
  );
}
