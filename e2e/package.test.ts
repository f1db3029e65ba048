/** The npm package as users get it: packed, unpacked into fresh apps, built by their bundlers and run in Chromium. */
import { execFileSync } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { copyFile, cp, mkdir, mkdtemp, readdir, readFile, rm, stat, symlink, writeFile } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { dirname, extname, join } from 'node:path';
import { execPath } from 'node:process';
import { type Browser, chromium } from 'playwright';
import { build as viteBuild } from 'vite';
import { afterAll, beforeAll, expect, inject, it } from 'vitest';
import webpack from 'webpack';
import { apiReference } from '../tools/api-docs.mjs';
import { ROOT } from '../tools/bundle.mjs';
import { bundleLibrary, emitTypes } from '../tools/library.mjs';
import { FLAGS } from './demo-page';

/** A folder of its own: package/ is what is packed, site/ what is served, app/ has the package installed. */
let folder: string;
let packed: { files: { path: string }[]; size: number; unpackedSize: number };
let browser: Browser;
let server: Server;
let origin: string;
const at = (...names: string[]) => join(folder, ...names);

const MAIN = `
import { loadModel } from 'modernbert-webgpu';
const model = await loadModel('/models/nano');
const [{ candidates }] = await model.fillMask('The capital of France is [MASK].');
document.title = candidates[0].token.trim();
`;
const PAGE = '<!doctype html><link rel="icon" href="data:,"><script type="module" src="./main.js"></script>';

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'package-'));
  await pack();
  const installed = at('app/node_modules/modernbert-webgpu');
  await mkdir(installed, { recursive: true });
  const [tarball] = (await readdir(at('package'))).filter((name) => name.endsWith('.tgz'));
  execFileSync('tar', ['-xzf', at('package', tarball), '-C', installed, '--strip-components=1']);
  await writeFile(at('app/package.json'), '{"type":"module"}');

  await cp(join(ROOT, 'public/models/nano'), at('site/models/nano'), { recursive: true });
  server = await serve(at('site'));
  origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  browser = await chromium.launch({ executablePath: inject('chromiumPath'), args: FLAGS });
});
afterAll(async () => {
  await browser?.close();
  server?.close();
  await rm(folder, { recursive: true });
});

async function pack() {
  await bundleLibrary(at('package/dist'));
  await emitTypes(at('package/dist/types'));
  for (const name of ['package.json', 'README.md', 'LICENSE', 'CHANGELOG.md']) {
    await copyFile(join(ROOT, name), at('package', name));
  }
  await cp(join(ROOT, 'docs'), at('package/docs'), { recursive: true });
  const output = execFileSync('npm', ['pack', '--json', '--ignore-scripts'], { cwd: at('package'), encoding: 'utf8' });
  [packed] = JSON.parse(output);
}

const TYPES: Record<string, string> = { '.html': 'text/html', '.js': 'text/javascript', '.json': 'application/json' };

/** Serves a folder under a policy that allows nothing from elsewhere and no WebAssembly. */
async function serve(root: string): Promise<Server> {
  const server = createServer(async (request, response) => {
    const { pathname } = new URL(request.url ?? '', 'http://local');
    const path = join(root, pathname.endsWith('/') ? `${pathname}index.html` : pathname);
    const bytes = await readFile(path).catch(() => undefined);
    response.writeHead(bytes ? 200 : 404, {
      'content-type': TYPES[extname(path)] ?? 'application/octet-stream',
      'content-security-policy': "default-src 'self'; img-src data:",
    });
    response.end(bytes);
  });
  await once(server.listen(0, '127.0.0.1'), 'listening');
  return server;
}

async function write(files: Record<string, string>) {
  for (const [name, text] of Object.entries(files)) {
    await mkdir(dirname(at(name)), { recursive: true });
    await writeFile(at(name), text);
  }
}

