import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { LoadOptions, Model, TokenBatch } from '../api';
import { DeviceLostError, ModelFileError, UnsupportedModelError } from '../errors';
import { loadModel } from '../node';
import { checkpointFolder, nanoTexts, publicModel, readGolden } from './fixtures/golden';

const F32 = { dtype: 'f32', arithmetic: 'f32' } as const;

describe('a model that is asked for what cannot be', () => {
  let model: Model;
  beforeAll(async () => {
    model = await loadModel(publicModel('nano'), { arithmetic: 'f32', maxTokensPerPass: 1024 });
  });
  afterAll(() => model.dispose());

  const batch = (inputIds: unknown, lengths: unknown = [1]) => ({ inputIds, lengths }) as TokenBatch;
  const bad: [string, () => Promise<unknown>, new () => Error, RegExp][] = [
    [
      'an id above the vocabulary',
      () => model.forward(batch([1, 16384], [2])),
      RangeError,
      /inputIds\[1\] is 16384; .* 0 to 16383/,
    ],
    ['a negative id', () => model.forward(batch([-1])), RangeError, /inputIds\[0\] is -1/],
    ['an id that is no integer', () => model.forward(batch([0.5])), TypeError, /inputIds\[0\] is 0.5/],
    ['an empty batch', () => model.forward(batch([], [])), RangeError, /batch is empty/],
    ['an empty sequence', () => model.forward(batch([1], [1, 0])), RangeError, /lengths\[1\] is 0/],
    ['lengths that do not add up', () => model.forward(batch([1], [2])), RangeError, /add up to 2/],
    [
      'too many ids',
      () => model.forward(batch(new Uint32Array(8193), [8193])),
      RangeError,
      /8193 tokens, the model's limit is 8192/,
    ],
    [
      'more than a pass holds',
      () => model.forward(batch(new Uint32Array(1025), [1025])),
      RangeError,
      /1025 tokens.* 1024/,
    ],
    ['a row that is not there', () => model.forward(batch([1]), { rows: [1] }), RangeError, /rows\[0\] is 1/],
    [
      'an unknown output',
      () => model.forward(batch([1]), { outputs: ['attentions' as never] }),
      RangeError,
      /Unknown output 'attentions'/,
    ],
    ['an empty text', () => model.embed(''), RangeError, /Text 0 is empty/],
    ['no texts', () => model.fillMask([]), RangeError, /list is empty/],
    ['something that is no text', () => model.embed([5 as never]), TypeError, /Text 0 is not a string but number/],
    [
      'a text that is too long',
      () => model.embed(' the'.repeat(9000)),
      RangeError,
      /Text 0 has 900\d tokens, the model's limit is 8192/,
    ],
    ['a text without a mask', () => model.fillMask('No mask.'), RangeError, /Text 0 has no \[MASK\]/],
    [
      'no candidates',
      () => model.fillMask('[MASK]', { topK: 0 }),
      RangeError,
      /topK must be an integer from 1 to .*16384, it is 0/,
    ],
    [
      'classes of a masked LM',
      () => model.classify('text'),
      UnsupportedModelError,
      /classify needs a sequence classifier/,
    ],
  ];

  it.each(bad)('%s: a clear error, and the model works on', async (_, call, type, message) => {
    const attempt = (async () => call())();
    await expect(attempt).rejects.toThrow(type);
    await expect(attempt).rejects.toThrow(message);
    const { last_hidden_state } = await model.forward(batch([5, 6, 7], [3]));
    expect(last_hidden_state?.shape).toEqual([3, 256]);
  });

  it('answers as before after all of that', async () => {
    const [[{ candidates }]] = await model.fillMask([nanoTexts()[0]]);
    expect(candidates[0].tokenId).toBe(readGolden('nano').ints('top_logit_ids')[0]);
  });

  it('rejects an aborted call and answers the next', async () => {
    const controller = new AbortController();
    const long = model.forward(batch(new Uint32Array(1024), [1024]), { signal: controller.signal });
    controller.abort();
    await expect(long).rejects.toThrow(expect.objectContaining({ name: 'AbortError' }));
    await expect(model.forward(batch([1]))).resolves.toBeDefined();
  });
});

