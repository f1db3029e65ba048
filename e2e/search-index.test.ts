/** An index in Chromium: the guide's search box as it is written, and a store in IndexedDB that two tabs use. The model is a table of tokens. */
import { join } from 'node:path';
import { type Browser, type BrowserContext, chromium, type Page } from 'playwright';
import { afterAll, afterEach, beforeAll, beforeEach, expect, inject, it } from 'vitest';
import { ROOT } from '../tools/bundle.mjs';
import { blocksFor } from '../tools/doc-blocks';
import { FLAGS } from './demo-page';
import { useLibraryPage } from './library-page';

const MODEL = join(ROOT, 'src/reference/fixtures/static-normalize');
const TEXTS = [
  { id: 'seine', text: 'The Seine crosses Paris.' },
  { id: 'bread', text: 'Bread is made of flour, water and salt.' },
  { id: 'tokyo', text: '東京都に住んでいます。' },
];

/** The guide's page, with the addresses of this server. */
const blocks = blocksFor('e2e/search-index.test.ts');
const searchBox = blocks
  .take('docs/guide/search.md', '<!doctype html>')
  .replace("'modernbert-webgpu'", "'./library/index.js'")
  .replace("'modernbert-webgpu/search'", "'./library/search.js'")
  .replace("'nomic-ai/modernbert-embed-base'", "'/model'")
  .replace('<title>', '<link rel="icon" href="data:,"><title>');

const originOf = useLibraryPage({
  fileOf: (path) => join(MODEL, path.replace('/model/', '')),
  texts: { '/search-box': searchBox, '/texts.json': JSON.stringify(TEXTS) },
  globals: "search: await import('./library/search.js')",
});
/** What the page has in `window`. */
declare const library: typeof import('../src/index');
declare const search: typeof import('../src/search');

let browser: Browser;
let context: BrowserContext;
const complaints: string[] = [];
beforeAll(async () => {
  browser = await chromium.launch({ executablePath: inject('chromiumPath'), args: FLAGS });
});
afterAll(() => browser?.close());
beforeEach(async () => {
  context = await browser.newContext();
  complaints.length = 0;
});
afterEach(async () => {
  await context.close();
  expect(complaints).toEqual([]);
});

async function openPage(path = ''): Promise<Page> {
  const page = await context.newPage();
  page.on('pageerror', ({ message }) => complaints.push(message));
  await page.goto(`${originOf()}${path}`);
  if (path === '') await page.waitForFunction(() => 'search' in window);
  return page;
}

it('the search box of the guide', async () => {
  expect(searchBox.split('\n').length).toBeLessThanOrEqual(30);
  for (let visit = 0; visit < 2; visit++) {
    const page = await openPage('/search-box');
    const box = page.locator('#query:not([disabled])');
    await box.pressSequentially('seine paris');
    const [first] = [page.locator('#hits li').first()];
    await page.waitForFunction(() => document.querySelector('#hits li')?.textContent === 'The Seine crosses Paris.');
    expect(await box.getAttribute('placeholder')).toBe('3 of 3');
    await box.fill('東京');
    await page.waitForFunction(() => document.querySelector('#hits li')?.textContent === '東京都に住んでいます。');
    await box.fill('');
    await first.waitFor({ state: 'detached' });
    await page.close();
  }
});

/** Adds documents `from`-0, `from`-1, … to the index that all pages share; returns its size, what was embedded, and a search's hits. */
async function addDocuments({ from, count }: { from: string; count: number }) {
  const model = await library.loadModel('/model');
  const embedded: string[] = [];
  const counting = {
    info: model.info,
    chunk: model.chunk,
    tokenize: model.tokenize,
    embed: (texts: string[], options: object) => {
      embedded.push(...texts);
      return model.embed(texts, options);
    },
  };
  const index = await search.createIndex(counting as unknown as typeof model, {
    store: search.indexedDbStore('shared'),
  });
  const restored = index.size;
  for (let i = 0; i < count; i++) await index.add({ id: `${from}-${i}`, text: `text ${i} of ${from}` });
  const hits = await index.search('text 3 of one', { mode: 'words' });
  const imported = await search.importIndex(model, await index.export());
  await index.close();
  return { restored, size: imported.size, embedded, best: hits[0]?.id };
}

it('two tabs that write one store lose nothing; what is stored is not embedded again', async () => {
  const [one, two] = [await openPage(), await openPage()];
  const count = 12;
  await Promise.all([
    one.evaluate(addDocuments, { from: 'one', count }),
    two.evaluate(addDocuments, { from: 'two', count }),
  ]);
  await two.reload();
  await two.waitForFunction(() => 'search' in window);
  const again = await two.evaluate(addDocuments, { from: 'one', count });
  expect(again).toEqual({ restored: 2 * count, size: 2 * count, embedded: ['a', 'a'], best: 'one-3' });
});

it('many vectors are compared on the GPU, by code that is fetched only then', async () => {
  const page = await openPage();
  const requests: string[] = [];
  page.on('request', (request) => requests.push(request.url()));
  const run = () =>
    page.evaluate(async () => {
      const model = await library.loadModel('/model');
      const texts = Array.from({ length: 10_050 }, (_, i) => ({ id: `${i}`, text: `The number ${i} and ${i * 7}.` }));
      const found: unknown[] = [];
      const devices: string[] = [];
      for (const gpu of [false, undefined, navigator.gpu] as const) {
        const index = await search.createIndex(model, { words: false, chunk: false, gpu });
        await index.add(texts);
        const end = performance.now() + (gpu ? 30_000 : 500);
        while (index.device === 'cpu' && performance.now() < end) await new Promise((next) => setTimeout(next, 50));
        found.push([await index.search('The number 4711.'), await index.search('The number 77.', { topK: 200 })]);
        devices.push(index.device);
        await index.close();
      }
      return { found, devices };
    });
  const { found, devices } = await run();
  expect(devices).toEqual(['cpu', 'cpu', 'gpu']); // this Chromium's adapter is software
  expect(found[1]).toEqual(found[0]);
  expect(found[2]).toEqual(found[0]);
  expect(requests.filter((url) => url.endsWith('/search-gpu.js')).length).toBe(1);
});

it('every block that is its own', () => expect(blocks.left()).toEqual([]));