/** Opens the page, waits for the word, and gives what was fetched besides the model. */
async function visit(path: string): Promise<string[]> {
  const page = await browser.newPage();
  const complaints: string[] = [];
  const fetched: string[] = [];
  page.on('request', (request) => fetched.push(request.url()));
  page.on('pageerror', (error) => complaints.push(error.message));
  page.on('console', (message) => {
    if (['error', 'warning'].includes(message.type())) complaints.push(message.text());
  });
  await page.goto(origin + path);
  await page
    .waitForFunction(() => document.title !== '', undefined, { timeout: 120_000 })
    .catch((error) => complaints.push(String(error)));
  expect(complaints).toEqual([]);
  expect(await page.title()).toBe('Paris');
  expect(page.workers()).toHaveLength(1);
  await page.close();
  expect(fetched.filter((url) => !url.startsWith(`${origin}/`) && !url.startsWith('data:'))).toEqual([]);
  return fetched
    .filter((url) => url.startsWith(origin))
    .map((url) => url.slice(origin.length))
    .filter((name) => !name.startsWith('/models/'));
}

const sizeOf = async (...names: string[]) => (await stat(at(...names))).size;

const build = (root: string, out: string) =>
  viteBuild({ root, configFile: false, logLevel: 'warn', base: './', build: { outDir: out, emptyOutDir: true } });

/** The page's scripts are small, and the worker, the last, has the rest. */
async function checkScripts(fetched: string[]) {
  const scripts = fetched.filter((name) => name.endsWith('.js'));
  const sizes = await Promise.all(scripts.map((name) => sizeOf('site', name)));
  const worker = sizes.pop();
  expect(worker).toBeGreaterThan(100_000);
  expect(sizes.reduce((a, b) => a + b, 0)).toBeLessThan(30_000);
}

it('a Vite app', async () => {
  await write({ 'app/vite/index.html': PAGE, 'app/vite/main.js': MAIN });
  await build(at('app/vite'), at('site/vite'));
  await checkScripts(await visit('/vite/'));
});

it('a webpack 5 app', async () => {
  await write({ 'app/webpack/main.js': MAIN, 'site/webpack/index.html': PAGE });
  const compiler = webpack({
    mode: 'production',
    context: at('app/webpack'),
    entry: './main.js',
    output: { path: at('site/webpack'), filename: 'main.js' },
  });
  const stats = await new Promise<webpack.Stats | undefined>((resolve, reject) =>
    compiler?.run((error, stats) => (error ? reject(error) : resolve(stats))),
  );
  const { errors, warnings } = stats?.toJson() ?? {};
  expect([errors, warnings]).toEqual([[], []]);
  await checkScripts(await visit('/webpack/'));
});

it('a plain page that imports the file', async () => {
  await cp(at('app/node_modules/modernbert-webgpu/dist'), at('site/plain/modernbert-webgpu'), { recursive: true });
  await write({
    'site/plain/index.html': PAGE,
    'site/plain/main.js': MAIN.replace("'modernbert-webgpu'", "'./modernbert-webgpu/index.js'"),
  });
  expect(await visit('/plain/')).toEqual([
    '/plain/',
    '/plain/main.js',
    '/plain/modernbert-webgpu/index.js',
    '/plain/modernbert-webgpu/worker.js',
  ]);
});

it('what an app does not use is left out of its script', async () => {
  await write({
    'app/shaken/index.html': PAGE,
    'app/shaken/main.js': `
import { similarity } from 'modernbert-webgpu';
const rows = { data: new Float32Array([1, 0]), rows: 1, dim: 2, row: () => rows.data };
console.log(similarity(rows, rows));`,
    'app/unused/index.html': PAGE,
    'app/unused/main.js': "import 'modernbert-webgpu';\nconsole.log('x');",
  });
  for (const [name, most] of [
    ['shaken', 4000],
    ['unused', 1000],
  ] as const) {
    await build(at('app', name), at('site', name));
    const html = await readFile(at('site', name, 'index.html'), 'utf8');
    const scripts = [...html.matchAll(/"\.\/(assets\/[\w.-]+\.js)"/g)].map(([, path]) => path);
    expect(scripts).toHaveLength(1);
    const code = await readFile(at('site', name, scripts[0]), 'utf8');
    expect(code).not.toContain('Worker(');
    expect(code.length, name).toBeLessThan(most);
  }
});

