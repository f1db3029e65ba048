import { expect, test } from 'vitest';
import type { KernelTime, SetResult } from './report';
import { roofline } from './roofline';

const kernel = (label: string, gflops: number, bytes?: number): KernelTime => ({
  label,
  ms: 1,
  count: 1,
  gflops,
  peak_share: gflops / 1000,
  bytes,
});
const set = (changes: Partial<SetResult>): SetResult => ({
  name: 'fixed-512',
  model: 'nano',
  dtype: 'f16',
  tier: 'f16-storage',
  layers: 7,
  sequences: 4,
  lengths: [512, 512, 512, 512],
  tokens: 2048,
  passes: 1,
  ms: 1,
  tokens_per_s: 1,
  gflops: 1,
  peak_share: 0,
  dispatches: 52,
  useful_flops_share: 1,
  peak_bytes: 1,
  ...changes,
});
const report = (sets: SetResult[]) => ({
  peaks: { fma_gflops: 1000, copy_gb_s: 100 },
  sets,
  adapter: 'A <card> & more',
  runtime: 'Node 20',
  date: '2026-11-24T00:00:00.000Z',
});

test('each kernel with a known traffic stands at its intensity and rate, below the roof', () => {
  const kernels = [kernel('Wqkv', 500, 5e6), kernel('layer_norm', 0, 1e6), kernel('head.dense', 100)];
  const plot = roofline(report([set({ kernels })]))!;
  expect(plot.match(/<circle/g)).toHaveLength(1);
  expect(plot).toContain('1 Wqkv <tspan class="quiet">500 GFLOP/s, 50.0%</tspan>');
  expect(plot).not.toContain('layer_norm');
  expect(plot).toContain('A &lt;card&gt; &amp; more');
  const [, x, y] = /<g transform="translate\(([\d.]+) ([\d.]+)\)"><circle/.exec(plot)!.map(Number);
  const roofs = [.../points="([^"]+)"/.exec(plot)![1].matchAll(/([\d.]+),([\d.]+)/g)].map(([, a, b]) => [+a, +b]);
  expect(roofs).toHaveLength(3);
  const [[, start], [ridge, top], [, end]] = roofs;
  expect(top).toBe(end);
  expect(start).toBeGreaterThan(top); // the line rises: SVG's y goes down
  expect(x).toBeGreaterThan(ridge); // intensity 100 is right of the ridge at 10
  expect(y).toBeGreaterThan(top);
});

test('a panel for each model, of its fastest tier, fixed sets only', () => {
  const kernels = [kernel('Wqkv', 500, 5e6)];
  const plot = roofline(
    report([
      set({ kernels }),
      set({ kernels, tier: 'f32', tokens_per_s: 2 }),
      set({ kernels, tier: 'f32', name: 'variable-512', tokens_per_s: 3 }),
      set({ kernels, model: 'base', name: 'fixed-8192' }),
    ]),
  )!;
  expect([...plot.matchAll(/●<\/tspan> ([^<]*)</g)].map(([, name]) => name)).toEqual([
    'nano f32 fixed-512',
    'base f16-storage fixed-8192',
  ]);
  expect(roofline(report([set({})]))).toBeUndefined();
});
