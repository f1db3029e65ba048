/** docs/guide/migrating.md: code for transformers.js, and what becomes of it, return the same vectors. */
import { cpSync, mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, dirname, join } from 'node:path';
import * as peer from '@huggingface/transformers';
import { expect, it } from 'vitest';
import { publicModel } from '../src/model/fixtures/golden';
import { loadTestModel } from '../src/session/fixtures';
import { pipeline } from '../src/transformers';
import { blocksFor } from './doc-blocks';
import { programOf } from './doc-programs';

const PAGE = 'docs/guide/migrating.md';
const blocks = blocksFor('tools/guide-migrating.gpu.test.ts');

it("before, after, and by this library's own calls", async () => {
  const folder = mkdtempSync(join(tmpdir(), 'migrating-'));
  cpSync(publicModel('nano-embed'), folder, { recursive: true });
  cpSync(join(folder, 'model.safetensors'), join(folder, 'onnx/model.safetensors')); // where its ONNX file has its weights
  const model = await loadTestModel(folder, { dtype: 'f32', arithmetic: 'f32' });
  Object.assign(peer.env, { allowLocalModels: true, allowRemoteModels: false, localModelPath: dirname(folder) });
  // The ONNX file is f32, and ONNX Runtime has no WebGPU in Node.
  const theirs = (task: 'feature-extraction') => peer.pipeline(task, basename(folder), { dtype: 'fp32' });
  const modules: Record<string, object> = {
    'modernbert-webgpu': { loadModel: async () => model },
    'modernbert-webgpu/transformers': { pipeline: (task: 'feature-extraction') => pipeline(task, model) },
    '@huggingface/transformers': { pipeline: theirs },
  };
  const texts = ['The Seine crosses Paris.', 'Bread is made of flour, water and salt.'];
  const vectorsOf = async (code: string, result = 'vectors'): Promise<number[]> => {
    const kept: number[][] = [];
    const program = await programOf([code, `kept.push(...${result});`]);
    const run = new Function('pipeline', 'texts', 'kept', `return ${program}`)(theirs, texts, kept);
    await run(async (name: string) => modules[name]);
    return kept.flat();
  };
  const diff = blocks.take(PAGE, '-import');
  const before = await vectorsOf(diff.replace(/^\+.*\n/gm, '').replace(/^[- ]/gm, ''));
  expect(before).toHaveLength(2 * 256);
  for (const after of [
    await vectorsOf(diff.replace(/^-.*\n/gm, '').replace(/^[+ ]/gm, '')),
    await vectorsOf(blocks.take(PAGE, '// transformers.js')),
    await vectorsOf(blocks.take(PAGE, '// modernbert-webgpu'), '[...Array(rows).keys()].map((i) => [...row(i)])'),
  ]) {
    expect(after).toHaveLength(before.length);
    expect(Math.max(...after.map((x, i) => Math.abs(x - before[i])))).toBeLessThan(2e-5);
  }
  await model.dispose();
});

it('every block that is its own', () => expect(blocks.left()).toEqual([]));
