import { describe, expect, it } from 'vitest';
import type { Dtype } from '../api/types';
import { numbers } from '../kernels/fixtures';
import { convertCheckpoint, convertFile, type QuantizedAs, quantizedDtypeOf } from './convert';
import { fileOf, safetensorsBytes } from './fixtures';
import { f32ToF16 } from './float';
import type { ModelFile, ModelFiles } from './model-files';
import { GROUP, type QuantizedDtype, quantize, quantizedBytes } from './quantize';
import { type Metadata, readSafetensors, type TensorInfo } from './safetensors';

interface Source {
  dtype: 'F32' | 'F16' | 'BF16' | 'I64';
  shape: number[];
  data?: Uint8Array;
}

const valuesOf = (name: string, count: number) => {
  const next = numbers(name.length);
  return Float32Array.from({ length: count }, () => f32OfBF16(next() / 8));
};
/** Values that every float dtype holds exactly: bf16 with few bits. */
const f32OfBF16 = (value: number) => Math.round(value * 128) / 128;

const bytesOf = (values: Float32Array, dtype: Source['dtype']) => {
  if (dtype === 'F32') return new Uint8Array(values.buffer);
  if (dtype === 'F16') return new Uint8Array(Uint16Array.from(values, f32ToF16).buffer);
  return new Uint8Array(Uint16Array.from(new Uint32Array(values.buffer), (bits) => bits >>> 16).buffer);
};

/** A file with these tensors, whose values depend on their names. */
function checkpoint(tensors: Record<string, Source>, metadata?: Metadata): Uint8Array<ArrayBuffer> {
  const header: Record<string, unknown> = metadata ? { __metadata__: metadata } : {};
  const parts: Uint8Array[] = [];
  let at = 0;
  for (const [name, { dtype, shape, data }] of Object.entries(tensors)) {
    const part =
      data ??
      bytesOf(
        valuesOf(
          name,
          shape.reduce((a, b) => a * b, 1),
        ),
        dtype,
      );
    header[name] = { dtype, shape, data_offsets: [at, at + part.length] };
    at += part.length;
    parts.push(part);
  }
  return safetensorsBytes(header, new Uint8Array(parts.flatMap((part) => [...part])));
}

async function read(file: ModelFile) {
  const tensors = new Map<string, { dtype: string; shape: number[]; bytes: number[] }>();
  let metadata: Metadata = {};
  await readSafetensors(file, {
    header(all, own) {
      metadata = own;
      for (const { name, dtype, shape } of all) tensors.set(name, { dtype, shape, bytes: [] });
      return tensors;
    },
    chunk({ name }: TensorInfo, _, bytes) {
      for (const byte of bytes) tensors.get(name)!.bytes.push(byte);
    },
  });
  return { tensors, metadata };
}

/** What a loader would decide: heads and matrices of 96 columns are not quantised. */
const quantizedBy =
  (to: Dtype): QuantizedAs =>
  (name) => {
    if (to === 'f32' || to === 'f16' || name.startsWith('head') || EVERY[name]?.shape[1] === 96) return undefined;
    return to;
  };

const convert = (bytes: Uint8Array, to: Dtype) => convertFile(fileOf(bytes, { step: 5000 }), to, () => quantizedBy(to));

/** What `tensor` should have become. */
function quantized(name: string, [n, k]: number[], dtype: QuantizedDtype) {
  const bytes = new Uint8Array(quantizedBytes(n * k, dtype));
  const scales = new Uint16Array((n * k) / GROUP);
  quantize(valuesOf(name, n * k), dtype, bytes, scales, { file: '', tensor: name, index: 0 });
  return [
    { dtype: dtype === 'q8' ? 'I8' : 'U8', shape: [n, dtype === 'q8' ? k : k / 2], bytes: [...bytes] },
    { dtype: 'F16', shape: [n, k / GROUP], bytes: [...new Uint8Array(scales.buffer)] },
  ];
}
const half = (name: string, shape: number[]) => ({
  dtype: 'F16',
  shape,
  bytes: [
    ...bytesOf(
      valuesOf(
        name,
        shape.reduce((a, b) => a * b, 1),
      ),
      'F16',
    ),
  ],
});

