/** Both npm packages as users get them: packed, installed in fresh apps, and these apps' pages in Chromium. */
import { execFileSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { dirname, extname, join } from 'node:path';
import { type Browser, chromium } from 'playwright';
import { afterAll, beforeAll, expect, inject } from 'vitest';
import { ROOT } from '../tools/bundle.mjs';
import { bundleCli, bundleLibrary, emitTypes } from '../tools/library.mjs';
import { pack, stage } from '../tools/pack.mjs';
import { FLAGS } from './demo-page';

export type Packed = ReturnType<typeof pack>;

/** A page that loads main.js. */
export const PAGE = '<!doctype html><link rel="icon" href="data:,"><script type="module" src="./main.js"></script>';

/** A small BERT, with what sentence-transformers computes. */
export const MODEL = join(ROOT, 'src/reference/fixtures/st-minilm');
/** Where `npm run test:apps` installs the bundlers. */
export const TOOLS = join(ROOT, 'e2e/bundlers/node_modules');

/** A script that embeds a text with MODEL of the same server and gives the page the title `right` if the numbers are. `entry`: what it imports. */
export const mainOf = (entry: string, source = '/models/minilm/', options = ''): string => `
import { loadModel } from '${entry}';

async function check() {
  const source = new URL('${source}', location.href);
  const { calls: [{ texts, values }] } = await (await fetch(new URL('expected.json', source))).json();
  const model = await loadModel(source, { dtype: 'f32', arithmetic: 'f32', ${options} });
  const { data } = await model.embed(texts[0], { truncate: true });
  return data.length === values[0].length && data.every((x, i) => Math.abs(x - values[0][i]) < 2e-5) ? 'right' : 'wrong';
}

check().then(
  (answer) => { document.title = answer; },
  (error) => { document.title = error.name + ': ' + error.message; },
);
`;

const TYPES: Record<string, string> = {
  '.css': 'text/css',
  '.html': 'text/html',
  '.js': 'text/javascript',
  '.json': 'application/json',
};

/** What `usePackages` made, once a file's tests run. */
export interface Packages {
  /** Paths in the temporary folder: library/ and cli/ are packed, app/ has the library installed, site/ is served. */
  at(...names: string[]): string;
  library: Packed;
  cli: Packed;
  browser: Browser;
  /** Of the server of site/. */
  origin: string;
}

/**
 * Packs both packages before a file's tests, installs the library in app/, starts a server of site/ and a browser. `policy`: the content
 * security policy of a path.
 */
export function usePackages(policy: (path: string) => string): Packages {
  const packages = {} as Packages;
  let folder: string;
  let server: Server;
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'package-'));
    packages.at = (...names) => join(folder, ...names);
    const { at } = packages;
    await bundleLibrary(at('library/dist'));
    await emitTypes(at('library/dist/types'));
    await bundleCli(at('cli/dist'));
    await stage('.', at('library'));
    await stage('cli', at('cli'));
    packages.library = pack(at('library'), folder);
    packages.cli = pack(at('cli'), folder);
    await install(at('app'), at(packages.library.filename));
    await mkdir(at('site'), { recursive: true });
    server = await serve(at('site'), policy);
    packages.origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    packages.browser = await chromium.launch({ executablePath: inject('chromiumPath'), args: FLAGS });
  });
  afterAll(async () => {
    await packages.browser?.close();
    server?.close();
    await rm(folder, { recursive: true });
  });
  return packages;
}

/** Makes an empty project and installs tarballs and folders in it, offline. */
export async function install(app: string, ...paths: string[]): Promise<void> {
  await write(app, { 'package.json': '{"type":"module"}' });
  npm(app, 'install', '--offline', '--ignore-scripts', '--no-audit', ...paths);
}

const npm = (cwd: string, ...args: string[]): string =>
  execFileSync('npm', args, { cwd, encoding: 'utf8', stdio: 'pipe' });

/** Writes texts by their paths in `folder`. */
export async function write(folder: string, files: Record<string, string>): Promise<void> {
  for (const [name, text] of Object.entries(files)) {
    const path = join(folder, name);
    await mkdir(dirname(path), { recursive: true });
    await writeFile(path, text);
  }
}

async function serve(root: string, policy: (path: string) => string): Promise<Server> {
  const server = createServer(async (request, response) => {
    const { pathname } = new URL(request.url ?? '', 'http://local');
    const path = join(root, pathname.endsWith('/') ? `${pathname}index.html` : pathname);
    const bytes = await readFile(path).catch(() => undefined);
    response.writeHead(bytes ? 200 : 404, {
      'content-type': TYPES[extname(path)] ?? 'application/octet-stream',
      ...(policy(pathname) && { 'content-security-policy': policy(pathname) }),
    });
    response.end(bytes);
  });
  await once(server.listen(0, '127.0.0.1'), 'listening');
  return server;
}

/**
 * Opens a page of the server (or of another `origin`), waits until it has a title, which must match `title`, and returns the paths fetched
 * without those of the model. The page must not log errors or warnings, have one worker, and fetch from no other place than `elsewhere`.
 */
export async function visit(
  { browser, origin: own }: Packages,
  path: string,
  { title = /^right$/, origin = own, elsewhere = origin }: { title?: RegExp; origin?: string; elsewhere?: string } = {},
): Promise<string[]> {
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
  expect(await page.title()).toMatch(title);
  if (!(await page.title()).includes('Error')) expect(page.workers()).toHaveLength(1);
  await page.close();
  expect(
    fetched.filter((url) => ![origin, elsewhere].includes(new URL(url).origin) && !/^(data|blob):/.test(url)),
  ).toEqual([]);
  return fetched
    .filter((url) => url.startsWith(origin))
    .map((url) => url.slice(origin.length))
    .filter((name) => !name.startsWith('/models/'));
}
