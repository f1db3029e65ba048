import { describe, expect, it } from 'vitest';
import { ModelFileError } from '../api/errors';
import type { Progress } from '../api/types';
import { fileOf, numberedBytes, safetensorsBytes } from './fixtures';
import type { ModelFile } from './model-files';
import { parseHeader, readSafetensors, type TensorInfo } from './safetensors';

const HEADER = {
  __metadata__: { format: 'pt' },
  'b.weight': { dtype: 'F16', shape: [3, 7], data_offsets: [12, 54] },
  'a.weight': { dtype: 'F32', shape: [3], data_offsets: [0, 12] },
  scalar: { dtype: 'I64', shape: [], data_offsets: [54, 62] },
  empty: { dtype: 'F32', shape: [0, 4], data_offsets: [54, 54] },
  last: { dtype: 'U8', shape: [5], data_offsets: [62, 67] },
};
const DATA = numberedBytes(67);
const FILE = safetensorsBytes(HEADER, DATA);

/** Reads the named tensors (default: all) and checks the chunks' order and sizes on the way. */
async function collect(file: ModelFile, names?: string[]) {
  let tensors: TensorInfo[] = [];
  const parts = new Map<string, number[]>();
  await readSafetensors(file, {
    header(all) {
      tensors = all;
      return new Set(names ?? all.map((tensor) => tensor.name));
    },
    chunk(tensor, offset, bytes) {
      const part = parts.get(tensor.name) ?? [];
      parts.set(tensor.name, part);
      expect(offset).toBe(part.length);
      if (offset + bytes.length < tensor.end - tensor.begin) expect(bytes.length % 8).toBe(0);
      part.push(...bytes);
    },
  });
  return { tensors, parts };
}

const dataOf = (begin: number, end: number) => [...DATA.subarray(begin, end)];

