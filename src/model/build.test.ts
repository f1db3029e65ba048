import { expect, it } from 'vitest';
import { parametersOf } from './build';
import { readModernBert } from './fixtures/modernbert';
import { quantizedTensors } from './quantized-tensors';

const config = (sizes: object = {}) => ({
  model_type: 'modernbert',
  architectures: ['ModernBertForMaskedLM'],
  vocab_size: 77,
  hidden_size: 64,
  intermediate_size: 128,
  num_hidden_layers: 2,
  num_attention_heads: 2,
  ...sizes,
});
const NAMES = new Set(['model.embeddings.tok_embeddings.weight', 'head.dense.weight']);
const LAYER = 'model.layers.1';

it('quantises the matrices of the layers and tables, but no heads and no vectors', async () => {
  const q4 = (await quantizedTensors(config({ tie_word_embeddings: false }), 'q4'))(NAMES);
  for (const name of ['attn.Wqkv', 'attn.Wo', 'mlp.Wi', 'mlp.Wo']) expect(q4(`${LAYER}.${name}.weight`)).toBe('q4');
  expect(q4('model.embeddings.tok_embeddings.weight')).toBe('q4');
  expect(q4('decoder.weight')).toBe('q4');
  for (const name of ['head.dense.weight', 'decoder.bias', `${LAYER}.mlp_norm.weight`, 'unknown']) {
    expect(q4(name)).toBeUndefined();
  }
  expect((await quantizedTensors(config(), 'f16'))(NAMES)(`${LAYER}.attn.Wqkv.weight`)).toBeUndefined();
});

it('leaves matrices whose columns move or are no whole groups', async () => {
  const odd = (await quantizedTensors(config({ num_attention_heads: 4, intermediate_size: 96 }), 'q8'))(NAMES);
  expect(odd(`${LAYER}.attn.Wo.weight`)).toBeUndefined(); // heads of 16 are padded
  expect(odd(`${LAYER}.mlp.Wo.weight`)).toBeUndefined();
  expect(odd(`${LAYER}.attn.Wqkv.weight`)).toBe('q8');
});

it('refuses to quantise what it does not know', async () => {
  await expect(quantizedTensors({ model_type: 'gpt2' }, 'q8')).rejects.toThrow(/model_type = "gpt2" is not supported/);
  expect((await quantizedTensors({ model_type: 'gpt2' }, 'f16'))(NAMES)('h.0.weight')).toBeUndefined();
});

it('counts the parameters of the matrices and the table', () => {
  const { family, config: read } = readModernBert(config());
  expect(parametersOf(family, read)).toBe(77 * 64 + 2 * (4 * 64 * 64 + 3 * 64 * 128));
});
