/** modernbert-webgpu/fallback as it is published, in a Chromium without WebGPU: transformers.js on WebAssembly, under a content security policy. */
import { createHash } from 'node:crypto';
import { cp, mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { type Browser, chromium, type Page } from 'playwright';
import { build } from 'vite';
import { afterAll, beforeAll, expect, inject, it } from 'vitest';
import { readFrom } from '../src/fallback/test-hub';
import { minCosine, nanoTexts, readGolden } from '../src/model/fixtures/golden';
import { ROOT } from '../tools/bundle.mjs';
import { blocksFor } from '../tools/doc-blocks';
import { programOf } from '../tools/doc-programs';
import { bundleLibrary } from '../tools/library.mjs';
import { serveHub } from './demo-page';
import { useLibraryPage } from './library-page';
import { write } from './packed';

declare const library: typeof import('../src/fallback');

const { resolve } = createRequire(import.meta.url);
const ORT = dirname(resolve('onnxruntime-web'));
const PEER = dirname(resolve('@huggingface/transformers'));
const GUIDE = 'docs/guide/fallback.md';
const blocks = blocksFor('e2e/fallback.test.ts');
/** As a page without a bundler names a package, and what a policy has to say of that. */
const IMPORTS = blocks.take(GUIDE, 'importmap').trim();
const [, imports] = />(.*)<\/script>$/.exec(IMPORTS)!;
const hash = createHash('sha256').update(imports).digest('base64');
const POLICY = `${blocks.take(GUIDE, 'default-src').trim().replace("'wasm-unsafe-eval'", `$& 'sha256-${hash}'`)}; img-src data:`;

const FILES = ['config.json', 'tokenizer.json', 'tokenizer_config.json'];
const MODULES = [
  'modules.json',
  'sentence_bert_config.json',
  'config_sentence_transformers.json',
  '1_Pooling/config.json',
];
/** Below it models/, and app/ with what Vite makes of it in site/. */
let folder: string;
let browser: Browser;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'modernbert-fallback-'));
  for (const of of ['nano', 'nano-embed']) {
    for (const file of [...FILES, ...MODULES, 'onnx/model.onnx', 'onnx/model.onnx_data']) {
      const bytes = readFrom({ of }, file);
      if (!bytes) continue;
      const path = join(folder, 'models', of, file);
      await mkdir(dirname(path), { recursive: true });
      await writeFile(path, bytes);
    }
  }
  // Without the tests' usual flags Chromium offers no adapter on a machine without a GPU; --disable-gpu leaves it none anywhere.
  browser = await chromium.launch({ executablePath: inject('chromiumPath'), args: ['--no-sandbox', '--disable-gpu'] });
});
afterAll(async () => {
  await browser?.close();
  await rm(folder, { recursive: true });
});

