import { expect, it } from 'vitest';
import type { Model } from '../src/index';
import { statusLine } from './status-line';

const on = (adapter: object) => ({ info: { adapter } }) as unknown as Model;

it('says time, tokens, rate and GPU', () => {
  const adapter = { vendor: 'nvidia', architecture: 'ampere', device: '', description: '' };
  expect(statusLine(on(adapter), 250, 8192)).toBe('250 ms · 8,192 tokens · 32,768 tokens/s · nvidia ampere');
  expect(statusLine(on({ ...adapter, description: 'RTX 3090' }), 1500, 1)).toBe(
    '1.5 s · 1 token · 1 tokens/s · RTX 3090',
  );
});
