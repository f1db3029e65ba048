import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { create } from 'webgpu';
import { randomCheckpoint } from '../../tools/random-checkpoint.mjs';
import { CASES } from '../cases';
import { runModel } from './in-node';
import { loadOrt } from './onnx-runtime';

const gpu = create([]);
const ort = await loadOrt(gpu);

const tiny = () => {
  const spec = JSON.parse(readFileSync('src/model/fixtures/golden/specs/tiny-mlm.json', 'utf8'));
  const { config, parts } = randomCheckpoint(spec, 'F32');
  return { 'config.json': new Blob([config]), 'model.safetensors': new Blob([...parts()] as BlobPart[]) };
};

it.each([
  ['modernbert', tiny(), 'variable-200'],
  ['bert', 'src/reference/fixtures/st-minilm', 'variable-128'],
])(
  'ONNX Runtime Web computes the same embeddings with the graph of %s, in padded batches',
  async (model, source, set) => {
    const options = {
      contenders: ['onnxruntime-web unfused' as const],
      cases: CASES.filter(({ name }) => name === 'variable-512'),
      tokens: 200,
      repeats: 1,
      patience: 60_000,
    };
    const results = await runModel({ gpu, ort }, { model, source, precision: 'f32' }, options, () => {});
    const [own, peer] = results;
    expect(results.map(({ name, failure }) => [name, failure])).toEqual(
      Array(2).fill([`${model} f32 ${set}`, undefined]),
    );
    expect(own.documents).toBeGreaterThan(1);
    expect([own.runs_ms.length, peer.runs_ms.length]).toEqual([1, 1]);
    expect(peer.cosine).toBeGreaterThan(0.99999);
  },
);
