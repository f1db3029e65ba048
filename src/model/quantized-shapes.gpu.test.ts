import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { makeCheckpoint } from '../../tools/make-checkpoint.mjs';
import type { Model } from '../api/types';
import { f16ToF32 } from '../formats/float';
import { dequantize } from '../formats/quantize';
import { parseHeader } from '../formats/safetensors';
import { withSmallBindings } from '../gpu/fixtures';
import { folderFiles } from '../sources/folder';
import { argmaxes, maxDifference, meanCosine } from './fixtures/golden';
import { converted, convertedToVersion1, withModel } from './fixtures/quantized';

/** Sizes at the edges: mlp.Wo of k 500 stays f16, and with padded heads attn.Wo; rows are placed and padded. Tables have 961 kB in q8. */
const VOCAB = 3003;
const common = { model_type: 'modernbert', max_position_embeddings: 128, num_hidden_layers: 2, vocab_size: VOCAB };
const ODD = [
  { name: 'head_dim 32, intermediate 500', hidden_size: 320, num_attention_heads: 10, intermediate_size: 500 },
  {
    name: 'head_dim 20 (padded), biases',
    hidden_size: 320,
    num_attention_heads: 16,
    attention_bias: true,
    mlp_bias: true,
    intermediate_size: 192,
  },
];

describe.each(ODD)('$name', ({ name, ...sizes }) => {
  it.each(['q8', 'q4'] as const)(
    '%s computes what an f32 model of the dequantised values does, a table of q8 in pieces too',
    async (dtype) => {
      const folder = mkdtempSync(join(tmpdir(), 'modernbert-'));
      makeCheckpoint({ seed: 12, task: 'mlm', config: { ...common, ...sizes } }, folder);
      const plain = mkdtempSync(join(tmpdir(), 'modernbert-'));
      makeCheckpoint({ seed: 12, task: 'mlm', config: { ...common, ...sizes } }, plain);
      writeFileSync(join(plain, 'model.safetensors'), expanded(await converted(folderFiles(folder)!, dtype)));
      const batch = {
        inputIds: Uint32Array.from({ length: 60 }, (_, i) => (i * 37 + 5) % VOCAB),
        lengths: Uint32Array.of(1, 39, 20),
      };
      const run = (model: Model) => model.forward(batch, { outputs: ['last_hidden_state', 'logits'] });

      const expected = await withModel(plain, { dtype: 'f32' }, run);
      const actual = await withModel(folder, { dtype }, run);
      expect(maxDifference(actual.last_hidden_state!.data, expected.last_hidden_state!.data)).toBeLessThanOrEqual(2e-4);
      expect(maxDifference(actual.logits!.data, expected.logits!.data)).toBeLessThanOrEqual(2e-4);
      expect(argmaxes(actual.logits!.data, VOCAB)).toEqual(argmaxes(expected.logits!.data, VOCAB));
      const inPieces = await withModel(folder, { dtype, gpu: withSmallBindings(800_000) }, run);
      expect(maxDifference(inPieces.logits!.data, actual.logits!.data)).toBeLessThanOrEqual(1e-5);
    },
  );
});

it('q4 files of version 1, whose table is q8, for embeddings and the tied MLM head', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'modernbert-'));
  const plain = mkdtempSync(join(tmpdir(), 'modernbert-'));
  for (const each of [folder, plain]) {
    makeCheckpoint({ seed: 12, task: 'mlm', config: { ...common, ...ODD[0], num_hidden_layers: 1 } }, each);
  }
  const file = await convertedToVersion1(folderFiles(folder)!);
  writeFileSync(join(folder, 'model.safetensors'), file);
  writeFileSync(join(plain, 'model.safetensors'), expanded(file));
  const batch = { inputIds: Uint32Array.of(0, 5, 1500, VOCAB - 1), lengths: Uint32Array.of(4) };
  const run = (model: Model) => model.forward(batch, { outputs: ['logits'] });
  const expected = await withModel(plain, { dtype: 'f32' }, run);
  const actual = await withModel(folder, {}, (model) => {
    expect(model.info.dtype).toBe('q4');
    return run(model);
  });
  expect(maxDifference(actual.logits!.data, expected.logits!.data)).toBeLessThanOrEqual(2e-4);
});

