/** The packed library where no bundler has put its files together: dev servers, import maps, script tags, an extension, Next. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { cp, mkdtemp, readFile, rm } from 'node:fs/promises';
import { createServer } from 'node:http';
import { type AddressInfo, createServer as listen } from 'node:net';
import { join } from 'node:path';
import { execPath } from 'node:process';
import { chromium } from 'playwright';
import { afterEach, beforeAll, expect, inject, test } from 'vitest';
import { ROOT } from '../tools/bundle.mjs';
import { FLAGS } from './demo-page';
import { MODEL, mainOf, PAGE, TOOLS, usePackages, visit, write } from './packed';

/** None for the pages with inline scripts and scripts of another origin. */
const packages = usePackages(() => '');
const at = (...names: string[]) => packages.at(...names);
const INSTALLED = 'app/node_modules/modernbert-webgpu';

beforeAll(() => cp(MODEL, at('site/models/minilm'), { recursive: true }));

const ended: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const end of ended.splice(0).reverse()) await end();
});

async function freePort(): Promise<number> {
  const server = listen();
  await once(server.listen(0, '127.0.0.1'), 'listening');
  const { port } = server.address() as AddressInfo;
  await once(server.close(), 'close');
  return port;
}

/** Starts a server by a script of a tool and waits until it answers; it is stopped after the test. */
async function serveBy(app: string, script: string, args: (port: number) => string[], env = {}): Promise<string> {
  const port = await freePort();
  const options = { cwd: app, env: { ...process.env, ...env }, stdio: 'pipe' } as const;
  const child: ChildProcess = spawn(execPath, [script, ...args(port)], options);
  const output: string[] = [];
  for (const stream of [child.stdout, child.stderr]) stream?.on('data', (data) => output.push(String(data)));
  ended.push(async () => {
    if (child.exitCode !== null) return;
    const exit = once(child, 'exit');
    child.kill();
    await exit;
  });
  const origin = `http://127.0.0.1:${port}`;
  for (let wait = 0; wait < 300; wait++) {
    if (child.exitCode !== null) break;
    if (await fetch(origin).catch(() => undefined)) return origin;
    await new Promise((resolve) => setTimeout(resolve, 200));
  }
  throw new Error(`${script} did not start: ${output.join('')}`);
}

const viteBin = (version: string) =>
  version === '8' ? join(ROOT, 'node_modules/vite/bin/vite.js') : join(TOOLS, `vite-${version}/bin/vite.js`);

/** The dev server moves the main entry away from its worker, unless the app tells it not to. */
const EXCLUDED = "export default { optimizeDeps: { exclude: ['modernbert-webgpu'] } };";

test.each([
  ['5', 'modernbert-webgpu/inline', undefined],
  ['6', 'modernbert-webgpu/inline', undefined],
  ['7', 'modernbert-webgpu/inline', undefined],
  ['8', 'modernbert-webgpu/inline', undefined],
  ['5', 'modernbert-webgpu', EXCLUDED],
  ['6', 'modernbert-webgpu', EXCLUDED],
  ['7', 'modernbert-webgpu', EXCLUDED],
  ['8', 'modernbert-webgpu', undefined],
])('the dev server of Vite %s, %s', async (version, entry, config) => {
  const app = at('app', `dev-${version}-${entry.replace('/', '-')}`);
  await write(app, { 'index.html': PAGE, 'main.js': mainOf(entry), ...(config && { 'vite.config.js': config }) });
  await cp(MODEL, join(app, 'public/models/minilm'), { recursive: true });
  const origin = await serveBy(app, viteBin(version), (port) => [`--port=${port}`, '--strictPort', '--host=127.0.0.1']);
  await visit(packages, '/', { origin });
});

test('an import map', async () => {
  await cp(at(INSTALLED, 'dist'), at('site/map/library'), { recursive: true });
  const map = { imports: { 'modernbert-webgpu': './library/index.js' } };
  await write(at('site/map'), {
    'index.html': PAGE.replace('<script', `<script type="importmap">${JSON.stringify(map)}</script><script`),
    'main.js': mainOf('modernbert-webgpu'),
  });
  await visit(packages, '/map/');
});

