/** The packed library where no bundler has put its files together: dev servers, import maps, script tags, an extension, Next. */
import { execFileSync } from 'node:child_process';
import { once } from 'node:events';
import { cp, readFile, rm, symlink } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { execPath } from 'node:process';
import { beforeAll, expect, test } from 'vitest';
import { ROOT } from '../tools/bundle.mjs';
import { denoExecutable } from '../tools/deno.mjs';
import { blocksFor } from '../tools/doc-blocks';
import { withExtension } from './extension';
import { MODEL, mainOf, PAGE, TOOLS, usePackages, visit, write } from './packed';
import { serveBy, serveNext, useEndings } from './tool-servers';

/** None for the pages with inline scripts and scripts of another origin. */
const packages = usePackages(() => '');
/** Of an extension. */
declare const chrome: { runtime: { sendMessage(message: string): Promise<unknown> } };
const at = (...names: string[]) => packages.at(...names);
const INSTALLED = 'app/node_modules/modernbert-webgpu';

beforeAll(() => cp(MODEL, at('site/models/minilm'), { recursive: true }));

const blocks = blocksFor('e2e/hosts.apps.test.ts');
const guideBlock = (text: string) => blocks.take('docs/guide/install.md', text);
/** A block of the quick start, with MODEL in the place of the checkpoint that it names. */
const startBlock = (text: string, model = '/models/minilm/') =>
  blocks.take('docs/guide/start.md', text).replace('sentence-transformers/all-MiniLM-L6-v2', model);

const ended = useEndings();

const viteBin = (version: string) =>
  version === '8' ? join(ROOT, 'node_modules/vite/bin/vite.js') : join(TOOLS, `vite-${version}/bin/vite.js`);

test.each([
  ['5', 'modernbert-webgpu/inline', undefined],
  ['6', 'modernbert-webgpu/inline', undefined],
  ['7', 'modernbert-webgpu/inline', undefined],
  ['8', 'modernbert-webgpu/inline', undefined],
  ['5', 'modernbert-webgpu', 'vite.config.js'],
  ['6', 'modernbert-webgpu', 'vite.config.js'],
  ['7', 'modernbert-webgpu', 'vite.config.js'],
  ['8', 'modernbert-webgpu', undefined],
])('the dev server of Vite %s, %s', async (version, entry, config) => {
  const app = at('app', `dev-${version}-${entry.replace('/', '-')}`);
  await write(app, {
    'index.html': PAGE,
    'main.js': mainOf(entry),
    ...(config && { [config]: guideBlock(config) }),
  });
  await cp(MODEL, join(app, 'public/models/minilm'), { recursive: true });
  const origin = await serveBy(ended, app, viteBin(version), (port) => [
    `--port=${port}`,
    '--strictPort',
    '--host=127.0.0.1',
  ]);
  await visit(packages, '/', { origin });
});

/** Serves the package's dist from another origin until the test ends. */
async function serveCdn(): Promise<string> {
  const cdn = createServer(async (request, response) => {
    const body = await readFile(at(INSTALLED, 'dist', request.url ?? '')).catch(() => undefined);
    response.writeHead(body ? 200 : 404, { 'content-type': 'text/javascript', 'access-control-allow-origin': '*' });
    response.end(body);
  });
  await once(cdn.listen(0, '127.0.0.1'), 'listening');
  ended.push(async () => cdn.close());
  return `http://127.0.0.1:${(cdn.address() as AddressInfo).port}`;
}

/** Types each text of the quick start's search box into it, and expects that one first. */
async function searchIn(url: string): Promise<void> {
  const page = await packages.browser.newPage();
  const complaints: string[] = [];
  page.on('pageerror', (error) => complaints.push(error.message));
  await page.goto(url);
  for (const text of ['Bread is made of flour, water and salt.', 'The Nile is long.']) {
    await page.fill('#query', text, { timeout: 60_000 }).catch((error) => complaints.push(String(error)));
    expect(complaints).toEqual([]);
    await page.locator('#found li').first().filter({ hasText: text }).waitFor();
    expect(await page.locator('#found li').count()).toBe(3);
  }
  await page.close();
}

