import { expect, it } from 'vitest';
import type { Model } from '../api/types';
import { openTestGpu } from '../gpu/fixtures';
import { withModel } from '../session/fixtures';
import {
  checkpointFolder,
  expectRows,
  F32_TOLERANCE,
  type Golden,
  maxDifference,
  nanoTexts,
  publicModel,
  readGolden,
  takeRows,
} from './fixtures/golden';

/** The two models that every adapter runs with every profile, in f32, as transformers computes them: a random one with every output, a trained one. */

it('tiny-mlm: hidden states, those between the layers, logits; the same in any order and one by one', async () => {
  const golden = readGolden('tiny-mlm');
  await withModel(checkpointFolder('tiny-mlm'), { dtype: 'f32', arithmetic: 'f32' }, async (model) => {
    expect(model.info).toMatchObject({ task: 'mlm', dtype: 'f32', arithmetic: 'f32', hiddenSize: 128, vocabSize: 512 });
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
});

it('nano: token ids, hidden states, and the fifty best fillings of every mask', async () => {
  const golden = readGolden('nano');
  const texts = nanoTexts();
  const { device, hasF16 } = await openTestGpu();
  device.destroy();
  const arithmetic = hasF16 ? 'f32' : 'auto'; // f32 in both cases
  await withModel(publicModel('nano'), { arithmetic }, async (model) => {
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
