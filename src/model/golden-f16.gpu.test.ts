import { expect, it } from 'vitest';
import type { LoadOptions } from '../api/types';
import { openTestGpu } from '../gpu/fixtures';
import { withModel } from '../session/fixtures';
import { argmaxes, checkpointFolder, minCosine, nanoTexts, publicModel, readGolden } from './fixtures/golden';

const { device, hasF16 } = await openTestGpu();
device.destroy();

/** Fails unless every row of tiny-mlm has a cosine of at least `least` with the golden one, and the same best token. */
async function expectTinyMlm(options: LoadOptions, least: number): Promise<void> {
  const golden = readGolden('tiny-mlm');
  const rows = Uint32Array.from(golden.ints('logit_rows'));
  const expected = golden.floats('logits').data;
  await withModel(checkpointFolder('tiny-mlm'), options, async (model) => {
    const { last_hidden_state } = await model.forward(golden.batch);
    const { logits } = await model.forward(golden.batch, { outputs: ['logits'], rows });
    const hidden = minCosine(last_hidden_state!.data, golden.floats('last_hidden_state').data, 128);
    expect(hidden).toBeGreaterThanOrEqual(least);
    expect(minCosine(logits!.data, expected, 512)).toBeGreaterThanOrEqual(least);
    expect(argmaxes(logits!.data, 512)).toEqual(argmaxes(expected, 512));
  });
}

it('tiny-mlm in f16 storage with f32 arithmetic: every row to a cosine of 0.9999, the same best token', () =>
  expectTinyMlm({ dtype: 'f16', arithmetic: 'f32' }, 0.9999));

it('tiny-mlm in f16 arithmetic: to 0.999, the same best token; or the device is said to lack shader-f16', async () => {
  const computed = expectTinyMlm({ dtype: 'f16', arithmetic: 'f16' }, 0.999);
  if (hasF16) await computed;
  else await expect(computed).rejects.toThrow(/arithmetic: 'f16' needs the device feature shader-f16/);
});

it("nano with 'auto' computes in f16: hidden states to a cosine of 0.999, the same best fillings", async ({ skip }) => {
  skip(!hasF16, 'not for this device: it needs shader-f16');
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
