/** The examples of every guide page as one program, as they stand, with small models in place of those that they name. */
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import 'fake-indexeddb/auto';
import { FakeVectorStore } from '@langchain/core/utils/testing';
import * as ai from 'ai';
import { afterEach, expect, it } from 'vitest';
import * as aiSdk from '../src/ai-sdk';
import type { Model } from '../src/api/types';
import * as classifier from '../src/classifier';
import { safetensorsBytes } from '../src/formats/fixtures';
import { testGpu } from '../src/gpu/fixtures';
import * as langchain from '../src/langchain';
import { publicModel } from '../src/model/fixtures/golden';
import * as node from '../src/node';
import { folderOf } from '../src/reference/calls';
import * as search from '../src/search';
import { loadTestModel } from '../src/session/fixtures';
import { labelsOf, tinyModel } from '../src/tasks/fixtures';
import { pipeline } from '../src/transformers';
import { blocksFor, GUIDES } from './doc-blocks';
import { programOf } from './doc-programs';

const write = (path: string, json: unknown) => writeFileSync(path, JSON.stringify(json));

/** What `make` gives at first, each time. */
function once<T>(make: () => T): () => T {
  let made: T | undefined;
  return () => {
    made ??= make();
    return made;
  };
}

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

interface Page {
  /** The folder of a model by the name that the page has for it. */
  model: (name: string) => string;
  /** What all blocks together must print. */
  prints: RegExp;
  /** Uses what the blocks made and did not print, as a reader would. */
  uses?: string;
  /** What the blocks take from the reader's own program. */
  given?: string;
}
const PAGES: Record<string, Page> = {
  'docs/guide/start.md': { model: withPrompts, prints: /^-?\d\.\d{3} The Seine.*\n-?\d\.\d{3} Bread/ },
  'docs/guide/performance.md': {
    model: withPrompts,
    prints:
      /^loaded in \d+\.\d s on llvmpipe.*\n((first|second|third) call: [1-9]\d+ tokens in \d+ ms, [1-9]\d* tokens\/s\n?){3}$/,
  },
  'docs/guide/embed.md': {
    model: withPrompts,
    prints: /^(-?\d\.\d\d)\d The Seine.*\n-?\d\.\d{3} Bread.*\n\1\d*,-?\d\.\d*\n64\n64$/,
  },
  'docs/guide/dtypes.md': {
    model: () => tinyModel('encoder'),
    prints: /^q8 [1-9]\d+\nq8$/,
    uses: 'console.log(model.info.dtype);',
  },
  'docs/guide/multi-vector.md': {
    model: colbert,
    prints: /^-?\d+\.\d{3} The Seine.*\n-?\d+\.\d{3} Bread.*\n1 (The Seine|Bread).*$/,
    uses: 'console.log(best.length, documents[best[0].index]);',
  },
  'docs/guide/sparse.md': {
    model: sparse,
    prints: /^\d+\.\d{3} (The Seine|Bread).*\n\d+\.\d{3} (The Seine|Bread).*\n(.* \d+\.\d\d\n?){3}$/,
  },
  'docs/guide/rerank.md': {
    model: () => tinyModel('seqcls', labelsOf(['LABEL_0'])),
    prints: /^[01] 0\.\d{3} (Bread|The Seine).*\n[01] 0/,
  },
  'docs/guide/classify.md': {
    model: () => tinyModel('seqcls', labelsOf(['good', 'bad'])),
    prints: /^(good|bad) 0\.\d+\n(good, bad|bad, good)$/,
  },
  'docs/guide/classifier.md': {
    model: () => publicModel('nano-embed'),
    prints:
      /^\d\.\d\d of 12 examples\n((delivery|payment|account) 0\.\d\d\n){2}(delivery|payment|account|something else)$/,
  },
  'docs/guide/zero-shot.md': {
    model: () => tinyModel('seqcls', labelsOf(['entailment', 'not_entailment'])),
    prints: /^(\w+ 0\.\d{3}\n?){3}$/,
  },
  'docs/guide/classify-tokens.md': {
    model: () => tinyModel('tokcls', labelsOf(['PER', 'LOC', 'ORG'])),
    prints: /^(PER|LOC|ORG) Zoë/,
  },
  'docs/guide/answer.md': { model: () => tinyModel('qa'), prints: /^[01]\.\d{3} \w+/ },
  'docs/guide/entities.md': {
    model: () => folderOf('gliner-uni-span'),
    prints: /^((person|place|organisation) \S.* \d+ \d+ [01]\.\d{3}\n?)+$/,
  },
  'docs/guide/shared.md': { model: () => publicModel('nano-embed'), prints: /^2 vectors of 256 numbers$/ },
  'docs/guide/search.md': {
    model: once(withPrompts), // an index belongs to one model
    prints: /^(seine 0\.\d{4} The Seine.*|bread 0\.\d{4} Bread.*)\nby words: bread\nby both: bread\n2 kept$/,
    uses: `
const store = mapStore();
const first = await createIndex(model, { store });
await first.add([{ id: 'a', text: 'The Nile is long.' }, { id: 'b', text: 'Bread needs flour.' }]);
await first.close();
console.log((await createIndex(model, { store })).size, 'kept');`,
  },
  'docs/guide/fill-mask.md': {
    model: () => publicModel('nano'),
    prints: /^0\.5\d+ The capital of France is Paris\.\n/,
  },
  'docs/guide/support.md': {
    // On the CPU the first one's texts are too long for the page's second block.
    model: (name) => (name.startsWith('nomic') ? publicModel('nano-embed') : withPrompts()),
    prints:
      /^\d+ MiB to download, \d+ MiB of GPU memory as f16\nOn the CPU: only short texts\.\n256\nsentence-transformers\/all-MiniLM-L6-v2$/,
    uses: 'console.log(await firstThatSuits());',
  },
  'docs/guide/long-documents.md': {
    model: () => tinyModel('encoder', { max_position_embeddings: 512 }),
    prints: /^(\d+) chunks, the best from \d+ to \d+\n\1 vectors$/,
    uses: "console.log(vectors.rows, 'vectors');",
  },
  'docs/guide/integrations.md': {
    model: (name) => (name.includes('reranker') ? tinyModel('seqcls', labelsOf(['LABEL_0'])) : tinyModel('encoder')),
    prints:
      /^float32 2,64 2\n-?\d\.\d{3} The Seine.*\n-?\d\.\d{3} Bread.*\n(The Seine|Bread).*\n0\.\d{3} (The Seine|Bread|The Nile).*$/,
  },
  'docs/api.md': {
    model: () => tinyModel('encoder'),
    given: `
const { indexedDbStore, createIndex } = await import('modernbert-webgpu/search');
const { inBatches } = await import('modernbert-webgpu');
const model = await loadModel('any');
const lines = ['The Seine crosses Paris.', 'Bread needs flour.'];`,
    prints: /^64\n64\n0 in the index$/,
    uses: "console.log(index.size, 'in the index');",
  },
};