describe('readSafetensors', () => {
  it.each([1, 2, 3, 7, 13, 61, 127, FILE.length - 1, FILE.length])(
    'gives every tensor from chunks of %i bytes',
    async (step) => {
      const file = fileOf(FILE, { step });
      const { tensors, parts } = await collect(file);
      expect(tensors.map(({ name }) => name)).toEqual(['a.weight', 'b.weight', 'empty', 'scalar', 'last']);
      expect(tensors[1]).toEqual({ name: 'b.weight', dtype: 'F16', shape: [3, 7], begin: 12, end: 54 });
      expect([...parts]).toEqual([
        ['a.weight', dataOf(0, 12)],
        ['b.weight', dataOf(12, 54)],
        ['scalar', dataOf(54, 62)],
        ['last', dataOf(62, 67)],
      ]);
    },
  );

  it('skips tensors that the visitor does not name in its Set or Map', async () => {
    const { parts } = await collect(fileOf(FILE, { step: 5 }), ['b.weight', 'last', 'not there']);
    expect([...parts]).toEqual([
      ['b.weight', dataOf(12, 54)],
      ['last', dataOf(62, 67)],
    ]);
    const seen: string[] = [];
    const wanted = new Map([['scalar', 1]]);
    await readSafetensors(fileOf(FILE), { header: async () => wanted, chunk: ({ name }) => void seen.push(name) });
    expect(seen).toEqual(['scalar']);
  });

  it.each([997, 65536, 1_500_007])('cuts a large tensor at multiples of 8, from chunks of %i bytes', async (step) => {
    const data = numberedBytes(2_500_003);
    const header = {
      first: { dtype: 'U8', shape: [3], data_offsets: [0, 3] },
      large: { dtype: 'U8', shape: [2_500_000], data_offsets: [3, 2_500_003] },
    };
    const got = new Uint8Array(2_500_000);
    const sizes: number[] = [];
    await readSafetensors(fileOf(safetensorsBytes(header, data), { step }), {
      header: () => new Set(['large']),
      chunk(_, offset, bytes) {
        got.set(bytes, offset);
        sizes.push(bytes.length);
      },
    });
    expect(Buffer.compare(got, data.subarray(3))).toBe(0);
    expect(sizes.length).toBeGreaterThan(2);
    expect(sizes.slice(0, -1).every((size) => size % 8 === 0)).toBe(true);
  });

  it('continues reading only after the visitor is done with a chunk', async () => {
    const file = fileOf(FILE, { step: 1 });
    const pulledAt: number[] = [];
    await readSafetensors(file, {
      header: (tensors) => new Set(tensors.map(({ name }) => name)),
      async chunk() {
        const before = file.log.pulled;
        await new Promise((resolve) => setTimeout(resolve, 5));
        expect(file.log.pulled).toBe(before);
        pulledAt.push(before - (FILE.length - DATA.length));
      },
    });
    expect(pulledAt).toEqual([12, 54, 62, 67]);
  });

  it('accepts a file without tensors', async () => {
    const { tensors } = await collect(fileOf(safetensorsBytes({})));
    expect(tensors).toEqual([]);
  });

  it('knows the total from the header if the server does not report it', async () => {
    const seen: Progress[] = [];
    const file = fileOf(FILE);
    const visitor = { header: () => new Set<string>(), chunk: () => {} };
    await readSafetensors({ ...file, size: undefined }, visitor, { onProgress: (progress) => seen.push(progress) });
    expect(seen).toEqual([
      { file: 'model.safetensors', loaded: 0, total: undefined },
      { file: 'model.safetensors', loaded: FILE.length, total: FILE.length },
    ]);
  });

  it.each([1, FILE.length])('stops in the middle when the signal aborts, with %i bytes per read', async (step) => {
    const file = fileOf(FILE, { step });
    const controller = new AbortController();
    let chunks = 0;
    const reading = readSafetensors(
      file,
      {
        header: (tensors) => new Set(tensors.map(({ name }) => name)),
        chunk() {
          chunks++;
          controller.abort();
        },
      },
      { signal: controller.signal },
    );
    await expect(reading).rejects.toMatchObject({ name: 'AbortError' });
    expect(chunks).toBe(1);
    expect(file.log.cancelled.length).toBe(1);
  });

  it('does not wait for a stream that hangs when the signal aborts, and throws its reason', async () => {
    let cancelled: unknown;
    const stream = new ReadableStream<Uint8Array>({
      cancel(reason) {
        cancelled = reason;
      },
    });
    const controller = new AbortController();
    const reading = readSafetensors(
      { name: 'model.safetensors', size: undefined, stream },
      { header: () => new Set<string>(), chunk: () => {} },
      { signal: controller.signal },
    );
    const reason = new Error('enough');
    setTimeout(() => controller.abort(reason), 5);
    await expect(reading).rejects.toBe(reason);
    expect(cancelled).toBe(reason);
  });

  it('cancels the stream when the visitor throws', async () => {
    for (const at of ['header', 'chunk']) {
      const file = fileOf(FILE, { step: 1 });
      const refuse = (place: string) => {
        if (place === at) throw new Error(`no ${place}`);
      };
      const reading = readSafetensors(file, {
        header(tensors) {
          refuse('header');
          return new Set(tensors.map(({ name }) => name));
        },
        chunk: async () => refuse('chunk'),
      });
      await expect(reading).rejects.toThrow(`no ${at}`);
      expect(file.log.cancelled.length).toBe(1);
    }
  });

  it('reports how much of a cut-off file there is', async () => {
    for (const missing of [1, 20, DATA.length]) {
      const bytes = FILE.subarray(0, FILE.length - missing);
      const unknown = collect({ ...fileOf(bytes, { step: 11 }), size: undefined });
      await expect(unknown).rejects.toThrow(ModelFileError);
      await expect(unknown).rejects.toThrow(`it ends after ${bytes.length} of ${FILE.length} bytes`);
      const local = collect(fileOf(bytes));
      await expect(local).rejects.toThrow(ModelFileError);
      await expect(local).rejects.toThrow(`the file has only ${DATA.length - missing} bytes of data`);
      await expect(collect({ ...fileOf(bytes), size: FILE.length })).rejects.toThrow(
        `${bytes.length} of ${FILE.length} bytes`,
      );
    }
  });

  it('finds bytes after the last tensor', async () => {
    const bytes = new Uint8Array(FILE.length + 1);
    bytes.set(FILE);
    await expect(collect({ ...fileOf(bytes), size: undefined })).rejects.toThrow(`goes on after its last tensor`);
    await expect(collect(fileOf(bytes))).rejects.toThrow('the last tensor ends at byte 67, but the file has 68 bytes');
    await expect(collect({ ...fileOf(bytes), size: FILE.length })).rejects.toThrow(ModelFileError);
  });

  it('refuses files that cannot be safetensors', async () => {
    const withLength = (length: bigint, size = 64) => {
      const bytes = new Uint8Array(size);
      new DataView(bytes.buffer).setBigUint64(0, length, true);
      return bytes;
    };
    const cases: [Uint8Array, string][] = [
      [new Uint8Array(0), 'it has 0 bytes'],
      [new Uint8Array(7), 'it has 7 bytes'],
      [withLength(100_000_001n), '100000001 bytes, at most 56'],
      [withLength(57n), '57 bytes, at most 56'],
      [withLength(2n ** 63n), '9223372036854775808 bytes'],
    ];
    for (const [bytes, message] of cases) {
      await expect(collect(fileOf(bytes))).rejects.toThrow(ModelFileError);
      await expect(collect(fileOf(bytes))).rejects.toThrow(message);
    }
    const unknown = (length: bigint) => collect({ ...fileOf(withLength(length)), size: undefined });
    await expect(unknown(100_000_001n)).rejects.toThrow('at most 100000000');
    await expect(unknown(57n)).rejects.toThrow("ends after 56 of the header's 57 bytes");
  });
});