const originOf = useLibraryPage({
  fileOf: (path) =>
    path
      .replace(/^\/ort\//, `${ORT}/`)
      .replace(/^\/transformers\//, `${PEER}/`)
      .replace(/^\/(models|site)\//, `${folder}/$1/`),
  texts: {
    '/page.html': `<!doctype html><link rel="icon" href="data:,">${IMPORTS}<script type="module" src="page.js"></script>`,
    '/page.js': `
import * as library from './library/fallback.js';
${blocks.take(GUIDE, 'wasmPaths').replace('wasm!', 'wasm')}
Object.assign(window, { library });`,
  },
  headers: { 'content-security-policy': POLICY },
});

/** Runs `test` in a page, and returns what it and the paths that the page asked for. */
async function inPage<T>(test: (page: Page) => Promise<T>): Promise<{ result: T; paths: string[] }> {
  const page = await browser.newPage();
  const paths: string[] = [];
  const complaints: string[] = [];
  page.on('request', (request) => paths.push(request.url().replace(originOf(), '')));
  page.on('pageerror', (error) => complaints.push(error.message));
  page.on('console', (message) => {
    const isMissing = message.text().includes('status of 404'); // files that a checkpoint may lack
    if (message.type() === 'error' && !isMissing) complaints.push(message.text());
  });
  await page.goto(`${originOf()}/page.html`);
  await page.waitForFunction(() => 'library' in window);
  const result = await test(page);
  await page.close();
  expect(complaints).toEqual([]);
  return { result, paths };
}

it('embeds and fills masks by transformers.js, from a folder of the page', async () => {
  const texts = nanoTexts();
  const { result, paths } = await inPage((page) =>
    page.evaluate(async (texts) => {
      const seen = new Set<string>();
      const onProgress = ({ file }: { file: string }) => seen.add(file);
      const options = { fallback: 'transformers.js', dtype: 'f32' } as const;
      const embedder = await library.loadModel('/models/nano-embed', { ...options, onProgress });
      const { data, rows, dim } = await embedder.embed(texts);
      const model = await library.loadModel('/models/nano', options);
      const [{ candidates }] = await model.fillMask('The capital of France is [MASK].');
      const { fallback, adapter } = embedder.info;
      await embedder.dispose();
      await model.dispose();
      return { data: [...data], rows, dim, best: candidates[0], fallback, adapter, seen: [...seen] };
    }, texts),
  );
  const golden = readGolden('nano-embed').floats('mean_pooled');
  expect([result.rows, result.dim]).toEqual(golden.shape);
  expect(minCosine(Float32Array.from(result.data), golden.data, result.dim)).toBeGreaterThan(0.99999);
  expect(result.best.token).toBe(' Paris');
  expect(result.fallback).toBe('transformers.js');
  expect(result.adapter.description).toBe('transformers.js (WebAssembly)');
  expect(result.seen).toEqual(expect.arrayContaining(['tokenizer.json', 'onnx/model.onnx', 'onnx/model.onnx_data']));
  expect(paths.filter((path) => path.startsWith('/library/fallback'))).toEqual([
    '/library/fallback.js',
    '/library/fallback-open.js',
  ]);
  expect(paths.filter((path) => path.endsWith('model.safetensors'))).toEqual([]); // the GPU was asked for first
});

it('errors are of the classes that the library exports', async () => {
  const { result } = await inPage((page) =>
    page.evaluate(async () => {
      const options = { fallback: 'transformers.js', force: true } as const;
      const error = await library.loadModel('/models/nano', options).catch((error: unknown) => error);
      return [error instanceof library.ModelFileError, String(error)];
    }),
  );
  expect(result).toEqual([true, expect.stringMatching(/could not load onnx\/model_quantized.onnx of \/models\/nano/)]);
});

it('the examples of the guide, with a model at the Hub', async () => {
  const { result } = await inPage(async (page) => {
    await serveHub(page, { 'nomic-ai/modernbert-embed-base': join(folder, 'models/nano-embed') });
    const printed: string[] = [];
    page.on('console', (message) => message.type() === 'log' && printed.push(message.text()));
    const program = await programOf([
      blocks.take(GUIDE, 'info.fallback'),
      blocks.take(GUIDE, 'async function load('),
      "console.log((await (await load('nomic-ai/modernbert-embed-base')).embed(documents)).dim);",
    ]);
    // The tests have no ONNX file in q8.
    await page.evaluate(`(${program})(async (name) => {
      if (!name.startsWith('modernbert-webgpu')) return import('/transformers/transformers.min.js');
      const entry = await import(name.endsWith('/fallback') ? '/library/fallback.js' : '/library/index.js');
      return { ...entry, loadModel: (name, options) => entry.loadModel(name, { ...options, dtype: 'f32' }) };
    })`);
    return printed;
  });
  expect(result.join('\n')).toMatch(
    /^This browser has no WebGPU.*\n-?\d\.\d{3} The Seine.*\n-?\d\.\d{3} Bread.*\n256$/,
  );
});

it("in a worker of the page's own, as the guide has it, built by Vite", async () => {
  const worker = blocks
    .take(GUIDE, '// embed-worker.ts')
    .replace(/'nomic-ai\/.*?', \{/, "'/models/nano-embed', { dtype: 'f32',");
  expect(worker).toContain('/models/nano-embed');
  await write(join(folder, 'app'), {
    'package.json': '{"type":"module"}',
    'index.html': '<link rel="icon" href="data:,"><script type="module" src="./main.ts"></script>',
    'main.ts': blocks.take(GUIDE, 'new Worker('),
    'embed-worker.ts': `${blocks.take(GUIDE, 'wasmPaths')}${worker}`,
  });
  const packages = join(folder, 'app/node_modules');
  await mkdir(join(packages, '@huggingface'), { recursive: true });
  await symlink(dirname(PEER), join(packages, '@huggingface/transformers'));
  await bundleLibrary(join(packages, 'modernbert-webgpu/dist'));
  await cp(join(ROOT, 'package.json'), join(packages, 'modernbert-webgpu/package.json'));
  await build({
    root: join(folder, 'app'),
    configFile: false,
    logLevel: 'error',
    base: './',
    worker: { format: 'es' },
    build: { outDir: join(folder, 'site') },
  });
  const page = await browser.newPage();
  const printed = page.waitForEvent('console', { predicate: (message) => message.type() === 'log' });
  page.on('pageerror', (error) => expect(error).toBeUndefined());
  await page.goto(`${originOf()}/site/index.html`);
  expect((await printed).text()).toBe('2 256');
  expect(page.workers()).toHaveLength(1);
  await page.close();
});

it('every block that is its own', () => expect(blocks.left()).toEqual([]));
