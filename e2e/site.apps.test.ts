/** The documentation's site, built below a path and served without a network. `npm run test:apps` installs what it needs, in site/. */
import { execFileSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readdir, readFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { extname, join } from 'node:path';
import { execPath } from 'node:process';
import { type Browser, chromium, type Page } from 'playwright';
import { afterAll, afterEach, beforeAll, expect, inject, it } from 'vitest';
import { ROOT } from '../tools/bundle.mjs';
import { FLAGS } from './demo-page';
import { takePictures } from './pictures';

const BASE = '/some/where/';
const TYPES: Record<string, string> = {
  '.html': 'text/html',
  '.js': 'text/javascript',
  '.css': 'text/css',
  '.svg': 'image/svg+xml',
};

let folder: string;
let url: string;
let browser: Browser;
const complaints: string[] = [];

const server = createServer(async (request, response) => {
  const { pathname } = new URL(request.url ?? '', 'http://local');
  const file = pathname.startsWith(BASE) ? pathname.slice(BASE.length) || 'index.html' : '';
  const body = await readFile(join(folder, file)).catch(() => undefined);
  response.writeHead(body ? 200 : 404, { 'content-type': TYPES[extname(file)] ?? 'application/octet-stream' });
  response.end(body);
});

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'site-'));
  const vitepress = join(ROOT, 'site/node_modules/vitepress/bin/vitepress.js');
  const args = [vitepress, 'build', '--base', BASE, '--outDir', folder];
  execFileSync(execPath, args, { cwd: join(ROOT, 'site'), stdio: 'pipe', env: { ...process.env, NODE_ENV: '' } });
  await once(server.listen(0, '127.0.0.1'), 'listening');
  url = `http://127.0.0.1:${(server.address() as AddressInfo).port}${BASE}`;
  browser = await chromium.launch({ executablePath: inject('chromiumPath'), args: FLAGS });
});
afterEach(() => expect(complaints.splice(0)).toEqual([]));
afterAll(async () => {
  await browser?.close();
  server.close();
});

/** A page as wide as a phone; what it logs, and requests that fail or go elsewhere, fail the test. */
async function newPage(): Promise<Page> {
  const page = await browser.newPage({ viewport: { width: 390, height: 844 } });
  page.on('pageerror', ({ message }) => complaints.push(message));
  page.on('console', (message) => {
    if (['error', 'warning'].includes(message.type())) complaints.push(message.text());
  });
  page.on('response', (response) => {
    if (response.status() !== 200) complaints.push(`${response.status()} ${response.url()}`);
  });
  await page.route(
    (address) => !address.href.startsWith(url) && /^(https?|wss?):$/.test(address.protocol),
    (route) => {
      complaints.push(`elsewhere: ${route.request().url()}`);
      return route.abort();
    },
  );
  return page;
}

it('every page of docs opens by itself, and is no wider than a phone', async () => {
  const files = (await readdir(folder, { recursive: true })).map((file) => file.replaceAll('\\', '/'));
  const built = files.filter((file) => file.endsWith('.html') && file !== '404.html');
  const docs = await readdir(join(ROOT, 'docs'), { recursive: true });
  expect(built).toHaveLength(docs.filter((file) => file.endsWith('.md')).length);
  const page = await newPage();
  for (const file of built) {
    await page.goto(url + file, { waitUntil: 'networkidle' });
    expect(await page.locator('h1').count(), file).toBe(1);
    expect(await page.locator('.VPSidebar a').count(), file).toBe(built.length - 1);
    expect(await page.evaluate(() => document.documentElement.scrollWidth - innerWidth), file).toBe(0);
  }
  await page.close();
});

it('the search finds a page by its words', async () => {
  const page = await newPage();
  await page.goto(url);
  await page.getByRole('button', { name: 'Search' }).click();
  await page.locator('.VPLocalSearchBox input').fill('late chunking');
  await page.locator('.VPLocalSearchBox .result', { hasText: 'Long documents' }).first().click();
  await page.waitForURL(`${url}guide/long-documents.html**`);
  await page.getByRole('heading', { name: 'Long documents' }).waitFor();
  await page.close();
});

it.each(['index', 'guide/start', 'guide/install', 'comparison', 'models'])('axe finds nothing in %s', async (name) => {
  const page = await newPage();
  await page.goto(`${url}${name}.html`);
  await takePictures(page, `site-${name.replace('/', '-')}`, 'body', 'another');
  await page.close();
});