it.each([
  ['f32', {}, [0, 1151, 1152, 2303, 2304, VOCAB - 1], 1_600_000],
  ['q4', { vocab_size: 4003, hidden_size: 640, num_attention_heads: 20 }, [0, 3327, 3328, 4002], 1_100_000],
] as const)(
  'a table above the binding limit, %s, for embeddings and the tied MLM head: as a vocabulary of 256k in 128 MiB',
  async (dtype, sizes, ids, limit) => {
    const folder = mkdtempSync(join(tmpdir(), 'modernbert-'));
    makeCheckpoint({ seed: 12, task: 'mlm', config: { ...common, ...ODD[0], ...sizes, num_hidden_layers: 1 } }, folder);
    const batch = { inputIds: Uint32Array.from(ids), lengths: Uint32Array.of(ids.length) }; // on both sides of the pieces' ends
    const run = (gpu?: GPU) =>
      withModel(folder, { dtype, gpu }, (model) => model.forward(batch, { outputs: ['last_hidden_state', 'logits'] }));
    const [whole, inPieces] = [await run(), await run(withSmallBindings(limit))];
    expect(inPieces.last_hidden_state).toEqual(whole.last_hidden_state);
    expect(maxDifference(inPieces.logits!.data, whole.logits!.data)).toBeLessThanOrEqual(1e-5);
  },
);

it('integer products where some matrices stay f16, and rows are placed', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'modernbert-'));
  const config = { ...common, hidden_size: 320, num_attention_heads: 10, intermediate_size: 500, num_hidden_layers: 1 };
  makeCheckpoint({ seed: 13, task: 'mlm', config }, folder);
  const batch = { inputIds: Uint32Array.from({ length: 40 }, (_, i) => i * 37 + 5), lengths: Uint32Array.of(1, 39) };
  const run = async (model: Model) => (await model.forward(batch)).last_hidden_state!.data;
  const actual = await withModel(folder, { compute: 'int8' }, run);
  const expected = await withModel(folder, { dtype: 'q8' }, run);
  expect(meanCosine(actual, expected, 320)).toBeGreaterThanOrEqual(0.9995);
  expect(maxDifference(actual, expected)).toBeGreaterThan(1e-3); // they were integers
});

/** A converted file as one of F32 tensors with the values that the GPU computes with. */
function expanded(file: Buffer): Buffer {
  const data = 8 + Number(file.readBigUInt64LE(0));
  const tensors = parseHeader(file.subarray(8, data), 'test');
  const bytesOf = (name: string) => {
    const { begin, end } = tensors.find((tensor) => tensor.name === name)!;
    return Uint8Array.from(file.subarray(data + begin, data + end));
  };
  const halves = (name: string) => new Uint16Array(bytesOf(name).buffer);
  const header: Record<string, unknown> = {};
  const parts: Uint8Array[] = [];
  let at = 0;
  for (const { name, dtype, shape } of tensors) {
    if (name.endsWith('.scales')) continue;
    let values: Float32Array;
    if (dtype === 'F32') values = new Float32Array(bytesOf(name).buffer);
    else if (dtype === 'F16') values = Float32Array.from(halves(name), f16ToF32);
    else values = dequantize(bytesOf(name), halves(`${name}.scales`), dtype === 'I8' ? 'q8' : 'q4');
    header[name] = {
      dtype: 'F32',
      shape: dtype === 'U8' ? [shape[0], shape[1] * 2] : shape,
      data_offsets: [at, at + values.byteLength],
    };
    at += values.byteLength;
    parts.push(new Uint8Array(values.buffer));
  }
  const text = Buffer.from(JSON.stringify(header));
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(BigInt(text.length));
  return Buffer.concat([length, text, ...parts]);
}