const loaded: Model[] = [];
afterEach(async () => {
  for (const model of loaded.splice(0)) await model.dispose();
});

/** What the blocks of a page import. */
function modulesOf(page: Page): Record<string, object> {
  const loadModel = async (name: string, options?: node.NodeLoadOptions) => {
    const model = await loadTestModel(page.model(name), options);
    loaded.push(model);
    return model;
  };
  const isSupported = (name: string) => node.isSupported(page.model(name), { gpu: testGpu() });
  return {
    'modernbert-webgpu': { ...node, loadModel, isSupported },
    'modernbert-webgpu/classifier': classifier,
    'modernbert-webgpu/search': search,
    'modernbert-webgpu/shared': { loadModel },
    'modernbert-webgpu/transformers': {
      pipeline: async (task: 'feature-extraction', name: string) => pipeline(task, await loadModel(name)),
    },
    'modernbert-webgpu/ai-sdk': aiSdk,
    'modernbert-webgpu/langchain': langchain,
    ai,
    // The store of @langchain/core's tests is a copy of this one, whose package brings 50 MB.
    '@langchain/classic/vectorstores/memory': { MemoryVectorStore: FakeVectorStore },
  };
}

const blocks = blocksFor(GUIDES);

it.each(Object.entries(PAGES))('%s', async (name, page) => {
  const modules = modulesOf(page);
  const importing = async (module: string) => {
    if (!modules[module]) throw new Error(`The test has no module ${module}.`);
    return modules[module];
  };
  const printed: string[] = [];
  const console = { log: (...parts: unknown[]) => printed.push(parts.join(' ')) };
  const program = await programOf([page.given ?? '', ...blocks.takeRest(name), page.uses ?? '']);
  // A page's `navigator` is not in Node 20.
  await new Function('console', 'navigator', `return ${program}`)(console, {})(importing);
  expect(printed.join('\n')).toMatch(page.prints);
});

it("runs every block that is this test's", () => expect(blocks.left()).toEqual([]));