it('types resolve as bundlers and as Node look for them', async () => {
  const source = `
import { loadModel, type Embeddings } from 'modernbert-webgpu';
import { convertModel, loadModel as loadInNode } from 'modernbert-webgpu/node';
const embeddings: Embeddings = await (await loadModel('a/b', { dtype: 'q8' })).embed(['x']);
const data: Float32Array = embeddings.data;
// @ts-expect-error: no such dtype
await loadModel('a/b', { dtype: 'q5' });
await convertModel('a/b', './c', { dtype: 'q4' });
export const uses = [data, loadInNode];
`;
  await write({ 'app/types/main.ts': source });
  for (const [module, moduleResolution] of [
    ['esnext', 'bundler'],
    ['node16', 'node16'],
  ]) {
    const flags = ['--noEmit', '--strict', '--target', 'es2022', '--module', module];
    const args = [...flags, '--moduleResolution', moduleResolution, 'types/main.ts'];
    const tsc = join(ROOT, 'node_modules/typescript/bin/tsc');
    execFileSync(execPath, [tsc, ...args], { cwd: at('app'), stdio: 'pipe', encoding: 'utf8' });
  }
});

it('Node: the entry and the command line, with and without the package webgpu', async () => {
  const script = `
import { loadModel } from 'modernbert-webgpu/node';
await loadModel('./nowhere').catch(({ name, message }) => console.log(name, message));`;
  await write({ 'app/main.mjs': script });
  const run = (...args: string[]) => execFileSync(execPath, args, { cwd: at('app'), encoding: 'utf8' }).trim();
  expect(run('main.mjs')).toBe(
    'WebGPUUnavailableError WebGPU in Node comes from the npm package webgpu: npm install webgpu',
  );
  expect(run('node_modules/modernbert-webgpu/dist/cli.js', '--help')).toMatch(/^modernbert-webgpu COMMAND/);
  await symlink(join(ROOT, 'node_modules/webgpu'), at('app/node_modules/webgpu'));
  expect(run('main.mjs')).toBe('ModelFileError There is no folder ./nowhere.');
});

it('holds what it should and nothing else', async () => {
  const names = packed.files.map(({ path }) => path);
  for (const name of [
    'LICENSE',
    'README.md',
    'CHANGELOG.md',
    'dist/index.js',
    'dist/worker.js',
    'dist/node.js',
    'dist/cli.js',
    'docs/README.md',
  ]) {
    expect(names).toContain(name);
  }
  const expected =
    /^(LICENSE|README\.md|CHANGELOG\.md|package\.json|docs\/.*\.md|dist\/[\w-]+\.js(\.map)?|dist\/types\/.*\.d\.ts)$/;
  expect(names.filter((name) => !expected.test(name))).toEqual([]);
  expect(names.filter((name) => /test|fixtures/.test(name))).toEqual([]);
  expect(packed.size).toBeLessThan(1_000_000);
});

it('its API reference is what `npm run docs` writes now', async () => {
  const committed = await readFile(at('package/docs/api.md'), 'utf8');
  expect(committed, 'docs/api.md is out of date: run `npm run docs`').toBe(apiReference());
});

it('links between the pages of its documentation lead somewhere', async () => {
  const pages = packed.files.map(({ path }) => path).filter((path) => path.startsWith('docs/'));
  for (const page of pages) {
    for (const [, target] of (await readFile(at('package', page), 'utf8')).matchAll(/\]\((?!https?:|#)([^)#\s]+)/g)) {
      // Pages may point to the sources' repository, which the package is a part of.
      expect(existsSync(join(ROOT, dirname(page), target)), `${page} links to ${target}`).toBe(true);
    }
  }
});
