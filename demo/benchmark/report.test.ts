import { expect, it } from 'vitest';
import type { PeerResult } from '../../bench/peer/results';
import type { Measured } from './measure';
import {
  type BenchmarkReport,
  besideOthers,
  factsOf,
  headlineOf,
  raceRows,
  raceSentences,
  textOfReport,
} from './report';

const runs = (median_ms: number) => ({ runs_ms: [median_ms], median_ms });
const measured: Measured = {
  seconds: 12,
  page: { tokens: 512, words: 420 },
  text: { pages: 64, ...runs(262), tokens_per_s: 125_000, ms_per_1000_pages: 4094 },
  ids: { pages: 64, ...runs(250), tokens_per_s: 131_072 },
  query: { tokens: 16, ...runs(6.2) },
  document: { tokens: 8192, ...runs(900) },
};
const ran = { model: 'nano-embed', dtype: 'f16', arithmetic: 'f32', adapter: 'a card', isSoftware: false } as const;

it('says what a GPU did', () => {
  expect(headlineOf(measured, ran)).toBe('Your GPU embeds 1,000 pages in 4.1 s.');
  expect(factsOf(measured)).toEqual([
    'A search query takes 6.2 ms.',
    'A document of 8,192 tokens, 16 pages in one piece, takes 0.90 s.',
  ]);
});

it('says that a processor did it, and what was left out', () => {
  const slow = { ...measured, document: undefined };
  expect(headlineOf(slow, { ...ran, isSoftware: true })).toMatch(/^Your processor embeds/);
  expect(factsOf(slow)[1]).toBe(
    'A document of 8,192 tokens was left out: this device is too slow for it in a measurement of 12 seconds.',
  );
});

it('puts the device among the others, in pages per second', () => {
  const rows = besideOthers({ measured, ran });
  const values = rows.map(({ value }) => value!);
  expect(values).toEqual([...values].sort((a, b) => b - a));
  expect(rows.filter(({ isOwn }) => isOwn)).toEqual([
    { label: 'This device', detail: 'a card', value: 256, text: '256 pages/s', isOwn: true },
  ]);
  expect(rows[0].label).toBe('NVIDIA H100');
  const before = besideOthers();
  expect(before).toHaveLength(rows.length);
  expect(before.at(-1)).toMatchObject({ label: 'This device', value: undefined, detail: 'not measured yet' });
});

const result = (contender: PeerResult['contender'], rest: Partial<PeerResult>): PeerResult => ({
  ...{ name: 'race', contender, device: 'WebGPU', documents: 1, tokens: 100, equal: false, runs_ms: [] },
  ...rest,
});

it('says who was how fast, and who failed', () => {
  const results = [
    result('modernbert-webgpu', { median_ms: 10, tokens_per_s: 10_000 }),
    result('transformers.js webgpu', { median_ms: 62, tokens_per_s: 1613, cosine: 0.999997 }),
    result('transformers.js wasm', { failure: 'out of memory' }),
  ];
  expect(raceSentences(results, ran)).toEqual([
    '6.2 times as fast as ONNX Runtime Web on WebGPU, same vectors to cosine 0.99999.',
    'ONNX Runtime Web on WebAssembly failed: out of memory',
  ]);
  expect(raceRows(results).map(({ label, text }) => [label, text])).toEqual([
    ['This library', '10,000 tokens/s'],
    ['ONNX Runtime Web on WebGPU', '1,613 tokens/s'],
    ['ONNX Runtime Web on WebAssembly', 'failed'],
  ]);
  expect(raceSentences([result('modernbert-webgpu', { failure: 'lost' }), results[1]], ran)).toEqual([
    'This library failed: lost',
  ]);
  const slower = raceSentences([result('modernbert-webgpu', { median_ms: 100 }), results[1]], ran);
  expect(raceSentences(results, { isSoftware: true }).at(-1)).toContain('a GPU gives other factors');
  expect(slower).toEqual([
    'Slower, at 62% of the speed of ONNX Runtime Web on WebGPU, same vectors to cosine 0.99999.',
  ]);
});

it('fits into a message', () => {
  const report: BenchmarkReport = {
    date: '2026-11-29T05:00:00Z',
    version: '1.2.3',
    commit: 'abc',
    runtime: 'Chrome/1',
    ran,
    measured,
  };
  expect(textOfReport(report).split('\n')).toEqual([
    'This GPU embeds 1,000 pages in 4.1 s.',
    'A search query takes 6.2 ms.',
    'A document of 8,192 tokens, 16 pages in one piece, takes 0.90 s.',
    'a card, Chrome/1, modernbert-webgpu 1.2.3 (abc), nano-embed, 2026-11-29.',
  ]);
});
