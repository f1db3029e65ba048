import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { makeCheckpoint } from '../../tools/make-checkpoint.mjs';
import type { LoadOptions, Model, ModelSource } from '../api/types';
import { type ConvertedDtype, convertCheckpoint } from '../formats/convert';
import { f16ToF32 } from '../formats/float';
import { dequantize } from '../formats/quantize';
import { parseHeader } from '../formats/safetensors';
import { withSmallBindings } from '../gpu/fixtures';
import { loadTestModel, withModel as withTestModel } from '../session/fixtures';
import { folderFiles } from '../sources/folder';
import { quantizedTensors } from './build';
import { argmaxes, maxDifference, nanoTexts, publicModel, readGolden } from './fixtures/golden';

const withModel = <T>(source: ModelSource, options: LoadOptions, use: (model: Model) => Promise<T>): Promise<T> =>
  withTestModel(source, { arithmetic: 'f32', ...options }, use);

/** The converted weight file of a folder. */
async function converted(folder: string, dtype: ConvertedDtype): Promise<Buffer<ArrayBuffer>> {
  for await (const { stream } of convertCheckpoint(folderFiles(folder)!, dtype, quantizedTensors)) {
    return Buffer.from(await new Response(stream as ReadableStream<Uint8Array<ArrayBuffer>>).arrayBuffer());
  }
  throw new Error('no file');
}

/** The mean cosine of rows. */
function meanCosine(actual: Float32Array, expected: Float32Array, width: number): number {
  expect(actual.length).toBe(expected.length);
  let sum = 0;
  for (let at = 0; at < expected.length; at += width) {
    let [ab, aa, bb] = [0, 0, 0];
    for (let i = at; i < at + width; i++) {
      ab += actual[i] * expected[i];
      aa += actual[i] ** 2;
      bb += expected[i] ** 2;
    }
    sum += ab / Math.sqrt(aa * bb);
  }
  return sum / (expected.length / width);
}

describe.each([
  { dtype: 'q8', cosine: 0.9995 },
  { dtype: 'q4', cosine: 0.99 },
] as const)('nano in $dtype', ({ dtype, cosine }) => {
  it(`hidden states to a mean cosine of ${cosine}, the same best fillings; converted beforehand, the same numbers`, async () => {
    const golden = readGolden('nano');
    const run = (model: Model) => {
      expect(model.info.dtype).toBe(dtype);
      return model.forward(golden.batch);
    };
    const { last_hidden_state } = await withModel(publicModel('nano'), { dtype }, async (model) => {
      const masks = (await model.fillMask(nanoTexts().slice(0, 2), { topK: 1 })).flat();
      const best = golden.ints('top_logit_ids').filter((_, i) => i % 50 === 0);
      expect(masks.map(({ candidates }) => candidates[0].tokenId)).toEqual([...best.slice(0, masks.length)]);
      return run(model);
    });
    expect(meanCosine(last_hidden_state!.data, golden.floats('last_hidden_state').data, 256)).toBeGreaterThanOrEqual(
      cosine,
    );
    const config = new Blob([JSON.stringify(await folderJson(publicModel('nano'), 'config.json'))]);
    const source = {
      'config.json': config,
      'model.safetensors': new Blob([await converted(publicModel('nano'), dtype)]),
    };
    const again = await withModel(source, {}, run);
    expect(maxDifference(again.last_hidden_state!.data, last_hidden_state!.data)).toBe(0);
    await expect(loadTestModel(source, { dtype: 'f16' })).rejects.toThrow(
      `converted to ${dtype}, and its weights cannot`,
    );
  });

  it(`embeddings to a mean cosine of ${cosine}`, async () => {
    const { data, shape } = readGolden('nano-embed').floats('mean_pooled');
    const embeddings = await withModel(publicModel('nano-embed'), { dtype }, (model) => model.embed(nanoTexts()));
    expect(meanCosine(embeddings.data, data, shape[1])).toBeGreaterThanOrEqual(cosine);
  });
});

it('nano with integer products: q8 by itself, hidden states to a mean cosine of 0.9995', async () => {
  const golden = readGolden('nano');
  const actual = await withModel(publicModel('nano'), { compute: 'int8' }, (model) => {
    expect(model.info).toMatchObject({ dtype: 'q8', compute: 'int8' });
    return model.forward(golden.batch);
  });
  const expected = golden.floats('last_hidden_state').data;
  expect(meanCosine(actual.last_hidden_state!.data, expected, 256)).toBeGreaterThanOrEqual(0.9995);
  const refused = loadTestModel(publicModel('nano'), { compute: 'int8', dtype: 'f16' });
  await expect(refused).rejects.toThrow("compute: 'int8' needs dtype 'q8'; it is 'f16'.");
});

const folderJson = async (folder: string, name: string): Promise<unknown> =>
  new Response((await folderFiles(folder)!.open(name))!.stream as ReadableStream<Uint8Array<ArrayBuffer>>).json();

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
    '%s computes what an f32 model of the dequantised values does, a table in pieces too',
    async (dtype) => {
      const folder = mkdtempSync(join(tmpdir(), 'modernbert-'));
      makeCheckpoint({ seed: 12, task: 'mlm', config: { ...common, ...sizes } }, folder);
      const plain = mkdtempSync(join(tmpdir(), 'modernbert-'));
      makeCheckpoint({ seed: 12, task: 'mlm', config: { ...common, ...sizes } }, plain);
      writeFileSync(join(plain, 'model.safetensors'), expanded(await converted(folder, dtype)));
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

it('a table above the binding limit, f32, for embeddings and the tied MLM head: as a vocabulary of 256k in 128 MiB', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'modernbert-'));
  makeCheckpoint({ seed: 12, task: 'mlm', config: { ...common, ...ODD[0], num_hidden_layers: 1 } }, folder);
  const batch = { inputIds: Uint32Array.of(0, 1151, 1152, 2303, 2304, VOCAB - 1), lengths: Uint32Array.of(6) };
  const run = (gpu?: GPU) =>
    withModel(folder, { dtype: 'f32', gpu }, (model) =>
      model.forward(batch, { outputs: ['last_hidden_state', 'logits'] }),
    );
  const [whole, inPieces] = [await run(), await run(withSmallBindings(1_600_000))]; // pieces of 1152 rows
  expect(inPieces.last_hidden_state).toEqual(whole.last_hidden_state);
  expect(maxDifference(inPieces.logits!.data, whole.logits!.data)).toBeLessThanOrEqual(1e-5);
});

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
