import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { makeCheckpoint } from '../../tools/make-checkpoint.mjs';
import { loadTestModel } from '../session/fixtures';
import { referenceForward } from './families/reference/modernbert';

/** Checkpoints that no golden covers: odd sizes, activations, windows and layer patterns, against the plain-TypeScript model. */
const common = { model_type: 'modernbert', max_position_embeddings: 512, num_hidden_layers: 3 };
const LENGTHS = [1, 70, 3, 40];

const CASES = [
  {
    name: 'hidden 320, head_dim 32, vocabulary 777, SiLU, window 6, intermediate 500',
    task: 'mlm',
    config: {
      ...common,
      hidden_size: 320,
      num_attention_heads: 10,
      vocab_size: 777,
      intermediate_size: 500,
      hidden_activation: 'silu',
      classifier_activation: 'silu',
      local_attention: 12,
    },
  },
  {
    name: 'head_dim 20 (padded), biases, tanh gelu, all layers global, no local theta',
    task: 'seqcls',
    config: {
      ...common,
      hidden_size: 100,
      num_attention_heads: 5,
      vocab_size: 131,
      intermediate_size: 72,
      hidden_activation: 'gelu_pytorch_tanh',
      norm_bias: true,
      attention_bias: true,
      mlp_bias: true,
      classifier_bias: true,
      classifier_pooling: 'mean',
      global_attn_every_n_layers: 1,
      local_rope_theta: null,
      num_labels: 3,
      id2label: { 0: 'a', 1: 'b', 2: 'c' },
    },
  },
  {
    name: 'head_dim 128, ReLU, window layers first, odd window',
    task: 'tokcls',
    config: {
      ...common,
      hidden_size: 256,
      num_attention_heads: 2,
      vocab_size: 1000,
      intermediate_size: 96,
      hidden_activation: 'relu',
      local_attention: 33,
      layer_types: ['sliding_attention', 'full_attention', 'sliding_attention'],
      rope_parameters: {
        full_attention: { rope_type: 'default', rope_theta: 80000 },
        sliding_attention: { rope_type: 'default', rope_theta: 5000 },
      },
      num_labels: 9,
    },
  },
] as const;

const worst = (actual: Float32Array, expected: Float64Array[]): number => {
  const flat = expected.flatMap((row) => [...row]);
  if (actual.length !== flat.length) return Infinity;
  return flat.reduce((most, value, i) => Math.max(most, Math.abs(value - actual[i])), 0);
};

describe.each(CASES)('$name', ({ task, config }) => {
  it('gives the hidden states and logits of the plain model', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'modernbert-'));
    makeCheckpoint({ seed: 11, task, config }, folder);
    const sequences = LENGTHS.map((n, s) =>
      Uint32Array.from({ length: n }, (_, i) => (i * 37 + s * 11 + 5) % config.vocab_size),
    );
    const expected = referenceForward(folder, task, sequences);
    const model = await loadTestModel(folder, { dtype: 'f32' });
    try {
      const inputIds = Uint32Array.from(sequences.flatMap((ids) => [...ids]));
      const { last_hidden_state, logits } = await model.forward(
        { inputIds, lengths: Uint32Array.from(LENGTHS) },
        { outputs: ['last_hidden_state', 'logits'] },
      );
      expect(model.info.task).toBe(task);
      expect(worst(last_hidden_state!.data, expected.last_hidden_state)).toBeLessThanOrEqual(2e-4);
      expect(worst(logits!.data, expected.logits!)).toBeLessThanOrEqual(2e-4);
    } finally {
      await model.dispose();
    }
  });
});
