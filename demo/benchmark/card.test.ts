import { expect, it } from 'vitest';
import type { PeerReport } from '../../bench/peer/results';
import { cardOf, shortened, wrapped } from './card';
import type { Measured } from './measure';
import type { BenchmarkReport } from './report';

const width = (text: string) => text.length;

it('breaks lines between words', () => {
  expect(wrapped('Your GPU embeds 1,000 pages', 12, width)).toEqual(['Your GPU', 'embeds 1,000', 'pages']);
  expect(wrapped('incomprehensibly long', 5, width)).toEqual(['incomprehensibly', 'long']);
});

it('shortens what is too long', () => {
  expect(shortened('ANGLE (NVIDIA)', 14, width)).toBe('ANGLE (NVIDIA)');
  expect(shortened('ANGLE (NVIDIA)', 8, width)).toBe('ANGLE (…');
  expect(shortened('ANGLE (NVIDIA)', 7, width)).toBe('ANGLE…');
});

const runs = { runs_ms: [250], median_ms: 250 };
const measured: Measured = {
  seconds: 12,
  page: { tokens: 512, words: 420 },
  text: { pages: 64, ...runs, tokens_per_s: 131_072, ms_per_1000_pages: 3906 },
  ids: { pages: 64, ...runs, tokens_per_s: 131_072 },
  query: { tokens: 16, runs_ms: [6.2], median_ms: 6.2 },
  document: undefined,
};
const contender = { name: 'race', device: '', documents: 1, tokens: 100, equal: false, runs_ms: [] };
const race: PeerReport = {
  date: '2026-11-29T05:00:00Z',
  commit: '0123456789ab',
  runtime: 'Chrome/143.0',
  adapter: 'a card',
  peer: 'transformers.js',
  bars: [],
  results: [
    { ...contender, contender: 'modernbert-webgpu', median_ms: 10, tokens_per_s: 10_000 },
    { ...contender, contender: 'transformers.js webgpu', median_ms: 62, tokens_per_s: 1613, cosine: 0.999997 },
  ],
};
const report: BenchmarkReport = {
  date: '2026-11-29T05:00:00Z',
  version: '1.2.3',
  commit: '0123456789ab',
  runtime: 'Chrome/143.0',
  ran: { model: 'nano-embed', dtype: 'f16', arithmetic: 'f32', adapter: 'a card', isSoftware: false },
};
const sixTimes = '6.2 times as fast as ONNX Runtime Web on WebGPU, same vectors to cosine 0.99999.';

it('has the sentence, the device and its place among others', () => {
  const card = cardOf({ ...report, measured });
  expect(card.headline).toBe('This GPU embeds 1,000 pages in 3.9 s.');
  expect(card.facts).toEqual(['A search query takes 6.2 ms.']);
  expect(card.bars.map(({ label }) => label)).toContain('This device');
  expect(card.scale).toBe('log');
  expect(card.foot).toEqual(['a card · Chrome 143.0', 'modernbert-webgpu 1.2.3 (0123456) · nano-embed · 2026-11-29']);
});

it('has the race, with a measurement and without', () => {
  const both = cardOf({ ...report, measured, race });
  expect(both.headline).toBe('This GPU embeds 1,000 pages in 3.9 s.');
  expect(both.facts).toContain(sixTimes);
  expect(both.bars.map(({ text }) => text)).toEqual(['10,000 tokens/s', '1,613 tokens/s']);
  expect(both.scale).toBe('linear');
  expect(cardOf({ ...report, race }).headline).toBe(sixTimes);
});
