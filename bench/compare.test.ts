import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { parseHeader } from '../src/formats/safetensors';
import { declaredPlaces } from '../src/model/build';
import { readModelConfig } from '../src/model/families/registry';
import { ARCHITECTURES, chosenArchitectures } from './architectures';
import { parseOptions } from './args';
import { comparePlot } from './compare-plot';
import { type Comparison, comparedSets, compareTable } from './compare-report';
import { markdownTable } from './print';
import { parameters, randomCheckpoint } from './random-encoder';

/** As the papers and model cards give them, in millions. */
const PUBLISHED = {
  'ModernBERT-32m': 32,
  'MiniLM-L6': 22.7,
  'ModernBERT-base': 149,
  'BERT-base': 110,
  'RoBERTa-base': 125,
  'DeBERTaV3-base': 184,
  NomicBERT: 137,
  'GTE-en-MLM-base': 137,
  'ModernBERT-large': 395,
  'BERT-large': 335,
};

test('the shapes are those of the published checkpoints, by their parameters', async () => {
  expect(ARCHITECTURES.map(({ name }) => name)).toEqual(Object.keys(PUBLISHED));
  for (const { name, config } of ARCHITECTURES) {
    const published = PUBLISHED[name as keyof typeof PUBLISHED] * 1e6;
    expect(Math.abs((await parameters(config)) / published - 1), name).toBeLessThan(0.02);
  }
});

test.each(ARCHITECTURES.map(({ name, config }) => [name, config] as const))(
  '%s: a random checkpoint has the tensors that loading asks for',
  async (_, config) => {
    const narrow = { hidden_size: 8 * Number(config.num_attention_heads), intermediate_size: 96 };
    const source = await randomCheckpoint({ ...config, ...narrow, vocab_size: 100, num_hidden_layers: 2 });
    const { 'config.json': json, 'model.safetensors': weights } = source as Record<string, Blob>;
    const { family, config: read } = await readModelConfig(JSON.parse(await json.text()));
    const bytes = new Uint8Array(await weights.arrayBuffer());
    const start = 8 + new DataView(bytes.buffer).getUint32(0, true);
    const tensors = parseHeader(bytes.subarray(8, start), 'model.safetensors', bytes.length - start);
    const shapes = new Map(tensors.map(({ name, shape }) => [name, shape]));
    const asked = declaredPlaces(family, read, 'f16', new Set(shapes.keys()));
    expect(new Map([...asked].map(([name, { shape }]) => [name, shape]))).toEqual(shapes);
    const data = bytes.length - Math.max(...tensors.map((tensor) => tensor.end));
    const values = new Uint16Array(bytes.slice(data).buffer);
    // F16 from 1/64 to 1/16 and of both signs, 1 and 0: no infinity, NaN or subnormal number.
    const exponents = new Set(values.map((bits) => (bits >> 10) & 31));
    expect([...exponents].filter((exponent) => ![0, 9, 10, 15].includes(exponent))).toEqual([]);
    expect(values.filter((bits) => (bits & 0x7c00) === 0).every((bits) => bits === 0)).toBe(true);
  },
);

test('names choose architectures, and the ModernBERT of their class', () => {
  const names = (only?: string[]) => chosenArchitectures(only).map(({ name }) => name);
  expect(names()).toEqual(ARCHITECTURES.map(({ name }) => name));
  expect(names(['BERT-large'])).toEqual(['ModernBERT-large', 'BERT-large']);
  expect(names(['ModernBERT-base', 'MiniLM-L6'])).toEqual(['ModernBERT-32m', 'MiniLM-L6', 'ModernBERT-base']);
});

test('--compare has options of its own', () => {
  const only = ['BERT-base'];
  expect(parseOptions(['--compare', '--only', 'BERT-base', '--layers', '6'])).toMatchObject({
    compare: true,
    only,
    layers: 6,
  });
  for (const [args, message] of [
    [['--layers', '3'], /--layers needs --compare/],
    [['--compare', '--kernels'], /--kernels does not go with --compare/],
    [['--compare', '--only', 'BERT'], /--only: unknown 'BERT'; expected ModernBERT-32m, /],
    [['--compare', '--tiers', 'f32,q8'], /--compare takes one of --tiers/],
  ] as const) {
    expect(() => parseOptions([...args])).toThrow(message);
  }
});