test("the quick start's search box, in Vite's dev server and by a script tag from another origin", async () => {
  const searchBox = startBlock('<!doctype html>');
  expect(searchBox.split('\n').length).toBeLessThan(30);
  const app = at('app/search-box');
  await write(app, { 'index.html': searchBox });
  await cp(MODEL, join(app, 'public/models/minilm'), { recursive: true });
  await searchIn(
    await serveBy(ended, app, viteBin('8'), (port) => [`--port=${port}`, '--strictPort', '--host=127.0.0.1']),
  );
  const imports = startBlock('cdn.example').replaceAll('https://cdn.example/modernbert-webgpu/dist', await serveCdn());
  await write(at('site'), {
    'box/index.html': searchBox.replace(/ +import [\s\S]*modernbert-webgpu\/search';\n/, imports),
  });
  await searchIn(`${packages.origin}/box/`);
});

test("the quick start's script in Node and in Deno", async () => {
  const app = at('app/script');
  await write(app, { 'embed.mjs': startBlock('modernbert-webgpu/node', MODEL) });
  const run = (program: string, ...args: string[]) =>
    execFileSync(program, [...args, 'embed.mjs'], { cwd: app, encoding: 'utf8', stdio: 'pipe' });
  // Without the package webgpu, which Deno does not need.
  expect(run(denoExecutable(), 'run', '--allow-all')).toBe('24 numbers\n');
  const webgpu = at('app/node_modules/webgpu');
  await symlink(join(ROOT, 'node_modules/webgpu'), webgpu);
  ended.push(() => rm(webgpu));
  expect(run(execPath)).toBe('24 numbers\n');
});

test('an import map', async () => {
  await cp(at(INSTALLED, 'dist'), at('site/library'), { recursive: true });
  await write(at('site/map'), {
    'index.html': PAGE.replace('<script', `${guideBlock('importmap')}<script`),
    'main.js': `import 'modernbert-webgpu/search';\n${mainOf('modernbert-webgpu')}`,
  });
  await visit(packages, '/map/');
});

test('a script tag, with the library from another origin', async () => {
  const library = await serveCdn();
  const guide = guideBlock('cdn.example');
  const pageOf = (entry: string) => {
    const script = guide
      .replace('https://cdn.example/modernbert-webgpu/dist/inline.js', `${library}/${entry}`)
      .replace('sentence-transformers/all-MiniLM-L6-v2', '/models/minilm/');
    return PAGE.replace(/<script.*/, script);
  };
  await write(at('site'), { 'tag/index.html': pageOf('inline.js'), 'refused/index.html': pageOf('index.js') });
  await visit(packages, '/tag/', { elsewhere: library, title: /^-?0\.\d+$/ });
  // A worker of another origin is refused by every browser; the error says what to import.
  const page = await packages.browser.newPage();
  const refused = page.waitForEvent('pageerror');
  await page.goto(`${packages.origin}/refused/`);
  expect(String(await refused)).toMatch(/WorkerError: .*modernbert-webgpu\/inline/);
  await page.close();
});

test('an extension (manifest 3): its page, and its service worker, with a model of its own', async () => {
  const folder = at('extension');
  await cp(at(INSTALLED, 'dist'), join(folder, 'library'), { recursive: true });
  await cp(MODEL, join(folder, 'models/minilm'), { recursive: true });
  await write(folder, {
    'manifest.json': guideBlock('manifest_version'),
    'page.html': PAGE,
    'main.js': mainOf('./library/index.js', '/models/minilm/'),
    'background.js': `import './start.js';${mainOf('./library/thread.js', '/models/minilm/').replaceAll('document.title', 'globalThis.answer')}`,
    'start.js': startBlock('chrome.runtime'),
  });
  const { context, background } = await withExtension(folder, at('profile-'));
  ended.push(() => context.close());
  const page = await context.newPage();
  await page.goto(new URL('page.html', background.url()).href);
  await page.waitForFunction(() => document.title !== '', undefined, { timeout: 60_000 });
  expect(await page.title()).toBe('right');
  const answer = () => background.evaluate(() => (globalThis as { answer?: string }).answer);
  await expect.poll(answer, { timeout: 60_000 }).toBe('right');
  const reply = await page.evaluate(() => chrome.runtime.sendMessage('The Seine crosses Paris.'));
  expect(reply).toHaveLength(24);
});

/** An app whose files but its configuration and route are the simplest that Next accepts. */
const nextApp = async (): Promise<Record<string, string>> => ({
  'package.json': '{"private":true}',
  // Next and React are in a folder above the app's.
  'next.config.mjs': guideBlock('next.config.mjs').replace(
    '};',
    `turbopack: { root: ${JSON.stringify(join(ROOT, 'e2e/bundlers'))} } };`,
  ),
  'app/api/route.js': guideBlock('app/api/route.js').replace(
    /'sentence-transformers.*'/,
    "'./public/models/minilm', { dtype: 'f32', arithmetic: 'f32' }",
  ),
  'app/layout.js': `export default ({ children }) => (
  <html lang="en"><head><link rel="icon" href="data:," /></head><body>{children}</body></html>
);`,
  'app/start/page.js': startBlock("'use client'"),
  'app/page.js': `'use client';
import { useEffect } from 'react';
import { run } from './check';
export default () => {
  useEffect(() => { run(); }, []);
  return <p>embeds</p>;
};`,
  'app/check.js': mainOf('modernbert-webgpu').replace('check().then(', 'export const run = () => check().then('),
});

test.each([['--turbopack'], ['--webpack']])('Next %s: a page, and a route in Node', async (bundler) => {
  // Below e2e/bundlers, where Next and React are found.
  const app = join(ROOT, 'e2e/bundlers/build/next', bundler.slice(2));
  const remove = () => rm(app, { recursive: true, force: true });
  await remove();
  ended.push(remove);
  await write(app, await nextApp());
  await cp(at(INSTALLED), join(app, 'node_modules/modernbert-webgpu'), { recursive: true });
  await cp(MODEL, join(app, 'public/models/minilm'), { recursive: true });
  const origin = await serveNext(ended, app, bundler);
  await visit(packages, '/', { origin });
  const start = await packages.browser.newPage();
  await start.goto(`${origin}/start`);
  await start.getByRole('button', { name: 'Embed' }).click();
  await start.locator('output', { hasText: /^24 numbers$/ }).waitFor({ timeout: 60_000 });
  await start.close();
  const { texts, values } = JSON.parse(await readFile(join(MODEL, 'expected.json'), 'utf8')).calls[0];
  const answer = await fetch(`${origin}/api`, { method: 'POST', body: JSON.stringify(texts.slice(0, 2)) });
  const numbers: number[] = await answer.json();
  const right: number[] = values.slice(0, 2).flat();
  expect(Math.max(...numbers.map((x, i) => Math.abs(x - right[i])))).toBeLessThan(2e-5);
  expect(numbers).toHaveLength(right.length);
});

test('every block that is its own', () => expect(blocks.left()).toEqual([]));