const LAYER = 'model.layers.10';
const EVERY: Record<string, Source> = {
  'model.embeddings.tok_embeddings.weight': { dtype: 'F32', shape: [77, 64] },
  'model.embeddings.norm.weight': { dtype: 'F32', shape: [64] },
  [`${LAYER}.attn.Wqkv.weight`]: { dtype: 'BF16', shape: [192, 64] },
  [`${LAYER}.attn.Wo.weight`]: { dtype: 'F16', shape: [64, 64] },
  [`${LAYER}.mlp.Wi.weight`]: { dtype: 'F32', shape: [200, 64] },
  [`${LAYER}.mlp.Wo.weight`]: { dtype: 'F32', shape: [64, 96] },
  'head.dense.weight': { dtype: 'F32', shape: [64, 64] },
  'decoder.weight': { dtype: 'F32', shape: [77, 64] },
  'decoder.bias': { dtype: 'F16', shape: [77] },
  position_ids: { dtype: 'I64', shape: [2], data: Uint8Array.from({ length: 16 }, (_, i) => i) },
};
const unchanged = (name: string) => {
  const { dtype, shape, data } = EVERY[name];
  return { dtype, shape, bytes: [...(data ?? bytesOf(valuesOf(name, shape[0]), dtype))] };
};

describe('convertFile', () => {
  it('f16: plain F16, with metadata kept and integers unchanged', async () => {
    const file = await convert(checkpoint(EVERY, { format: 'pt', author: 'x' }), 'f16');
    const { tensors, metadata } = await read(file);
    expect(metadata).toEqual({ format: 'pt', author: 'x' });
    expect([...tensors.keys()]).toEqual(Object.keys(EVERY));
    for (const [name, tensor] of tensors) {
      expect(tensor, name).toEqual(name === 'position_ids' ? unchanged(name) : half(name, EVERY[name].shape));
    }
  });

  it.each(['q8', 'q4'] as const)(
    '%s: layers and tables, each with its scales; heads and odd matrices F16; vectors as they were',
    async (to) => {
      const file = await convert(checkpoint(EVERY), to);
      const { tensors, metadata } = await read(file);
      expect(quantizedDtypeOf(metadata, file.name)).toBe(to);
      expect(metadata.version).toBe(to === 'q4' ? '2' : '1'); // earlier libraries take a q4 table for q8
      expect(file.tensors).toEqual([...tensors.keys()]);
      const expected = Object.entries(EVERY).flatMap(([name, { shape }]): [string, unknown][] => {
        if (shape.length === 1) return [[name, unchanged(name)]];
        if (name.startsWith('head') || shape[1] === 96) return [[name, half(name, shape)]];
        const [values, scales] = quantized(name, shape, to);
        return [
          [name, values],
          [`${name}.scales`, scales],
        ];
      });
      expect([...tensors]).toEqual(expected);
    },
  );

  it('converts a matrix of several chunks without reading ahead', async () => {
    const name = 'layers.0.mlp.Wi.weight';
    const data = new Uint8Array(bytesOf(valuesOf(name, 6400 * 64), 'F32'));
    const header = { [name]: { dtype: 'F32', shape: [6400, 64], data_offsets: [0, data.length] } };
    const source = fileOf(safetensorsBytes(header, data), { step: 10_000 });
    const file = await convertFile(source, 'q4', () => quantizedBy('q4'));
    expect(source.log.pulled).toBeLessThan(20_000);
    expect(file.size).toBeLessThan(data.length / 4 / 2 + data.length / 4 / 16 + 1000);
    const { tensors } = await read(file);
    expect([...tensors.values()]).toEqual(quantized(name, [6400, 64], 'q4'));
  });

  it('rejects a broken source, and its stream fails with the same error', async () => {
    await expect(convert(new Uint8Array(5), 'q8')).rejects.toThrow(/not a safetensors file/);
    const bytes = checkpoint({ 'layers.0.attn.Wo.weight': { dtype: 'F32', shape: [64, 64] } });
    const cut = await convertFile({ ...fileOf(bytes.subarray(0, 9000)), size: undefined }, 'q8', () =>
      quantizedBy('q8'),
    );
    await expect(read(cut)).rejects.toThrow(/is cut off in layers.0.attn.Wo.weight/);
    new DataView(bytes.buffer).setFloat32(bytes.length - 4, NaN, true);
    await expect(read(await convert(bytes, 'q4'))).rejects.toThrow(/holds a NaN or an infinity at element 4095/);
  });

  it('cancels the source when its stream is cancelled', async () => {
    const source = fileOf(checkpoint(EVERY), { step: 1000 });
    const file = await convertFile(source, 'q8', () => quantizedBy('q8'));
    await file.stream.cancel('enough');
    await expect.poll(() => source.log.cancelled.length).toBe(1);
  });

  it('refuses files that are already converted, and unknown formats', async () => {
    const metadata = { format: 'modernbert-webgpu', version: '1', dtype: 'q4' };
    await expect(convert(checkpoint({}, metadata), 'q8')).rejects.toThrow(/already converted to q4; convert the orig/);
    expect(quantizedDtypeOf({ ...metadata, version: '2' }, 'm')).toBe('q4');
    expect(() => quantizedDtypeOf({ ...metadata, version: '3' }, 'm')).toThrow(/'q4' weights in version 3.*Update it/);
    expect(() => quantizedDtypeOf({ ...metadata, dtype: 'q3' }, 'm')).toThrow(/'q3' weights/);
    expect(quantizedDtypeOf({ format: 'pt' }, 'm')).toBeUndefined();
  });
});

