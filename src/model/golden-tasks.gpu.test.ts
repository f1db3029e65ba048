import { expect, it, vi } from 'vitest';
import { withModel } from '../session/fixtures';
import { checkpointFolder, expectRows, readGolden, takeRows } from './fixtures/golden';

/** The other random checkpoints in f32, as transformers computes them: a newer form of config.json, classifiers, a larger encoder. */

/** SwiftShader takes over a minute for small-encoder when the machine has other work. */
vi.setConfig({ testTimeout: 5 * 60_000 });

const F32 = { dtype: 'f32', arithmetic: 'f32' } as const;

it('tiny-mlm-v5config: hidden states and logits of tiny-mlm', async () => {
  const golden = readGolden('tiny-mlm');
  await withModel(checkpointFolder('tiny-mlm-v5config'), F32, async (model) => {
    const rows = Uint32Array.from(golden.ints('logit_rows'));
    const { last_hidden_state } = await model.forward(golden.batch);
    const { logits } = await model.forward(golden.batch, { outputs: ['logits'], rows });
    expectRows(last_hidden_state?.data, golden.floats('last_hidden_state').data);
    expectRows(logits?.data, golden.floats('logits').data);
  });
});

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
