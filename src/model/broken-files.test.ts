import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { ModelFileError } from '../api/errors';
import type { LoadOptions } from '../api/types';
import { convertCheckpoint } from '../formats/convert';
import { loadModel } from '../node';
import { folderFiles } from '../sources/folder';
import { checkpointFolder } from './fixtures/golden';
import { quantizedTensors } from './quantized-tensors';

const F32 = { dtype: 'f32', arithmetic: 'f32' } as const;
/** Dawn's null backend compiles and allocates as others do, and computes nothing: enough to load. */
const NULL = { dawn: ['backend=null'], selfCheck: false };

describe('a checkpoint that is broken', () => {
  const root = mkdtempSync(join(tmpdir(), 'broken-'));
  afterAll(() => rmSync(root, { recursive: true }));

  type Header = Record<string, { dtype: string; shape: number[]; data_offsets: [number, number] }>;
  /** tiny-mlm with its header or its bytes changed. */
  function broken(
    change: { header?: (h: Header) => void; data?: (bytes: Buffer, h: Header) => Buffer },
    dtype: 'F32' | 'F16' = 'F32',
    file = readFileSync(join(checkpointFolder('tiny-mlm', dtype), 'model.safetensors')),
  ) {
    const source = checkpointFolder('tiny-mlm', dtype);
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
      /mlp\.Wo\.weight' has shape \[192,128\]; by config\.json it must be \[128,192\]/,
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
      /has dtype I32; expected F32, F16 or BF16/,
    ],
  ];

  it.each(cases)('%s: said with the tensor and the place', async (_, change, dtype, options, message) => {
    const load = loadModel(broken(change, dtype), { ...options, ...NULL });
    await expect(load).rejects.toThrow(ModelFileError);
    await expect(load).rejects.toThrow(message);
  });

  it.each([
    [
      'without its scales',
      (h: Header) => rename(h, `${Wo}.scales`, 'x'),
      /lacks 1 of the tensors .*mlp.Wo.weight.scales/,
    ],
    ['with the bytes of q8', (h: Header) => Object.assign(h[Wo], { dtype: 'I8' }), /expected U8 for q4 weights/],
    ['misshapen', (h: Header) => h[Wo].shape.reverse(), /shape \[96,128\]; by config\.json it must be \[128,96\]/],
    ['with misshapen scales', (h: Header) => h[`${Wo}.scales`].shape.reverse(), /scales' has shape \[6,128\]/],
  ] as [string, (header: Header) => void, RegExp][])('a converted tensor %s', async (_, header, message) => {
    const { value } = await convertCheckpoint(
      folderFiles(checkpointFolder('tiny-mlm'))!,
      'q4',
      quantizedTensors,
    ).next();
    const bytes = Buffer.from(
      await new Response(value.stream as ReadableStream<Uint8Array<ArrayBuffer>>).arrayBuffer(),
    );
    const load = loadModel(broken({ header }, 'F32', bytes), NULL);
    await expect(load).rejects.toThrow(ModelFileError);
    await expect(load).rejects.toThrow(message);
  });

  it.each(['q8', 'q4'] as const)('a value that %s cannot hold, and NaN', async (dtype) => {
    const options = { dtype, ...NULL };
    const huge = Buffer.alloc(4);
    huge.writeFloatLE(1e9);
    await expect(loadModel(broken(put(Wo, [...huge], 70)), options)).rejects.toThrow(
      `'${Wo}' holds a value at element 70 that ${dtype} cannot hold`,
    );
    await expect(loadModel(broken(put(Wo, [0, 0, 0xc0, 0x7f], 777)), options)).rejects.toThrow(/at element 777/);
  });

  it('loads where nothing is changed', async () => {
    const model = await loadModel(broken({}), { ...F32, ...NULL });
    expect(model.info.task).toBe('mlm');
    await model.dispose();
  });

  it('a folder without a model says what is missing', async () => {
    await expect(loadModel(root, NULL)).rejects.toThrow(/config\.json/);
  });

  const rename = (header: Header, from: string, to: string) => {
    header[to] = header[from];
    delete header[from];
  };
});
