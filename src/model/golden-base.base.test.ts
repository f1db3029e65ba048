import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Runtime } from '../runtime/runtime';
import { argmaxes, maxDifference } from './fixtures/golden';
import { expectGoldenInF16, load, run, sequences, VOCAB } from './fixtures/golden-base';

const MEBIBYTE = 2 ** 20;

/** All of the 8192 tokens take a software GPU many minutes. */
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

describe('ModernBERT-base in f16 storage', () => {
  let runtime: Runtime;
  beforeAll(async () => {
    runtime = await load({ dtype: 'f16', arithmetic: 'f32' });
  });
  afterAll(() => runtime.dispose());

  it.each(sequences)(
    '$length tokens: every row to a cosine of 0.9999, the same best tokens, near ties aside',
    (sequence) => expectGoldenInF16(runtime, sequence),
  );

  it('takes at most 900 MB of the GPU, 8192 tokens and loading included', () => {
    const { weights, peak } = runtime.memoryUse();
    console.log(`weights ${Math.round(weights / MEBIBYTE)} MiB, peak ${Math.round(peak / MEBIBYTE)} MiB`);
    expect(weights).toBeLessThanOrEqual(310 * MEBIBYTE);
    expect(peak).toBeLessThanOrEqual(900e6);
  });
});
