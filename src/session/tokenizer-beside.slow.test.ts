import { existsSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, expect, it, vi } from 'vitest';
import type { LoadOptions } from '../api/types';
import { nullGpu } from '../gpu/fixtures';
import { folderOf } from '../reference/calls';
import { openModel } from './open';

const gpu = nullGpu();
const FOLDER = folderOf('st-dense-prompts');
afterEach(() => vi.unstubAllGlobals());

/** A server of the folder, where a file may have an answer of its own. */
function serve(
  answers: Record<string, (bytes: Uint8Array<ArrayBuffer>, signal: AbortSignal) => Response | Promise<Response>>,
) {
  const asked: string[] = [];
  vi.stubGlobal('fetch', async (url: string, { signal }: { signal: AbortSignal }) => {
    const name = new URL(url).pathname.slice('/model/'.length);
    asked.push(name);
    if (!existsSync(join(FOLDER, name))) return new Response(null, { status: 404 });
    const bytes = new Uint8Array(readFileSync(join(FOLDER, name)));
    return answers[name]?.(bytes, signal) ?? new Response(bytes);
  });
  return asked;
}

const open = (signal?: AbortSignal, onProgress?: LoadOptions['onProgress']) =>
  openModel('https://example.org/model/', { gpu, dtype: 'f32', autotune: false, selfCheck: false, signal, onProgress });
const WEIGHTS = 'model.safetensors';
/** What comes without an end, until it is aborted. */
const endless = (_: unknown, signal: AbortSignal) =>
  new Response(
    new ReadableStream({
      start: (controller) => signal.addEventListener('abort', () => controller.error(signal.reason)),
    }),
  );
const withoutEnd = (bytes: Uint8Array<ArrayBuffer>) => new Response(bytes.subarray(0, bytes.length - 4));
const noJson = () => new Response('{"model": ');

it('the tokenizer is read and made while the weights come', async () => {
  const made = vi.spyOn(await import('./every-load').then(({ everyLoad }) => everyLoad), 'tokenizerOf');
  serve({
    [WEIGHTS]: (bytes) =>
      new Response(
        new ReadableStream({
          async start(controller) {
            controller.enqueue(bytes.subarray(0, bytes.length - 4));
            while (made.mock.results.length === 0) await new Promise((resolve) => setTimeout(resolve, 1));
            controller.enqueue(bytes.subarray(bytes.length - 4));
            controller.close();
          },
        }),
      ),
  });
  const model = await open();
  expect((await model.tokenize('a text')).ids.length).toBeGreaterThan(2);
  await model.dispose();
  made.mockRestore();
});

it('onProgress hears of its files too', async () => {
  serve({});
  const heard = new Map<string, number>();
  const model = await open(undefined, ({ file, loaded }) => heard.set(file, loaded));
  await model.dispose();
  for (const file of ['tokenizer.json', 'tokenizer_config.json'])
    expect(heard.get(file)).toBe(statSync(join(FOLDER, file)).size);
});

it('what is wrong with the weights is reported before what is wrong with the tokenizer', async () => {
  serve({ [WEIGHTS]: withoutEnd, 'tokenizer.json': noJson });
  await expect(open()).rejects.toThrow(WEIGHTS);
  serve({ 'tokenizer.json': noJson });
  await expect(open()).rejects.toThrow('tokenizer.json');
});

it.each(['the weights are broken', 'the caller aborts'])("ends the tokenizer's download if %s", async (why) => {
  const controller = new AbortController();
  let isEnded = false;
  const asked = serve({
    [WEIGHTS]: why.includes('broken') ? withoutEnd : (bytes) => new Response(bytes),
    'tokenizer.json'(bytes, signal) {
      signal.addEventListener('abort', () => {
        isEnded = true;
      });
      return endless(bytes, signal);
    },
  });
  const loading = open(controller.signal);
  loading.catch(() => {});
  if (!why.includes('broken')) {
    while (!asked.includes('tokenizer.json')) await new Promise((resolve) => setTimeout(resolve, 1));
    controller.abort();
    await expect(loading).rejects.toMatchObject({ name: 'AbortError' });
  } else await expect(loading).rejects.toThrow(WEIGHTS);
  expect(isEnded).toBe(true);
});
