import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';
import type { Model } from './api/types';
import { loadClassifier, trainClassifier } from './classifier';
import { safetensorsBytes } from './formats/fixtures';
import { testGpu } from './gpu/fixtures';
import { publicModel } from './model/fixtures/golden';
import { isSupported, maxSim, similarity, sparseIndex } from './node';
import { createIndex } from './search';
import { loadTestModel } from './session/fixtures';
import { labelsOf, tinyModel } from './tasks/fixtures';

/** The first example of every guide page, run as it stands with a small model in the place of the one that it names. */
const folder = fileURLToPath(new URL('../docs/guide/', import.meta.url));

const write = (path: string, json: unknown) => writeFileSync(path, JSON.stringify(json));

function withPrompts(): string {
  const model = tinyModel('encoder');
  write(join(model, 'config_sentence_transformers.json'), {
    prompts: { query: 'search_query: ', document: 'search_document: ' },
  });
  return model;
}

function colbert(): string {
  const model = tinyModel('encoder', { vocab_size: 16386, local_attention: 128 });
  mkdirSync(join(model, '1_Dense'));
  write(join(model, 'modules.json'), [
    { path: '', type: 'sentence_transformers.models.Transformer' },
    { path: '1_Dense', type: 'pylate.models.Dense.Dense' },
  ]);
  const activation_function = 'torch.nn.modules.linear.Identity';
  write(join(model, '1_Dense/config.json'), { in_features: 64, out_features: 8, bias: false, activation_function });
  const weight = Float32Array.from({ length: 512 }, (_, i) => Math.sin(i));
  const header = { 'linear.weight': { dtype: 'F32', shape: [8, 64], data_offsets: [0, 2048] } };
  writeFileSync(join(model, '1_Dense/model.safetensors'), safetensorsBytes(header, new Uint8Array(weight.buffer)));
  const path = join(model, 'tokenizer.json');
  const tokenizer = JSON.parse(readFileSync(path, 'utf8'));
  for (const [i, content] of ['[Q] ', '[D] '].entries()) {
    tokenizer.added_tokens.push({ ...tokenizer.added_tokens.at(-1), id: 16384 + i, content, special: false });
  }
  write(path, tokenizer);
  return model;
}

function sparse(): string {
  const model = tinyModel('mlm');
  mkdirSync(join(model, '1_SpladePooling'));
  write(join(model, 'modules.json'), [
    { path: '', type: 'sentence_transformers.models.Transformer' },
    { path: '1_SpladePooling', type: 'sentence_transformers.sparse_encoder.models.SpladePooling' },
  ]);
  write(join(model, '1_SpladePooling/config.json'), {});
  return model;
}

/** Page → its model, and what the example must print. */
const PAGES: Record<string, { model: () => string; prints: RegExp }> = {
  'start.md': { model: withPrompts, prints: /^-?\d\.\d{3} The Seine.*\n-?\d\.\d{3} Bread/ },
  'performance.md': {
    model: withPrompts,
    prints:
      /^loaded in \d+\.\d s on llvmpipe.*\n((first|second|third) call: [1-9]\d+ tokens in \d+ ms, [1-9]\d* tokens\/s\n?){3}$/,
  },
  'embed.md': { model: withPrompts, prints: /^-?\d\.\d{3} The Seine.*\n-?\d\.\d{3} Bread/ },
  'multi-vector.md': { model: colbert, prints: /^-?\d+\.\d{3} The Seine.*\n-?\d+\.\d{3} Bread/ },
  'sparse.md': {
    model: sparse,
    prints: /^\d+\.\d{3} (The Seine|Bread).*\n\d+\.\d{3} (The Seine|Bread).*\n(.* \d+\.\d\d\n?){3}$/,
  },
  'rerank.md': {
    model: () => tinyModel('seqcls', labelsOf(['LABEL_0'])),
    prints: /^[01] 0\.\d{3} (Bread|The Seine).*\n[01] 0/,
  },
  'classify.md': {
    model: () => tinyModel('seqcls', labelsOf(['good', 'bad'])),
    prints: /^(good|bad) 0\.\d+\n(good, bad|bad, good)$/,
  },
  'classifier.md': {
    model: () => publicModel('nano-embed'),
    prints: /^\d\.\d\d of 12 examples\n(delivery|payment|account) 0\.\d\d\n(delivery|payment|account) 0\.\d\d$/,
  },
  'zero-shot.md': {
    model: () => tinyModel('seqcls', labelsOf(['entailment', 'not_entailment'])),
    prints: /^(\w+ 0\.\d{3}\n?){3}$/,
  },
  'classify-tokens.md': {
    model: () => tinyModel('tokcls', labelsOf(['PER', 'LOC', 'ORG'])),
    prints: /^(PER|LOC|ORG) Zoë/,
  },
  'answer.md': { model: () => tinyModel('qa'), prints: /^[01]\.\d{3} \w+/ },
  'entities.md': {
    model: () => fileURLToPath(new URL('./reference/fixtures/gliner-uni-span', import.meta.url)),
    prints: /^((person|place|organisation) \S.* \d+ \d+ [01]\.\d{3}\n?)+$/,
  },
  'shared.md': { model: () => publicModel('nano-embed'), prints: /^2 vectors of 256 numbers$/ },
  'search.md': { model: withPrompts, prints: /^(seine 0\.0\d{3} The Seine|bread 0\.0\d{3} Bread)/ },
  'fill-mask.md': { model: () => publicModel('nano'), prints: /^0\.8\d+ The capital of France is Paris\.\n/ },
  'support.md': {
    model: withPrompts,
    prints: /^\d+ MiB to download, \d+ MiB of GPU memory as f32\nOn the CPU: only short texts\.\n64$/,
  },
  'long-documents.md': { model: () => tinyModel('encoder'), prints: /^\d+ chunks, the best from \d+ to \d+$/ },
};
/** Pages of other parts, whose examples need a network or a page. */
const NOT_TASKS = ['dtypes.md', 'loading.md'];

it('every page of a task is run', () => {
  const pages = readdirSync(folder).filter((name) => !NOT_TASKS.includes(name));
  expect(Object.keys(PAGES).filter((page) => !pages.includes(page))).toEqual([]);
});

it.each(Object.entries(PAGES))('%s', async (page, { model, prints }) => {
  const example = /```ts\n([\s\S]*?)```/.exec(readFileSync(join(folder, page), 'utf8'))?.[1] ?? '';
  const body = example.replace(/^import .* from 'modernbert-webgpu(\/\w+)?';\n/gm, '');
  expect(body).not.toBe(example);
  const printed: string[] = [];
  const loaded: Model[] = [];
  const library = {
    loadModel: async () => {
      loaded.push(await loadTestModel(model(), { dtype: 'f32' }));
      return loaded[0];
    },
    isSupported: () => isSupported(model(), { dtype: 'f32', gpu: testGpu() }),
    similarity,
    maxSim,
    sparseIndex,
    createIndex,
    trainClassifier,
    loadClassifier,
    console: { log: (...parts: unknown[]) => printed.push(parts.join(' ')) },
  };
  const AsyncFunction = (async () => {}).constructor as new (
    ...parts: string[]
  ) => (...args: unknown[]) => Promise<void>;
  try {
    await new AsyncFunction(...Object.keys(library), body)(...Object.values(library));
  } finally {
    for (const used of loaded) await used.dispose();
  }
  expect(printed.join('\n')).toMatch(prints);
});
