/** The cache in Chromium: models stored in the origin private file system or the Cache API, and failures to store them. */
import { join } from 'node:path';
import { type Browser, type BrowserContext, chromium, type Page } from 'playwright';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, inject, it } from 'vitest';
import type { Dtype } from '../src/api/types';
import { checkpointFolder, readGolden } from '../src/model/fixtures/golden';
import { blocksFor } from '../tools/doc-blocks';
import { FLAGS } from './demo-page';
import { useLibraryPage } from './library-page';

const blocks = blocksFor('e2e/cache.test.ts');
const FOLDER = checkpointFolder('tiny-mlm');
const { inputIds, lengths } = readGolden('tiny-mlm').batch;

/** The path of the model's files on the mirror, which cannot list them and answers no request while `isOff`. */
const MIRRORED = '/mirror/org/tiny/resolve/main/';
const requests: string[] = [];
let isOff = false;

let browser: Browser;
let context: BrowserContext;

/** The stored weights of the last used model. */
async function weightsHandle() {
  const [{ id }] = await library.listCached();
  const root = await navigator.storage.getDirectory();
  const folder = await (await root.getDirectoryHandle('modernbert-webgpu')).getDirectoryHandle(id);
  return folder.getFileHandle('model.safetensors');
}

/** What the page has in `window.library`. */
declare const library: typeof import('../src/index');

/** Served by their paths. */
const TEXTS: Record<string, string> = {};
const originOf = useLibraryPage({
  texts: TEXTS,
  fileOf: (path) => join(FOLDER, path.replace(MIRRORED, '')),
  globals: `weightsHandle: ${weightsHandle}`,
  onRequest(path) {
    const isMirrored = path.startsWith('/mirror/');
    if (isMirrored) requests.push(path);
    return !(isMirrored && isOff);
  },
});

beforeAll(async () => {
  browser = await chromium.launch({ executablePath: inject('chromiumPath'), args: FLAGS });
});
afterAll(() => browser?.close());
beforeEach(async () => {
  context = await browser.newContext();
  requests.length = 0;
  isOff = false;
});
afterEach(() => context.close());

async function openPage(...scripts: (() => void)[]): Promise<Page> {
  const page = await context.newPage();
  for (const script of scripts) await page.addInitScript(script);
  await page.goto(originOf());
  return page;
}

/** Records what goes to the GPU instead of compiling, which takes SwiftShader half a minute per load and does not involve the cache. */
function recordUploads() {
  const uploads: BlobPart[] = [];
  Object.assign(globalThis, { uploads });
  GPUDevice.prototype.createComputePipelineAsync = async () => ({}) as GPUComputePipeline;
  GPUQueue.prototype.writeBuffer = ({ label }, at, data, from = 0, count = 0) => {
    const { BYTES_PER_ELEMENT: size, buffer, byteOffset } = data as Uint8Array<ArrayBuffer>;
    uploads.push(`${label} ${at}`, buffer.slice(byteOffset + from * size, byteOffset + (from + count) * size));
  };
}
declare const uploads: BlobPart[];

/** Loads the model in the calling thread. `uploaded`: a hash of everything that went to the GPU. */
async function loadHere(dtype: Dtype) {
  // The pipelines are none, so there is nothing for the self-check to run.
  const { info, ...model } = await library.loadModel('org/tiny', {
    hubUrl: '/mirror',
    dtype,
    worker: false,
    selfCheck: false,
  });
  await model.dispose();
  const sent = await new Blob(uploads.splice(0)).arrayBuffer();
  const uploaded = [...new Uint8Array(await crypto.subtle.digest('SHA-256', sent))].join();
  return { cache: info.cache, dtype: info.dtype, bytes: sent.byteLength, uploaded };
}

const upload = (page: Page, dtype: Dtype) => page.evaluate(loadHere, dtype);

/** A worker reads files in its own thread, by handles that a page lacks. `isLocked`: the only lock of the weights is taken. */
TEXTS['/worker.js'] = `
  import * as library from './library/index.js';
  Object.assign(globalThis, { library });
  (${recordUploads})();
  let direct = 0;
  const { createSyncAccessHandle } = FileSystemFileHandle.prototype;
  FileSystemFileHandle.prototype.createSyncAccessHandle = async function (options) {
    const handle = await createSyncAccessHandle.call(this, options);
    direct++;
    return handle;
  };
  onmessage = async ({ data: { dtype, isLocked } }) => {
    const lock = isLocked ? await createSyncAccessHandle.call(await (${weightsHandle})()) : undefined;
    try {
      postMessage({ ...await (${loadHere})(dtype), direct });
    } catch ({ message }) {
      postMessage({ message });
    }
    lock?.close();
  };
`;

const uploadInWorker = (page: Page, dtype: Dtype, isLocked: boolean) =>
  page.evaluate(
    (message) =>
      new Promise<Awaited<ReturnType<typeof loadHere>> & { direct: number }>((resolve, reject) => {
        const worker = new Worker('/worker.js', { type: 'module' });
        worker.onerror = ({ message }) => reject(new Error(message));
        worker.onmessage = ({ data }) => {
          worker.terminate();
          if ('message' in data) reject(new Error(data.message));
          else resolve(data);
        };
        worker.postMessage(message);
      }),
    { dtype, isLocked },
  );

/** Loads the model in a worker and computes. */
const compute = (page: Page) =>
  page.evaluate(
    async (tokens) => {
      const model = await library.loadModel('org/tiny', { hubUrl: '/mirror', dtype: 'q8' });
      const batch = { inputIds: Uint32Array.from(tokens), lengths: Uint32Array.of(tokens.length) };
      const { last_hidden_state } = await model.forward(batch);
      await model.dispose();
      return { cache: model.info.cache, hidden: [...last_hidden_state!.data] };
    },
    [...inputIds.slice(0, lengths[0])],
  );

