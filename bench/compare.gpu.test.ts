import { expect, test } from 'vitest';
import { testGpu } from '../src/gpu/fixtures';
import type { Architecture } from './architectures';
import { CASES } from './cases';
import { compareArchitectures } from './compare';
import { comparedSets } from './compare-report';
import type { Step } from './steps';

const SMALL = { vocab_size: 100, hidden_size: 64, intermediate_size: 96, num_attention_heads: 2 };
const architecture = (name: string, config: Architecture['config']): Architecture => ({
  name,
  model: `test/${name}`,
  class: 'small',
  config: { ...SMALL, ...config },
});

test('measures the architectures of a class side by side, the first layers of each, and lists what does not load', async () => {
  const results: number[] = [];
  const steps: Step[] = [];
  const compared = await compareArchitectures({
    gpu: testGpu(),
    architectures: [
      architecture('ModernBERT', { model_type: 'modernbert', num_hidden_layers: 6, max_position_embeddings: 256 }),
      architecture('BERT', { model_type: 'bert', num_hidden_layers: 4, max_position_embeddings: 32 }),
      architecture('RoBERTa', { model_type: 'roberta', num_hidden_layers: 2, max_position_embeddings: 34 }),
      architecture('too wide', {
        model_type: 'bert',
        num_hidden_layers: 2,
        num_attention_heads: 3,
        max_position_embeddings: 32,
      }),
    ],
    layers: 3,
    cases: CASES,
    tokens: 100,
    repeats: 1,
    log() {},
    onStep: (step) => steps.push(step),
    onResult: ({ sets }) => results.push(sets.length),
  });
  expect(
    compared.models.map(({ name, layers, layers_run, max_tokens }) => [name, layers, layers_run, max_tokens]),
  ).toEqual([
    ['ModernBERT', 6, 3, 256],
    ['BERT', 4, 3, 32],
    ['RoBERTa', 2, 2, 32],
    ['too wide', 2, undefined, undefined],
  ]);
  expect(steps.filter(({ unit }) => unit === 'model').map(({ done, total }) => [done, total])).toEqual(
    [0, 1, 2, 3].map((done) => [done, 4]),
  );
  // Every set runs once before the run that counts.
  const ran = steps.filter(({ unit }) => unit === 'token');
  const total = 2 * compared.sets.reduce((sum, { tokens }) => sum + tokens, 0);
  expect(new Set(ran.map((step) => step.total))).toEqual(new Set([total]));
  expect([ran[0].done, ran.at(-1)?.done]).toEqual([0, total]);
  expect(compared.models[3].error).toMatch(/num_attention_heads/);
  expect(results.length).toBeGreaterThan(0);
  // Documents of up to 8192 tokens are cut to the set's 100, or to what the model takes.
  expect(compared.sets.map(({ model, name, layers, tokens }) => [model, name, layers, tokens]).sort()).toEqual([
    ['BERT', 'fixed-32', 3, 96],
    ['BERT', 'variable-32', 3, 100],
    ['ModernBERT', 'fixed-100', 3, 100],
    ['ModernBERT', 'variable-100', 3, 100],
    ['RoBERTa', 'fixed-32', 2, 96],
    ['RoBERTa', 'variable-32', 2, 100],
  ]);
  for (const { set, tokens_per_s, memory_bytes, largest_batch } of comparedSets(compared)) {
    expect(set.peak_share).toBeGreaterThan(0);
    expect(tokens_per_s).toBeGreaterThan(0);
    expect(memory_bytes).toBeGreaterThan(0);
    expect(largest_batch).toBeGreaterThan(0);
  }
});