describe('a checkpoint that is broken', () => {
  const root = mkdtempSync(join(tmpdir(), 'broken-'));
  afterAll(() => rmSync(root, { recursive: true }));

  type Header = Record<string, { dtype: string; shape: number[]; data_offsets: [number, number] }>;
  /** tiny-mlm with its header or its bytes changed. */
  function broken(
    change: { header?: (h: Header) => void; data?: (bytes: Buffer, h: Header) => Buffer },
    dtype: 'F32' | 'F16' = 'F32',
  ) {
    const source = checkpointFolder('tiny-mlm', dtype);
    const file = readFileSync(join(source, 'model.safetensors'));
    const end = 8 + Number(file.readBigUInt64LE(0));
    const header: Header = JSON.parse(file.toString('utf8', 8, end));
    const data = change.data?.(file.subarray(end), header) ?? file.subarray(end);
    change.header?.(header);
    const json = Buffer.from(JSON.stringify(header));
    const length = Buffer.alloc(8);
    length.writeBigUInt64LE(BigInt(json.length));
    const blobs: Record<string, Blob> = {
      'config.json': new Blob([readFileSync(join(source, 'config.json'))]),
      'model.safetensors': new Blob([length, json, data].map((part) => Uint8Array.from(part))),
    };
    return blobs;
  }
  const put = (tensor: string, bytes: number[], index: number) => ({
    data(all: Buffer, header: Header) {
      all.set(bytes, header[tensor].data_offsets[0] + index * bytes.length);
      return all;
    },
  });
  const Wo = 'model.layers.2.mlp.Wo.weight';

  const cases: [string, Parameters<typeof broken>[0], 'F32' | 'F16', LoadOptions, RegExp][] = [
    [
      'a tensor missing',
      { header: (h) => rename(h, Wo, 'unknown') },
      'F32',
      F32,
      /lacks 1 of the tensors.*layers\.2\.mlp\.Wo\.weight/,
    ],
    [
      'a tensor misshapen',
      { header: (h) => h[Wo].shape.reverse() },
      'F32',
      F32,
      /mlp\.Wo\.weight' has shape \[192,128\], config\.json makes it \[128,192\]/,
    ],
    [
      'NaN in F32',
      put(Wo, [0, 0, 0xc0, 0x7f], 777),
      'F32',
      F32,
      /layers\.2\.mlp\.Wo\.weight' holds a NaN or an infinity at element 777/,
    ],
    [
      'NaN in F16',
      put(Wo, [0, 0x7e], 777),
      'F16',
      F32,
      /layers\.2\.mlp\.Wo\.weight' holds a NaN or an infinity at element 777/,
    ],
    [
      'infinity in F16 kept as f16',
      put(Wo, [0, 0xfc], 0),
      'F16',
      { dtype: 'f16', arithmetic: 'f32' },
      /NaN or an infinity at element 0/,
    ],
    [
      'a value above 65504 for f16',
      put(Wo, [0, 0, 0x80, 0x47], 5),
      'F32',
      { dtype: 'f16', arithmetic: 'f32' },
      /element 5 that f16 cannot hold.*dtype: 'f32'/,
    ],
    [
      'a file that ends early',
      { data: (all) => all.subarray(0, all.length - 100) },
      'F32',
      F32,
      /model\.safetensors.*bytes/,
    ],
    [
      'integers for weights',
      { header: (h) => Object.assign(h[Wo], { dtype: 'I32' }) },
      'F32',
      F32,
      /has dtype I32; F32, F16 and BF16 are read/,
    ],
  ];

  it.each(cases)('%s: said with the tensor and the place', async (_, change, dtype, options, message) => {
    const load = loadModel(broken(change, dtype), options);
    await expect(load).rejects.toThrow(ModelFileError);
    await expect(load).rejects.toThrow(message);
  });

  it('a folder without a model says what is missing', async () => {
    await expect(loadModel(root)).rejects.toThrow(/config\.json/);
  });

  const rename = (header: Header, from: string, to: string) => {
    header[to] = header[from];
    delete header[from];
  };
});

it('cuts sequences to the limit where asked to, and gives what the shorter ones give', async () => {
  const folder = checkpointFolder('tiny-mlm');
  const config = JSON.parse(readFileSync(join(folder, 'config.json'), 'utf8'));
  const files = {
    'config.json': new Blob([JSON.stringify({ ...config, max_position_embeddings: 32 })]),
    'model.safetensors': new Blob([readFileSync(join(folder, 'model.safetensors'))]),
  };
  const model = await loadModel(files, F32);
  const inputIds = Uint32Array.from({ length: 103 }, (_, i) => (i * 31) % 512);
  const long = { inputIds, lengths: Uint32Array.of(100, 3) };
  await expect(model.forward(long)).rejects.toThrow("Sequence 0 has 100 tokens, the model's limit is 32.");
  const cut = await model.forward(long, { truncate: true });
  const short = await model.forward({
    inputIds: Uint32Array.of(...inputIds.subarray(0, 32), ...inputIds.subarray(100)),
    lengths: Uint32Array.of(32, 3),
  });
  expect(cut.last_hidden_state?.shape).toEqual([35, 128]);
  expect(cut.last_hidden_state?.data).toEqual(short.last_hidden_state?.data);
  await model.dispose();
});

describe('a model that was disposed', () => {
  it('rejects what waits and what comes, and can be disposed again', async () => {
    const model = await loadModel(checkpointFolder('tiny-mlm'), F32);
    const batch = { inputIds: new Uint32Array(600).fill(9), lengths: Uint32Array.of(600) };
    await model.forward(batch);
    const waiting = model.forward(batch);
    waiting.catch(() => {});
    await model.dispose();
    await expect(waiting).rejects.toThrow(DeviceLostError);
    await expect(model.forward(batch)).rejects.toThrow(DeviceLostError);
    await expect(model.forward(batch)).rejects.toThrow(/disposed/);
    await model.dispose();
  });
});
