import { afterAll, beforeAll, expect, it } from 'vitest';
import type { Runtime } from '../runtime/runtime';
import { expectGoldenInF16, load, sequences } from './fixtures/golden-base';

/** ModernBERT-base's shape and all its layers, on few enough tokens for CI. golden-base.base.test.ts runs up to 8192. */
const SHORT = sequences.filter(({ length }) => length <= 130);

let runtime: Runtime;
beforeAll(async () => {
  runtime = await load({ dtype: 'f16', arithmetic: 'f32' });
});
afterAll(() => runtime.dispose());

it.each(SHORT)('$length tokens: every row to a cosine of 0.9999, the same best tokens, near ties aside', (sequence) =>
  expectGoldenInF16(runtime, sequence),
);

it('has all 22 layers', () => {
  expect(SHORT.map(({ length }) => length)).toEqual([16, 130]);
  expect(runtime.model.encoder.layers).toHaveLength(22);
});
