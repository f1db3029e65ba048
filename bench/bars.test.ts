import { expect, test } from 'vitest';
import { barsOf } from './bars';
import { barTable } from './print';
import type { KernelTime, Measurements, SetResult } from './report';

const kernel = (label: string, ms: number, gflops: number): KernelTime => ({
  label,
  ms,
  count: 1,
  gflops,
  peak_share: 0,
});
const set = (changes: Partial<SetResult>): SetResult => ({
  name: 'fixed-512',
  model: 'base',
  dtype: 'f16',
  tier: 'f16-storage',
  layers: 22,
  sequences: 4,
  lengths: [512, 512, 512, 512],
  tokens: 2048,
  passes: 1,
  ms: 1,
  tokens_per_s: 100,
  gflops: 13,
  peak_share: 0,
  dispatches: 157,
  useful_flops_share: 0.99,
  peak_bytes: 1,
  ...changes,
});
const measured = (sets: SetResult[], windows: number[] = []): Measurements => ({
  peaks: { fma_gflops: 100, copy_gb_s: 10 },
  sets,
  queries: [],
  windows: windows.map((us_per_token, i) => ({
    model: 'nano',
    tier: 'f32',
    tokens: 1024 << i,
    ms: 1,
    us_per_token,
  })),
});

test('GEMMs are weighed by their time, and every bar says what it is of', () => {
  const kernels = [kernel('Wqkv', 3, 30), kernel('mlp.Wo', 1, 10), kernel('attention global', 100, 1)];
  const bars = barsOf(
    measured([set({ kernels }), set({ name: 'variable-512', tokens_per_s: 96 })], [10, 11, 11.4]),
    true,
  );
  expect(bars.map(({ name, value, met }) => [name, value && Number(value.toFixed(3)), met])).toEqual([
    ['GEMMs, share of the FMA peak', 0.25, true],
    ['whole forward, share of the FMA peak', 0.13, true],
    ['window attention per token, slowest length over fastest', 0.14, true],
    ['variable by fixed throughput, same tokens', 0.96, true],
    ['useful of issued FLOPs, mixed lengths', 0.99, true],
    ['dispatches per pass of 22 layers', 157, true],
  ]);
});

test('what falls short says so, and what was not measured is not met', () => {
  const slow = measured(
    [set({ gflops: 11, dispatches: 163 }), set({ name: 'variable-512', tokens_per_s: 94, useful_flops_share: 0.89 })],
    [10, 12],
  );
  expect(barsOf(slow, true).map(({ met }) => met)).toEqual([undefined, false, false, false, false, false]);
  const rows = barTable(barsOf(slow, true)).slice(1);
  expect(rows.map(([, where, met, value]) => [where, met, value])).toEqual([
    ['not measured in this run', '', ''],
    ['base f16-storage fixed-512, 2048 tokens', 'NOT MET', '11.0%'],
    ['nano f32, 1024, 2048 tokens', 'NOT MET', '20.0%'],
    ['base f16-storage variable-512, 2048 tokens', 'NOT MET', '94.0%'],
    ['base f16-storage variable-512, 2048 tokens', 'NOT MET', '89.0%'],
    ['base f16-storage fixed-512, 2048 tokens', 'NOT MET', '163'],
  ]);
});

test('a card has higher bars, of more tokens, and its f16 tier is compared with f32 arithmetic', () => {
  const kernels = [kernel('Wqkv', 1, 61), kernel('attention global', 1, 41)];
  const sets = [
    set({ tokens: 2048, kernels }),
    set({ tokens: 16384, kernels, gflops: 51 }),
    set({ tokens: 16384, name: 'fixed-8192', kernels }),
    set({ tokens: 16384, tier: 'shader-f16', tokens_per_s: 131 }),
  ];
  const bars = barsOf(measured(sets), false);
  expect(bars.slice(0, 4).map(({ where, value, met }) => [where, value, met])).toEqual([
    ['base f16-storage fixed-512, 16384 tokens', 0.61, true],
    ['base f16-storage fixed-512, 16384 tokens', 0.51, true],
    ['base f16-storage fixed-8192, 16384 tokens', 0.41, true],
    ['base shader-f16 fixed-512, 16384 tokens', 1.31, true],
  ]);
});
