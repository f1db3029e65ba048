import { describe, expect, it } from 'vitest';
import { ModelFileError } from '../api/errors';
import type { Progress } from '../api/types';
import { fileOf, numberedBytes } from './fixtures';
import type { ModelFile, ModelFiles } from './model-files';
import { readBytes, readJson, streamBytes } from './read';

const filesOf = (files: Record<string, string | Uint8Array>): ModelFiles => ({
  where: './shelf',
  async open(name) {
    if (!Object.hasOwn(files, name)) return undefined;
    const content = files[name];
    return fileOf(typeof content === 'string' ? new TextEncoder().encode(content) : content, { name, step: 3 });
  },
});

describe('streamBytes', () => {
  it('reports the start, about every MiB and the end', async () => {
    const seen: Progress[] = [];
    const bytes = numberedBytes(3_000_000);
    let length = 0;
    for await (const chunk of streamBytes(fileOf(bytes, { step: 100_000 }), { onProgress: (p) => seen.push(p) })) {
      length += chunk.length;
    }
    expect(length).toBe(3_000_000);
    expect(seen.map(({ loaded }) => loaded)).toEqual([0, 1_100_000, 2_200_000, 3_000_000]);
    expect(seen.every(({ file, total }) => file === 'model.safetensors' && total === 3_000_000)).toBe(true);
  });

  it('reports no number twice', async () => {
    const seen: number[] = [];
    const file = fileOf(numberedBytes(2 << 20), { step: 1 << 20 });
    for await (const _ of streamBytes(file, { onProgress: ({ loaded }) => seen.push(loaded) }));
    expect(seen).toEqual([0, 1 << 20, 2 << 20]);
  });

  it('cancels the stream when its reader leaves early', async () => {
    const file = fileOf(numberedBytes(10), { step: 1 });
    for await (const _ of streamBytes(file, {})) break;
    expect(file.log).toMatchObject({ pulled: 1, cancelled: [undefined] });
  });

  it('does not start after an abort', async () => {
    const file = fileOf(numberedBytes(10));
    const reading = streamBytes(file, { signal: AbortSignal.abort() }).next();
    await expect(reading).rejects.toMatchObject({ name: 'AbortError' });
    expect(file.log.pulled).toBe(0);
    expect(file.log.cancelled.length).toBe(1);
  });

  it('names the file and the position where a stream breaks, and keeps the cause', async () => {
    const cause = new TypeError('terminated');
    let pulls = 0;
    const stream = new ReadableStream<Uint8Array>({
      pull: (controller) => (pulls++ ? controller.error(cause) : controller.enqueue(new Uint8Array(5))),
    });
    const reading = (async () => {
      for await (const _ of streamBytes({ name: 'tokenizer.json', size: 9, stream }, {}));
    })();
    await expect(reading).rejects.toThrow('Reading tokenizer.json stopped after 5 of 9 bytes: terminated');
    await expect(reading).rejects.toMatchObject({ name: 'ModelFileError', cause });
  });

  it('notices a wrong size', async () => {
    const all = async (file: ModelFile) => {
      for await (const _ of streamBytes(file, {}));
    };
    await expect(all(fileOf(numberedBytes(10), { size: 11 }))).rejects.toThrow('ends after 10 of 11 bytes');
    await expect(all(fileOf(numberedBytes(10), { size: 9 }))).rejects.toThrow('goes on after the 9 bytes');
  });
});

describe('readBytes', () => {
  it('returns the whole file, or undefined', async () => {
    const bytes = numberedBytes(1000);
    expect(await readBytes(filesOf({ a: bytes }), 'a')).toEqual(bytes);
    expect(await readBytes(filesOf({ a: '' }), 'a')).toEqual(new Uint8Array());
    expect(await readBytes(filesOf({}), 'a')).toBeUndefined();
  });

  it('names a required file that does not exist, and the place', async () => {
    const reading = readBytes(filesOf({}), 'config.json', { required: true });
    await expect(reading).rejects.toThrow(ModelFileError);
    await expect(reading).rejects.toThrow('There is no config.json in ./shelf.');
  });
});

describe('readJson', () => {
  it('reads UTF-8, cut anywhere, with or without a byte order mark', async () => {
    expect(await readJson(filesOf({ a: '{"token":"Ġ🤗"}' }), 'a')).toEqual({ token: 'Ġ🤗' });
    expect(await readJson(filesOf({ a: '\ufeff[1]' }), 'a')).toEqual([1]);
    expect(await readJson(filesOf({}), 'a')).toBeUndefined();
  });

  it.each<[string, string | Uint8Array]>([
    ['broken JSON', '{"a":'],
    ['nothing', ''],
    ['broken UTF-8', Uint8Array.of(0x22, 0xff, 0x22)],
  ])('names the file and the place of %s', async (_, content) => {
    const reading = readJson(filesOf({ 'config.json': content }), 'config.json');
    await expect(reading).rejects.toThrow(ModelFileError);
    await expect(reading).rejects.toThrow('config.json in ./shelf is not valid JSON: ');
  });

  it('takes a page of HTML for a missing file', async () => {
    const files = filesOf({ 'config.json': '\n<!doctype html><title>App</title>' });
    expect(await readJson(files, 'config.json')).toBeUndefined();
    const reading = readJson(files, 'config.json', { required: true });
    await expect(reading).rejects.toThrow('There is no config.json in ./shelf: a page of HTML or XML is in its place.');
  });
});