/** BERT in two of its four layers, twice as fast as ModernBERT in two of its eight; without a second set for BERT. */
const compared = (): Comparison => {
  const model = {
    class: 'base' as const,
    parameters: 1e6,
    max_tokens: 8192,
    token_limit: 16384,
    weight_bytes: 1e6,
    layers_run: 2,
  };
  const set = {
    dtype: 'f16',
    tier: 'f16-storage',
    layers: 2,
    sequences: 4,
    lengths: [512],
    tokens: 512,
    passes: 1,
    ms: 1,
    gflops: 1,
  };
  const also = { ...set, peak_share: 0.25, dispatches: 9, useful_flops_share: 0.99, peak_bytes: 3e6 };
  return {
    adapter: 'A <card>',
    driver: '',
    features: [],
    profile: 'card',
    tier: 'f16-storage',
    layers: 2,
    peaks: { fma_gflops: 4, copy_gb_s: 1 },
    models: [
      {
        ...model,
        name: 'ModernBERT-base',
        model: 'm',
        layers: 8,
        paper: { tokens_per_s: { 'fixed-512': 100 }, batch: { 512: 7 } },
      },
      { ...model, name: 'BERT-base', model: 'b', layers: 4, paper: { tokens_per_s: { 'fixed-512': 120 }, batch: {} } },
      { name: 'RoBERTa-base', model: 'r', class: 'base', layers: 4, parameters: 1, error: 'too large' },
    ],
    sets: [
      { ...also, name: 'fixed-512', model: 'ModernBERT-base', tokens_per_s: 400 },
      { ...also, name: 'fixed-8192', model: 'ModernBERT-base', tokens_per_s: 200 },
      { ...also, name: 'fixed-512', model: 'BERT-base', tokens_per_s: 800 },
    ],
  };
};

test('speeds are worked out for all layers, and set beside ModernBERT and the paper', () => {
  const [modernBert, long, bert] = comparedSets(compared());
  expect(modernBert).toMatchObject({
    tokens_per_s: 100,
    times_modernbert: 1,
    paper_times_modernbert: 1,
    largest_batch: 32,
  });
  expect(long).toMatchObject({
    tokens_per_s: 50,
    times_modernbert: 1,
    paper_times_modernbert: undefined,
    largest_batch: 2,
  });
  // f16 weights of all layers, and what the set takes besides.
  expect(bert).toMatchObject({
    tokens_per_s: 400,
    times_modernbert: 4,
    paper_times_modernbert: 1.2,
    memory_bytes: 4e6,
  });
  expect(compareTable(compared())[3]).toEqual([
    'BERT-base',
    'fixed-512',
    '400',
    '4.00x',
    '1.20x',
    '120',
    '25.0%',
    '99.0%',
    '4 MiB',
    '32',
    '',
  ]);
});

test('the plot has a panel per set, a bar per other model and a mark for the paper', () => {
  const plot = comparePlot({ ...compared(), date: '2026-11-28T00:00:00Z', runtime: 'Node 20' })!;
  expect(plot).toContain('A &lt;card&gt;');
  // ModernBERT is the line that the others' bars are measured by.
  expect(plot.match(/<rect class="first"/g)).toHaveLength(1);
  expect(plot.match(/<path class="second"/g)).toHaveLength(1);
  expect(plot).toContain('>4.00</text>');
  expect(comparePlot({ ...compared(), sets: [], date: '', runtime: '' })).toBeUndefined();
});

test('the page has the figures and the plot of the kept result', () => {
  const kept = JSON.parse(readFileSync('bench/results/comparison-lavapipe.json', 'utf8'));
  expect(readFileSync('docs/comparison.md', 'utf8')).toContain(markdownTable(compareTable(kept), 2));
  expect(readFileSync('docs/comparison.svg', 'utf8')).toBe(comparePlot(kept));
});
