/** The examples of docs/guide/integrations.md as they stand, with the real libraries and small models in place of those that it names. */
import { readFileSync } from 'node:fs';
import { FakeVectorStore } from '@langchain/core/utils/testing';
import * as ai from 'ai';
import { afterEach, expect, it } from 'vitest';
import * as aiSdk from './ai-sdk';
import type { Model } from './api/types';
import * as langchain from './langchain';
import { loadTestModel } from './session/fixtures';
import { labelsOf, tinyModel } from './tasks/fixtures';
import { pipeline } from './transformers';

const GUIDE = readFileSync(new URL('../docs/guide/integrations.md', import.meta.url), 'utf8');
const EXAMPLES = [...GUIDE.matchAll(/```ts\n([\s\S]*?)```/g)].map(([, code]) => code);

const loaded: Model[] = [];
afterEach(async () => {
  for (const model of loaded.splice(0)) await model.dispose();
});

async function loadModel(name: string): Promise<Model> {
  const folder = name.includes('reranker') ? tinyModel('seqcls', labelsOf(['LABEL_0'])) : tinyModel('encoder');
  const model = await loadTestModel(folder, { dtype: 'f32' });
  loaded.push(model);
  return model;
}

const MODULES: Record<string, object> = {
  'modernbert-webgpu': { loadModel },
  'modernbert-webgpu/transformers': {
    pipeline: async (task: 'feature-extraction', name: string) => pipeline(task, await loadModel(name)),
  },
  'modernbert-webgpu/ai-sdk': aiSdk,
  'modernbert-webgpu/langchain': langchain,
  ai,
  // The store of @langchain/core's tests is a copy of this one, whose package brings 50 MB.
  '@langchain/classic/vectorstores/memory': { MemoryVectorStore: FakeVectorStore },
};

it.each([
  ['transformers.js', 0, /^float32 2,64 2$/],
  ['AI SDK', 1, /^-?\d\.\d{3} The Seine.*\n-?\d\.\d{3} Bread.*\n(The Seine|Bread).*$/],
  ['LangChain', 2, /^0\.\d{3} (The Seine|Bread|The Nile)[^\n]*$/],
])('%s', async (_, index, prints) => {
  const body = EXAMPLES[index].replace(/^import (\{.*\}) from ('.*');$/gm, 'const $1 = MODULES[$2];');
  expect(body).not.toMatch(/^import/m);
  const printed: string[] = [];
  const console = { log: (...parts: unknown[]) => printed.push(parts.join(' ')) };
  const AsyncFunction = (async () => {}).constructor as new (
    ...parts: string[]
  ) => (...args: unknown[]) => Promise<void>;
  await new AsyncFunction('MODULES', 'console', body)(MODULES, console);
  expect(printed.join('\n')).toMatch(prints);
  expect(EXAMPLES).toHaveLength(3);
});