describe('parseHeader', () => {
  const parse = (header: unknown, dataBytes?: number) => {
    const text = typeof header === 'string' ? header : JSON.stringify(header);
    return parseHeader(new TextEncoder().encode(text), 'shard.safetensors', dataBytes);
  };
  const tensor = (over: object) => ({ t: { dtype: 'F32', shape: [2], data_offsets: [0, 8], ...over } });
  const two = (first: number[], second: number[]) => ({
    a: { dtype: 'U8', shape: [first[1] - first[0]], data_offsets: first },
    b: { dtype: 'U8', shape: [second[1] - second[0]], data_offsets: second },
  });

  const invalid: [what: string, header: unknown, message: string][] = [
    ['no JSON', '{"t":', 'not JSON'],
    ['a byte order mark', '\ufeff{}', 'not JSON'],
    ['an array', [], 'not a JSON object'],
    ['null', 'null', 'not a JSON object'],
    ['metadata that is not an object', { __metadata__: 'pt' }, '__metadata__'],
    ['metadata that is not strings', { __metadata__: { a: 1 } }, '__metadata__'],
    ['an entry that is not an object', { t: 5 }, 't is not an object but 5'],
    ['an unknown dtype', tensor({ dtype: 'F31' }), 't has dtype "F31"'],
    ['a dtype that objects inherit', tensor({ dtype: 'constructor' }), 't has dtype "constructor"'],
    ['no dtype', tensor({ dtype: undefined }), 't has dtype missing'],
    ['no shape', tensor({ shape: undefined }), 't has shape missing'],
    ['a shape that is a number', tensor({ shape: 2 }), 't has shape 2'],
    ['a negative length', tensor({ shape: [-2] }), 't has shape [-2]'],
    ['a broken length', tensor({ shape: [0.5, 4] }), 't has shape [0.5,4]'],
    ['a length in a string', tensor({ shape: ['2'] }), 't has shape ["2"]'],
    ['a shape that only 0 makes small', tensor({ shape: [2 ** 52, 2 ** 52, 0] }), 'takes too many bytes'],
    ['a shape just below 2^53', tensor({ shape: [2 ** 53 - 1] }), 'takes too many bytes'],
    ['deep lists', `{"t":${'['.repeat(1e6)}${']'.repeat(1e6)}}`, 'nested 1000001 deep, at most 100'],
    ['deep objects', `${'{"t":'.repeat(1e6)}0${'}'.repeat(1e6)}`, 'nested 1000000 deep, at most 100'],
    [
      'a million keys',
      `{${Array.from({ length: 1_000_001 }, (_, i) => `"${i}":0`)}}`,
      'has 1000001 keys, at most 1000000',
    ],
    ['a long name', { ['t'.repeat(1e6)]: 0 }, 'ttttt….'],
    ['a shape too large', tensor({ shape: [2 ** 52, 2 ** 52] }), 'takes too many bytes'],
    ['a shape of another size', tensor({ shape: [3] }), 't, F32 of shape [3], takes 12 bytes'],
    ['no offsets', tensor({ data_offsets: undefined }), 't has data_offsets missing'],
    ['one offset', tensor({ data_offsets: [8] }), 't has data_offsets [8]'],
    ['three offsets', tensor({ data_offsets: [0, 8, 16] }), 't has data_offsets [0,8,16]'],
    ['a negative offset', tensor({ data_offsets: [-8, 0] }), 't has data_offsets [-8,0]'],
    ['a broken offset', tensor({ data_offsets: [0.5, 8.5] }), 't has data_offsets [0.5,8.5]'],
    ['an offset too large', tensor({ data_offsets: [2 ** 60, 2 ** 60 + 8] }), 't has data_offsets'],
    ['offsets backwards', tensor({ data_offsets: [8, 0] }), 't has data_offsets [8,0]'],
    ['half bytes', { t: { dtype: 'F4', shape: [3], data_offsets: [0, 1] } }, 'takes 1.5 bytes'],
    ['a hole at the start', tensor({ data_offsets: [8, 16] }), 't begins at byte 8 and leaves a hole after the start'],
    ['a hole', two([0, 4], [5, 9]), 'b begins at byte 5 and leaves a hole after a, which ends at byte 4'],
    ['an overlap', two([0, 4], [3, 9]), 'b begins at byte 3 and overlaps a, which ends at byte 4'],
    ['the same place twice', two([0, 4], [0, 4]), 'overlaps a'],
    ['a name twice', `{"t":${JSON.stringify(tensor({}).t)},"t":${JSON.stringify(tensor({}).t)}}`, '"t" is in it twice'],
    ['a name twice, spelled differently', '{"__metadata__":{"a":"1","\\u0061":"2"}}', '"a" is in it twice'],
    [
      '__proto__ as a name for properties',
      '{"t":{"__proto__":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}}}',
      'dtype missing',
    ],
  ];
  it.each(invalid)('refuses %s', (_, header, message) => {
    expect(() => parse(header)).toThrow(ModelFileError);
    expect(() => parse(header)).toThrow(message);
    expect(() => parse(header)).toThrow('shard.safetensors');
  });

  it('refuses bytes that are not UTF-8', () => {
    expect(() => parseHeader(Uint8Array.of(0x7b, 0x22, 0xff, 0x22, 0x7d), 'shard.safetensors')).toThrow(ModelFileError);
  });

  it('compares the tensors with the size of the data', () => {
    expect(parse(tensor({}), 8)).toHaveLength(1);
    expect(() => parse(tensor({}), 7)).toThrow('t ends at byte 8, and the file has only 7 bytes');
    expect(() => parse(tensor({}), 9)).toThrow('the last tensor ends at byte 8, but the file has 9 bytes');
  });

  it('accepts any name without touching Object.prototype', () => {
    const entry = (begin: number) => `{"dtype":"F32","shape":[1],"data_offsets":[${begin},${begin + 4}]}`;
    const header = `{"__proto__":${entry(0)},"constructor":${entry(4)},"a\\"{b}: ":${entry(8)}}`;
    expect(parse(header).map(({ name }) => name)).toEqual(['__proto__', 'constructor', 'a"{b}: ']);
    expect('dtype' in {}).toBe(false);
  });

  it('accepts padding, empty metadata and very long values', () => {
    expect(parse(`${JSON.stringify({ __metadata__: null, ...tensor({}) })}      `, 8)).toHaveLength(1);
    expect(parse({ __metadata__: { long: 'x\\"{'.repeat(1_000_000) }, ...tensor({}) }, 8)).toHaveLength(1);
  });
});
