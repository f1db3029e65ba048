import { expect, it } from 'vitest';
import type { Dtype } from '../src/index';
import { gpuBytes, KNOWN_MODELS, parametersOf } from './known-models';

const model = (id: string) => KNOWN_MODELS.find((known) => known.id === id)!;
const millions = (id: string) => Math.round(parametersOf(model(id)) / 1e6);

it('counts the parameters that the checkpoints are published with', () => {
  expect(millions('answerdotai/ModernBERT-base')).toBe(150); // published numbers leave out some of the head: 149, 132
  expect(millions('answerdotai/ModernBERT-large')).toBe(396);
  expect(millions('jhu-clsp/ettin-encoder-17m')).toBe(17);
  expect(millions('jhu-clsp/mmBERT-base')).toBe(308);
  expect(millions('sbintuitions/modernbert-ja-130m')).toBe(133);
  expect(millions('ibm-granite/granite-embedding-small-english-r2')).toBe(48);
});

it('gives the sizes of docs/guide/dtypes.md', () => {
  const sizes = { f32: 599, f16: 299, q8: 160, q4: 105 };
  for (const [dtype, size] of Object.entries(sizes)) {
    const bytes = gpuBytes(model('answerdotai/ModernBERT-base'), dtype as Dtype);
    expect(Math.abs(bytes / 1e6 - size)).toBeLessThan(1);
  }
});
