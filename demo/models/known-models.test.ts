import { describe, expect, it } from 'vitest';
import { declaredPlaces } from '../../src/model/build';
import type { ModelConfig } from '../../src/model/config';
import { readModelConfig } from '../../src/model/families/registry';
import type { Family } from '../../src/model/family';
import { taskOf } from '../../src/model/heads/tasks';
import { promptNamesOf } from '../../src/tasks/prompt-names';
import fixtures from '../fixtures/known-configs.json';
import { gpuBytes, KNOWN_MODELS, type KnownModel, knownModels, parametersOf, type Use } from './known-models';

/**
 * What of each config.json the loading depends on, as published. `verified`: whether stored pages of the Hub (of the checkpoint, or of a
 * copy or conversion that names it) showed all of these fields, looked up on 2026-11-28; the others are written from what is known of them,
 * and leave out what is not. `max_seq_length`: of sentence_bert_config.json.
 */
interface Published {
  verified: boolean;
  max_seq_length?: number;
  config: Record<string, unknown>;
}
const PUBLISHED: Record<string, Published> = fixtures;

/** What transformers' class of such a checkpoint computes. */
const TASKS: Record<Use, ReturnType<typeof taskOf>> = {
  'fill-mask': 'mlm',
  embeddings: 'encoder',
  'multi-vector': 'encoder',
  sparse: 'mlm',
  rerank: 'seqcls',
  'zero-shot': 'seqcls',
  'text classification': 'seqcls',
  'token classification': 'tokcls',
  'question answering': 'qa',
};
const LICENCES = ['Apache-2.0', 'MIT', 'CC-BY-NC-SA-4.0', undefined];

const model = (id: string) => KNOWN_MODELS.find((known) => known.id === id)!;
const millions = (id: string) => Math.round(parametersOf(model(id)) / 1e6);

/** Tensors that tell a masked language model from a bare encoder. */
const namesFor = ({ use }: KnownModel, { heads }: Family): Set<string> =>
  new Set(TASKS[use] === 'mlm' ? heads?.tensors.mlm.slice(0, 1) : []);

/** All of the parameters that the library would load: of the encoder, and of the head if the checkpoint's class has one. */
function parametersLoaded(known: KnownModel, family: Family, config: ModelConfig): number {
  const places = declaredPlaces(family, config, 'f32', namesFor(known, family));
  return [...places.values()].reduce((sum, { shape }) => sum + shape.reduce((product, n) => product * n, 1), 0);
}

it('lists each checkpoint once, with its config', () => {
  const ids = KNOWN_MODELS.map(({ id }) => id);
  expect(new Set(ids).size).toBe(ids.length);
  expect(Object.keys(PUBLISHED).sort()).toEqual([...ids].sort());
});

it('has checkpoints of every use', () => {
  for (const use of Object.keys(TASKS) as Use[]) expect(knownModels(use)).not.toEqual([]);
});

describe.each(KNOWN_MODELS)('$id', (known) => {
  const { config: json, max_seq_length = Infinity } = PUBLISHED[known.id];

  it('is read by the library, and is as the list says', async () => {
    const { family, config } = await readModelConfig(json);
    expect(known.architecture).toBe(json.model_type);
    expect(known.layers).toBe(config.num_hidden_layers);
    expect(known.hidden).toBe(config.hidden_size);
    expect(known.intermediate).toBe((config as ModelConfig & { intermediate_size: number }).intermediate_size);
    expect(known.vocab).toBe(config.vocab_size);
    expect(known.maxTokens).toBe(Math.min(config.max_position_embeddings, max_seq_length));
    expect(taskOf(config, family, namesFor(known, family))).toBe(TASKS[known.use]);
    expect(LICENCES).toContain(known.licence);
  });

  it('has as many parameters as the library would load', async () => {
    const { family, config } = await readModelConfig(json);
    // Closer than the library's own count allows, which leaves out heads, norms and biases: up to 1% of these models.
    expect(Math.abs(parametersOf(known) / parametersLoaded(known, family, config) - 1)).toBeLessThan(0.001);
  });

  it('has the labels and the numbers that its use needs', async () => {
    const { config } = await readModelConfig(json);
    const { labels } = config;
    if (known.use === 'rerank') expect(labels).toHaveLength(1);
    if (known.use === 'zero-shot') expect(labels.filter((label) => /^entail/i.test(label))).toHaveLength(1);
    if (known.use === 'text classification') expect(labels.length).toBeGreaterThan(1);
    if (known.use === 'token classification') expect(labels).toContain('B-PER');
    if (known.use === 'question answering') expect([0, 2]).toContain(labels.length);
    const dimensions: Partial<Record<Use, number>> = { embeddings: known.hidden, sparse: known.vocab };
    if (known.use !== 'multi-vector') expect(known.dimension).toBe(dimensions[known.use]);
    for (const size of known.matryoshka ?? []) expect(size).toBeLessThan(known.hidden);
  });
});

/** What stands before queries and documents of those that have prompts, as their authors say. */
const BGE = 'Represent this sentence for searching relevant passages: ';
const PROMPTS: Record<string, [query: string, document: string]> = {
  'nomic-ai/modernbert-embed-base': ['search_query: ', 'search_document: '],
  'BAAI/bge-small-en-v1.5': [BGE, ''],
  'mixedbread-ai/mxbai-embed-large-v1': [BGE, ''],
  'nomic-ai/nomic-embed-text-v1.5': ['search_query: ', 'search_document: '],
  'Snowflake/snowflake-arctic-embed-m-v2.0': ['query: ', ''],
  'intfloat/multilingual-e5-small': ['query: ', 'passage: '],
  'cl-nagoya/ruri-v3-30m': ['検索クエリ: ', '検索文書: '],
};

it('has prompts of which kind finds the right ones, or none', () => {
  const found = KNOWN_MODELS.filter(({ prompts }) => prompts).map(({ id, prompts = {} }) => {
    const { query, document } = promptNamesOf(prompts);
    return [id, [query, document].map((name) => (name === undefined ? '' : prompts[name]))];
  });
  expect(Object.fromEntries(found)).toEqual(PROMPTS);
});

it('counts the parameters that the checkpoints are published with', () => {
  expect(millions('answerdotai/ModernBERT-base')).toBe(150); // published numbers leave out some of the head: 149, 132
  expect(millions('answerdotai/ModernBERT-large')).toBe(396);
  expect(millions('jhu-clsp/ettin-encoder-17m')).toBe(17);
  expect(millions('jhu-clsp/mmBERT-base')).toBe(308);
  expect(millions('sbintuitions/modernbert-ja-130m')).toBe(133);
  expect(millions('ibm-granite/granite-embedding-small-english-r2')).toBe(48);
  expect(millions('sentence-transformers/all-MiniLM-L6-v2')).toBe(23);
  expect(millions('sentence-transformers/all-mpnet-base-v2')).toBe(109);
  expect(millions('nomic-ai/nomic-embed-text-v1.5')).toBe(137);
  expect(millions('FacebookAI/xlm-roberta-base')).toBe(278);
  expect(millions('cl-nagoya/ruri-v3-30m')).toBe(37);
});

it('gives the sizes of docs/guide/dtypes.md', () => {
  const sizes = { f32: 599, f16: 299, q8: 160, q4: 85 };
  for (const [dtype, size] of Object.entries(sizes)) {
    const bytes = gpuBytes(model('answerdotai/ModernBERT-base'), dtype as keyof typeof sizes);
    expect(Math.abs(bytes / 1e6 - size)).toBeLessThan(1);
  }
});
