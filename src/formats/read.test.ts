import { describe, expect, it } from 'vitest';
import { ModelFileError } from '../api/errors';
import type { Progress } from '../api/types';
import { fileOf, numberedBytes } from './fixtures';
import { inFolder, type ModelFile, type ModelFiles } from './model-files';
import { openOptional, readBytes, readJson, streamBytes } from './read';

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

describe('limits of files that are read whole', () => {
  const MIB = 1 << 20;
  /** A file of spaces: so many MiB are announced (if any), and so many sent. */
  const spaces = (announced: number | undefined, sent: number) => {
    let left = sent;
    const log = { read: 0, cancelled: false };
    const stream = new ReadableStream<Uint8Array>(
      {
        pull(controller) {
          if (left-- <= 0) return controller.close();
          log.read++;
          controller.enqueue(new Uint8Array(MIB).fill(32));
        },
        cancel: () => void Object.assign(log, { cancelled: true }),
      },
      { highWaterMark: 0 },
    );
    const size = announced && announced * MIB;
    const files: ModelFiles = { where: './shelf', open: async (name) => ({ name, size, stream }) };
    return { files, log };
  };

  it.each([
    ['config.json', 16],
    ['model.safetensors.index.json', 16],
    ['a/tokenizer.json', 16],
    ['the list of files', 16],
    ['tokenizer.json', 256],
  ])('%s: %i MiB, by what the server says and by what comes', async (name, limit) => {
    const announced = spaces(limit + 1, limit + 1);
    const reading = readBytes(announced.files, name);
    await expect(reading).rejects.toThrow(ModelFileError);
    await expect(reading).rejects.toThrow(
      `${name} in ./shelf has ${(limit + 1) * MIB} bytes, more than the ${limit} MiB that such a file may have.`,
    );
    expect(announced.log).toEqual({ read: 0, cancelled: true });

    if (limit > 16) return;
    const silent = spaces(undefined, limit + 9);
    const more = readBytes(silent.files, name);
    await expect(more).rejects.toThrow(ModelFileError);
    await expect(more).rejects.toThrow(`${name} in ./shelf goes on after the ${limit} MiB`);
    expect(silent.log).toEqual({ read: limit + 1, cancelled: true });
    expect(await readBytes(spaces(limit, limit).files, name)).toHaveLength(limit * MIB);
  });

  it('does not limit weights', async () => {
    expect(await readBytes(spaces(20, 20).files, '2_Dense/model.safetensors')).toHaveLength(20 * MIB);
  });

  it('reads eight at a time, each to its end, in order', async () => {
    let running = 0;
    let most = 0;
    const opened: string[] = [];
    const files: ModelFiles = {
      where: './shelf',
      async open(name) {
        opened.push(name);
        most = Math.max(most, ++running);
        const stream = new ReadableStream<Uint8Array>(
          {
            async pull(controller) {
              await new Promise((resolve) => setTimeout(resolve, 1));
              running--;
              if (name === '3') return controller.error(new Error('broken'));
              controller.enqueue(new Uint8Array(1));
              controller.close();
            },
          },
          { highWaterMark: 0 },
        );
        return { name, size: undefined, stream };
      },
    };
    const names = Array.from({ length: 100 }, (_, i) => `${i}`);
    const results = await Promise.allSettled(names.map((name) => readBytes(files, name)));
    expect(results.map(({ status }) => status === 'rejected')).toEqual(names.map((name) => name === '3'));
    expect(most).toBe(8);
    expect(opened.toSorted((a, b) => Number(a) - Number(b))).toEqual(names);
  });
});

describe('a file that may be missing', () => {
  it('is asked for as such once a file of the same checkpoint was read, or of a folder of it', async () => {
    const asked: [string, boolean | undefined][] = [];
    const filesWith = (...names: string[]): ModelFiles => ({
      where: './shelf',
      async open(name, _, isOptional) {
        asked.push([name, isOptional]);
        return names.includes(name) ? fileOf(numberedBytes(1), { name }) : undefined;
      },
    });
    const files = filesWith('a', 'b');
    await openOptional(files, 'b');
    await readBytes(files, 'c', { required: true }).catch(() => {});
    await readBytes(files, 'a');
    await readBytes(files, 'a', { required: true });
    await readBytes(files, 'b');
    await openOptional(inFolder(files, 'd'), 'c');
    const others = filesWith('d/a');
    await readBytes(inFolder(others, 'd'), 'a');
    await openOptional(others, 'b');
    expect(asked).toEqual([
      ['b', false],
      ['c', undefined],
      ['a', false],
      ['a', undefined],
      ['b', true],
      ['d/c', true],
      ['d/a', false],
      ['b', true],
    ]);
  });
});

describe('readJson', () => {
  it('refuses more than 100 levels, of lists and of objects', async () => {
    const lists = (levels: number) => '['.repeat(levels) + ']'.repeat(levels);
    const objects = (levels: number) => `${'{"a":'.repeat(levels)}1${'}'.repeat(levels)}`;
    for (const nested of [lists, objects]) {
      const most = `[${nested(99)},"${'[{'.repeat(99)}\\\\\\"[",${nested(99)}]`;
      expect(await readJson(filesOf({ a: most }), 'a')).toEqual(JSON.parse(most));
      for (const levels of [101, 100_000]) {
        const bytes = new TextEncoder().encode(`["\\\\","\\"",${nested(levels - 1)}]`);
        const files: ModelFiles = { where: './shelf', open: async () => fileOf(bytes) };
        const reading = readJson(files, 'a');
        await expect(reading).rejects.toThrow(ModelFileError);
        await expect(reading).rejects.toThrow('a in ./shelf is not valid JSON: it is nested deeper than 100 levels');
      }
    }
  });

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
    const files = filesOf({ 'config.json': `\n<!doctype html><title>App</title>${'['.repeat(200)}` });
    expect(await readJson(files, 'config.json')).toBeUndefined();
    const reading = readJson(files, 'config.json', { required: true });
    await expect(reading).rejects.toThrow('There is no config.json in ./shelf: a page of HTML or XML is in its place.');
  });
});