describe('convertCheckpoint', () => {
  const folder = (files: Record<string, Uint8Array>): ModelFiles => ({
    where: 'a test',
    open: async (name) => (files[name] ? fileOf(files[name], { name }) : undefined),
  });
  const json = (value: unknown) => new TextEncoder().encode(JSON.stringify(value));
  const config = json({ hidden_size: 64 });
  const quantizes = (to: 'q8' | 'q4') => async (read: unknown) => {
    expect(read).toEqual({ hidden_size: 64 });
    return (names: ReadonlySet<string>) => (name: string) => (names.has(name) ? quantizedBy(to)(name) : undefined);
  };

  it('yields one file for one', async () => {
    const files = convertCheckpoint(
      folder({ 'config.json': config, 'model.safetensors': checkpoint(EVERY) }),
      'q8',
      quantizes('q8'),
    );
    const names: string[] = [];
    for await (const file of files) {
      names.push(file.name);
      expect((await read(file)).tensors.get('decoder.weight')?.dtype).toBe('I8');
    }
    expect(names).toEqual(['model.safetensors']);
  });

  it('yields every shard, and an index that names the scales', async () => {
    const shards = {
      'a.safetensors': checkpoint({ 'layers.0.attn.Wo.weight': { dtype: 'F32', shape: [64, 64] } }),
      'b.safetensors': checkpoint({ 'final_norm.weight': { dtype: 'F32', shape: [64] } }),
    };
    const weight_map = { 'layers.0.attn.Wo.weight': 'a.safetensors', 'final_norm.weight': 'b.safetensors' };
    const index = json({ metadata: { total_size: 1 }, weight_map });
    const source = folder({ 'config.json': config, 'model.safetensors.index.json': index, ...shards });
    const written = new Map<string, Uint8Array>();
    for await (const { name, size, stream } of convertCheckpoint(source, 'q4', quantizes('q4'))) {
      written.set(
        name,
        new Uint8Array(await new Response(stream as ReadableStream<Uint8Array<ArrayBuffer>>).arrayBuffer()),
      );
      expect(written.get(name)?.length).toBe(size);
    }
    expect([...written.keys()]).toEqual(['a.safetensors', 'b.safetensors', 'model.safetensors.index.json']);
    expect(JSON.parse(new TextDecoder().decode(written.get('model.safetensors.index.json')))).toEqual({
      metadata: { total_size: written.get('a.safetensors')!.length + written.get('b.safetensors')!.length },
      weight_map: {
        'layers.0.attn.Wo.weight': 'a.safetensors',
        'layers.0.attn.Wo.weight.scales': 'a.safetensors',
        'final_norm.weight': 'b.safetensors',
      },
    });
  });

  it('needs config.json and weights', async () => {
    await expect(convertCheckpoint(folder({}), 'q8', quantizes('q8')).next()).rejects.toThrow(
      /no config.json in a test/,
    );
    await expect(convertCheckpoint(folder({ 'config.json': config }), 'q8', quantizes('q8')).next()).rejects.toThrow(
      /no weights/,
    );
  });
});