const cached = (page: Page) => page.evaluate(() => library.listCached());
const deleteTiny = (page: Page) => page.evaluate(() => library.deleteCached('org/tiny'));

describe.each([
  { store: 'opfs', scripts: [] },
  {
    store: 'cache-api',
    scripts: [() => Reflect.deleteProperty(FileSystemFileHandle.prototype, 'createWritable')],
  },
])('$store', ({ store, scripts }) => {
  it('q8 and f16 load a second time without network, each from its entry; entries are listed and deleted', async () => {
    const page = await openPage(recordUploads, ...scripts);
    const first = [await upload(page, 'q8'), await upload(page, 'f16')];
    const [q8, f16] = first;
    expect(first).toMatchObject([
      { dtype: 'q8', cache: { state: 'stored', store } },
      { dtype: 'f16', cache: { state: 'stored', store } },
    ]);
    expect(q8.bytes).toBeGreaterThan(500_000);
    expect(f16.bytes).toBeGreaterThan(1.5 * q8.bytes);

    isOff = true;
    requests.length = 0;
    await page.reload();
    const second = [await upload(page, 'q8'), await upload(page, 'f16')];
    expect(second).toEqual(first.map((load) => ({ ...load, cache: { ...load.cache, state: 'hit' } })));
    expect(requests).toEqual([]);

    const entry = { source: 'org/tiny', hubUrl: `${originOf()}/mirror`, revision: 'main' };
    expect(await cached(page)).toMatchObject([
      { ...entry, dtype: 'f16', bytes: f16.cache.bytes },
      { ...entry, dtype: 'q8', bytes: q8.cache.bytes },
    ]);
    expect(await deleteTiny(page)).toBe(q8.cache.bytes! + f16.cache.bytes!);
    expect(await cached(page)).toEqual([]);
  });

  it('the model loads despite too little space, which is reported with numbers; nothing stays half stored', async () => {
    const page = await openPage(recordUploads, ...scripts);
    const devtools = await context.newCDPSession(page);
    const quota = 400_000;
    await devtools.send('Storage.overrideQuotaForOrigin', { origin: originOf(), quotaSize: quota });
    const full = [await upload(page, 'q8'), await upload(page, 'f16')];
    const [, example] = /^(\{.*\})\n$/.exec(blocks.take('docs/guide/loading.md', "state: 'failed'"))!;
    const shown = Object.keys(new Function(`return ${example}`)());
    for (const { cache, bytes } of full) {
      expect(cache).toMatchObject({ state: 'failed', store, reason: expect.stringMatching(/quota/i) });
      expect(cache.needed).toBeGreaterThan(0.9 * bytes);
      expect(cache.usage).toBeLessThan(quota);
      expect(shown).toEqual(expect.arrayContaining(Object.keys(cache)));
      expect(cache.quota ?? quota).toBe(quota); // undefined if Chromium hides it by reporting one that would suffice
    }
    expect(await cached(page)).toEqual([]);

    await devtools.send('Storage.overrideQuotaForOrigin', { origin: originOf() });
    expect(await upload(page, 'q8')).toEqual({
      ...full[0],
      cache: expect.objectContaining({ state: 'stored', store }),
    });
  });
});

it('two tabs that load a model at the same time leave one entry, from which a worker computes without network', async () => {
  const tabs = [await openPage(recordUploads), await openPage(recordUploads)];
  const [one, other] = await Promise.all(tabs.map((page) => upload(page, 'q8')));
  expect(one).toMatchObject({ cache: { state: 'stored' }, uploaded: other.uploaded });
  expect(other.cache).toEqual(one.cache);
  expect(await cached(tabs[0])).toHaveLength(1);
  isOff = true;
  const { cache, hidden } = await compute(await openPage());
  expect(cache.state).toBe('hit');
  const expected = readGolden('tiny-mlm').floats('last_hidden_state').data;
  expect(Math.hypot(...hidden.map((x, i) => x - expected[i]))).toBeLessThan(0.05 * Math.hypot(...hidden));
});

it('a worker reads the weights in its own thread, and through the browser if their only lock is taken', async () => {
  const page = await openPage(recordUploads);
  const { cache, ...stored } = await upload(page, 'q8');
  isOff = true;
  const hit = { ...stored, cache: { ...cache, state: 'hit' } };
  expect(await uploadInWorker(page, 'q8', false)).toEqual({ ...hit, direct: 1 });
  expect(await uploadInWorker(page, 'q8', true)).toEqual({ ...hit, direct: 0 });
});

it('stored weights that a worker finds broken are removed, and the next load downloads them again', async () => {
  const page = await openPage(recordUploads);
  const stored = await upload(page, 'q8');
  await page.evaluate(async () => {
    const handle = await weightsHandle();
    const half = Math.floor((await handle.getFile()).size / 2);
    const writer = await handle.createWritable({ keepExistingData: true });
    await writer.write({ type: 'write', position: half, data: new Uint8Array(half).fill(255) }); // NaN in the scales
    await writer.close();
  });
  await expect(uploadInWorker(page, 'q8', false)).rejects.toThrow('holds a NaN');
  expect(await cached(page)).toEqual([]);
  expect(await uploadInWorker(page, 'q8', false)).toEqual({ ...stored, direct: 0 });
});

it('every block that is its own', () => expect(blocks.left()).toEqual([]));