test('a script tag, with the library from another origin', async () => {
  const cdn = createServer(async (request, response) => {
    const body = await readFile(at(INSTALLED, 'dist', request.url ?? '')).catch(() => undefined);
    response.writeHead(body ? 200 : 404, { 'content-type': 'text/javascript', 'access-control-allow-origin': '*' });
    response.end(body);
  });
  await once(cdn.listen(0, '127.0.0.1'), 'listening');
  ended.push(async () => cdn.close());
  const library = `http://127.0.0.1:${(cdn.address() as AddressInfo).port}`;
  const page = (entry: string) => PAGE.replace(' src="./main.js">', `>${mainOf(`${library}/${entry}`)}`);
  await write(at('site'), { 'tag/index.html': page('inline.js'), 'refused/index.html': page('index.js') });
  await visit(packages, '/tag/', { elsewhere: library });
  // A worker of another origin is refused by every browser; the error says what to import.
  const open = await packages.browser.newPage();
  await open.goto(`${packages.origin}/refused/`);
  await open.waitForFunction(() => document.title !== '');
  expect(await open.title()).toMatch(/^WorkerError: .*modernbert-webgpu\/inline/);
  await open.close();
});

test('an extension (manifest 3): its page, and its service worker, with a model of its own', async () => {
  const folder = at('extension');
  await cp(at(INSTALLED, 'dist'), join(folder, 'library'), { recursive: true });
  await cp(MODEL, join(folder, 'models/minilm'), { recursive: true });
  await write(folder, {
    'manifest.json': JSON.stringify({
      manifest_version: 3,
      name: 'embeds',
      version: '1',
      background: { service_worker: 'background.js', type: 'module' },
    }),
    'page.html': PAGE,
    'main.js': mainOf('./library/index.js', '/models/minilm/'),
    'background.js': mainOf('./library/thread.js', '/models/minilm/').replaceAll('document.title', 'globalThis.answer'),
  });
  const profile = await mkdtemp(at('profile-'));
  const context = await chromium.launchPersistentContext(profile, {
    executablePath: inject('chromiumPath'),
    args: [...FLAGS, `--disable-extensions-except=${folder}`, `--load-extension=${folder}`],
    ignoreDefaultArgs: ['--disable-extensions'],
  });
  ended.push(() => context.close());
  const background = context.serviceWorkers()[0] ?? (await context.waitForEvent('serviceworker'));
  const page = await context.newPage();
  await page.goto(new URL('page.html', background.url()).href);
  await page.waitForFunction(() => document.title !== '', undefined, { timeout: 60_000 });
  expect(await page.title()).toBe('right');
  const answer = () => background.evaluate(() => (globalThis as { answer?: string }).answer);
  await expect.poll(answer, { timeout: 60_000 }).toBe('right');
});

const NEXT = {
  'next.config.mjs': `import { fileURLToPath } from 'node:url';
export default {
  serverExternalPackages: ['modernbert-webgpu', 'webgpu'],
  turbopack: { root: fileURLToPath(new URL('../../../..', import.meta.url)) },
};`,
  'app/layout.js':
    'export default ({ children }) => <html lang="en"><head><link rel="icon" href="data:," /></head><body>{children}</body></html>;',
  'app/page.js': `'use client';
import { useEffect } from 'react';
import { check } from './check';
export default () => {
  useEffect(() => { check(); }, []);
  return <p>embeds</p>;
};`,
  'app/check.js': `${mainOf('modernbert-webgpu')}`.replace(
    'check().then(',
    'export { run as check };\nconst run = () => check().then(',
  ),
  'app/api/route.js': `import { loadModel } from 'modernbert-webgpu/node';
export const dynamic = 'force-dynamic';
export async function GET() {
  const model = await loadModel('./public/models/minilm', { dtype: 'f32' });
  const { rows, dim } = await model.embed(['a', 'b']);
  await model.dispose();
  return Response.json({ rows, dim });
}`,
};

test.each([['--turbopack'], ['--webpack']])('Next %s: a page, and a route in Node', async (bundler) => {
  // Below e2e/bundlers, where Next and React are found.
  const app = join(ROOT, 'e2e/bundlers/build/next', bundler.slice(2));
  await rm(app, { recursive: true, force: true });
  await write(app, { 'package.json': '{"private":true}', ...NEXT });
  await cp(at(INSTALLED), join(app, 'node_modules/modernbert-webgpu'), { recursive: true });
  await cp(MODEL, join(app, 'public/models/minilm'), { recursive: true });
  const next = join(TOOLS, 'next/dist/bin/next');
  const built = spawn(execPath, [next, 'build', bundler], {
    cwd: app,
    stdio: 'pipe',
    env: { ...process.env, NODE_ENV: 'production', NEXT_TELEMETRY_DISABLED: '1' },
  });
  const output: string[] = [];
  for (const stream of [built.stdout, built.stderr]) stream.on('data', (data) => output.push(String(data)));
  const [status] = await once(built, 'exit');
  expect(status, output.join('')).toBe(0);
  const origin = await serveBy(app, next, (port) => ['start', '-p', String(port), '-H', '127.0.0.1'], {
    NODE_ENV: 'production',
  });
  await visit(packages, '/', { origin });
  expect(await (await fetch(`${origin}/api`)).json()).toEqual({ rows: 2, dim: 24 });
});
