import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { EMBEDDERS, NANO } from './built-in';
import { candidatesFor, flopsPerToken, publishedFacts } from './candidates';
import { KNOWN_MODELS } from './known-models';

const read = (path: string) => readFileSync(new URL(`../../${path}`, import.meta.url), 'utf8');
const results = (name: string) => JSON.parse(read(`training/eval/results/${name}.json`));
const known = (id: string) => KNOWN_MODELS.find((model) => model.id === id)!;
const candidate = (name: string) =>
  [...candidatesFor('fill-mask', [NANO]), ...candidatesFor('embeddings', EMBEDDERS)].find(
    (model) => model.name === name,
  )!;

it('counts the operations of a token', () => {
  // BERT, 6 layers of 384 and 1536: 2 (4 · 384² + 2 · 384 · 1536) + 4 · 128 · 384 of a layer.
  const layer = 2 * (4 * 384 * 384 + 2 * 384 * 1536) + 4 * 128 * 384;
  expect(flopsPerToken(known('sentence-transformers/all-MiniLM-L6-v2'))).toBe(6 * layer);
  // ModernBERT-base, with gates: 2 (4 · 768² + 3 · 768 · 1152) + 4 · 128 · 768.
  expect(flopsPerToken(known('answerdotai/ModernBERT-base'))).toBe(
    22 * (2 * (4 * 768 ** 2 + 3 * 768 * 1152) + 4 * 128 * 768),
  );
  // Of the text's length only what tokens do with each other depends.
  const model = known('answerdotai/ModernBERT-base');
  expect(flopsPerToken(model, 256) - flopsPerToken(model, 128)).toBe(22 * 4 * 128 * 768);
});

it.each([NANO, ...EMBEDDERS])('$name: its shape is that of its config', (own) => {
  const config = JSON.parse(read(`public/models/${own.name}/config.json`));
  const { flops, parameters, maxTokens, download } = candidate(own.name);
  const { num_hidden_layers: layers, hidden_size: hidden, intermediate_size: intermediate } = config;
  const matrices = config.model_type === 'bert' ? 2 : 3;
  expect(flops).toBe(layers * (2 * (4 * hidden ** 2 + matrices * hidden * intermediate) + 4 * 128 * hidden));
  expect(Math.round(parameters / 1e6)).toBe(own.parameters);
  expect({ maxTokens, bytes: download.most }).toEqual({ maxTokens: own.maxTokens, bytes: own.bytes });
});

it('says of quality what was measured', () => {
  const recall = (name: string) => results(name).sets['held-out'].all.recall10 * 100;
  expect(candidate('nano').quality?.value).toBe(results('nano').masked[15].all.top1 * 100);
  expect(candidate('nano-embed-q4').quality?.value).toBeCloseTo(recall('nano-embed'), 6);
  expect(read('public/models/all-MiniLM-L6-v2/README.md')).toContain('| **q4** | 13.4 | 0.283 | 0.685 |');
  expect(candidate('all-MiniLM-L6-v2').quality?.value).toBe(68.5);
  for (const name of ['all-MiniLM-L6-v2', 'all-mpnet-base-v2']) {
    expect(known(`sentence-transformers/${name}`).quality?.value).toBeCloseTo(recall(name), 6);
  }
  for (const { id, quality } of KNOWN_MODELS) if (quality) expect(quality.source, id).toMatch(/model card|^training/);
});

it('says what each suggested model is good for', () => {
  for (const use of ['fill-mask', 'embeddings', 'zero-shot'] as const) {
    for (const { name, goodFor } of candidatesFor(use, [])) expect(goodFor, name).not.toBe('');
  }
});

it('describes a published model before it is loaded', () => {
  expect(publishedFacts({ name: '', source: 'answerdotai/ModernBERT-base', dtype: 'q8' })).toEqual([
    'English · 150 M parameters',
    'up to 8,192 tokens · 159.6 MB on the GPU as q8',
  ]);
  expect(publishedFacts({ name: '', source: 'someone/unknown' })).toEqual([]);
});
