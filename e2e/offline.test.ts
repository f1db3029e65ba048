import { cp, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Page } from 'playwright';
import { type PreviewServer, type PreviewServerHook, preview } from 'vite';
import { expect, it, onTestFinished } from 'vitest';
import { writeServiceWorker } from '../tools/offline.mjs';
import { fillMasks, textOf, useDemo, waitForText } from './demo-page';
import { expectAccessible } from './pictures';

const open = useDemo();
const project = (path: string) => fileURLToPath(new URL(`../${path}`, import.meta.url));

/** A copy of the built page that a test may change, on a server that it may stop. `prepare`: of the server, before it answers. */
async function serveCopy(prepare?: PreviewServerHook): Promise<{ folder: string; url: string; stop(): Promise<void> }> {
  const folder = await mkdtemp(join(tmpdir(), 'demo-'));
  await cp(project('dist/demo'), folder, { recursive: true, filter: (path) => !/\.(map|onnx|bcmap)$/.test(path) });
  await writeServiceWorker(folder); // for the files copied
  const server: PreviewServer = await preview({
    configFile: project('vite.config.ts'),
    logLevel: 'warn',
    build: { outDir: folder },
    preview: { port: 0, host: '127.0.0.1' },
    plugins: [{ name: 'prepare', configurePreviewServer: prepare }],
  });
  const stop = async () => {
    if (server.httpServer.listening) await server.close();
  };
  onTestFinished(async () => {
    await stop();
    await rm(folder, { recursive: true });
  });
  return { folder, url: server.resolvedUrls!.local[0], stop };
}

const keptOf = (page: Page) =>
  page.evaluate(async () => (await (await caches.open((await caches.keys())[0])).keys()).map(({ url }) => url));

it('keeps the rest when it is asked to: bytes, seconds left, and a Cancel that leaves no part of a model', async () => {
  const WEIGHTS = '/models/all-MiniLM-L6-v2/model.safetensors';
  /** Milliseconds between two parts of the weights. */
  let rest = 50;
  let sent = 0;
  let areSamplesThere = false;
  const { folder, url, stop } = await serveCopy(({ middlewares }) => {
    middlewares.use(async ({ url = '' }, response, next) => {
      if (url.includes('/samples/') && !areSamplesThere) return response.writeHead(404).end();
      if (!url.includes(WEIGHTS)) return next();
      const file = await readFile(join(folder, WEIGHTS));
      sent = 0;
      for (let at = 0; at < file.length && !response.destroyed; at += 2 ** 16) {
        response.write(file.subarray(at, at + 2 ** 16));
        sent++;
        if (rest > 0) await new Promise((resolve) => setTimeout(resolve, rest));
      }
      response.end();
    });
  });
  const page = await open({ url, path: '#benchmark', serviceWorker: true });
  await waitForText(page, '#offline span', /samples take [\d.]+ MB more\.$/);
  await page.focus('#offline-keep');
  await page.keyboard.press('Enter');
  expect(await page.evaluate(() => document.activeElement?.textContent)).toBe('Cancel');
  await waitForText(
    page,
    '#offline .progress',
    /^\s*Keeping for use offline: [\d.]+ (kB|MB) of [\d.]+ MB, \d+ s left\s*Cancel$/,
  );
  expect((await keptOf(page)).filter((url) => url.includes('MiniLM'))).not.toEqual([]); // its small files
  await expectAccessible(page, 'footer');
  await page.keyboard.press('Enter');
  await page.waitForSelector('#offline-keep:visible');
  expect(await page.evaluate(() => document.activeElement?.id)).toBe('offline-keep');
  await page.waitForTimeout(300); // what is on its way
  const before = sent;
  await page.waitForTimeout(500);
  expect(sent).toBe(before); // it really is stopped
  expect((await keptOf(page)).filter((url) => url.includes('MiniLM'))).toEqual([]);
  expect(await textOf(page, '#offline span')).toMatch(/samples take [\d.]+ MB more\.$/);

  rest = 0;
  await page.keyboard.press('Enter');
  await waitForText(page, '#offline span', /^Not all .*: the server answers with status 404 for samples\/.*\.$/);
  expect((await keptOf(page)).filter((url) => url.includes(WEIGHTS))).toHaveLength(1); // a model that is whole
  areSamplesThere = true;
  await page.click('#offline-keep');
  await waitForText(page, '#offline span', 'All of this page works offline.');
  expect(await page.locator('#offline-keep').isVisible()).toBe(false);
  expect(await page.evaluate(() => document.activeElement?.id)).toBe('storage');

  await stop();
  await page.goto(`${url}?from=elsewhere#search`);
  await page.fill('#query', 'whale');
  await waitForText(page, '#search-status', /\d+ passages? of/);
});

it('opens and fills masks offline after one visit, and changes to a new version as a whole', async () => {
  const { folder, url, stop } = await serveCopy();
  const page = await open({ url, path: '#benchmark', serviceWorker: true }); // a tab that does not load a model on its own
  await waitForText(page, '#offline', /This page and nano work offline\. .* [\d.]+ MB more\./);
  expect(await page.locator('#new-version').isVisible()).toBe(false);

  const html = await readFile(join(folder, 'index.html'), 'utf8');
  await writeFile(join(folder, 'index.html'), html.replace('<h1>ModernBERT', '<h1>New ModernBERT'));
  await writeServiceWorker(folder);
  await page.reload();
  await page.waitForSelector('#new-version:visible');
  expect(await textOf(page, 'h1')).toBe('ModernBERT on your GPU');

  const other = await page.context().newPage();
  await other.goto(`${url}#benchmark`);
  expect(await textOf(other, 'h1')).toBe('ModernBERT on your GPU');
  await page.click('#new-version button');
  await waitForText(page, '#new-version', 'Close its other tabs first');
  await other.close();
  await page.click('#new-version button');
  await waitForText(page, 'h1', 'New ModernBERT on your GPU');

  // A model that does not come with the first visit is kept once it was chosen.
  const kept = () => keptOf(page);
  const isMiniLm = (url: string) => url.includes('/all-MiniLM-L6-v2/model.safetensors');
  expect((await kept()).some((url) => url.includes('/models/nano/model.safetensors'))).toBe(true);
  expect((await kept()).filter((url) => url.includes('MiniLM'))).toEqual([]);
  await page.click('#tab-embeddings');
  await page.click('#embeddings .change');
  await page.locator('#embeddings .card').getByRole('button', { name: 'Use all-MiniLM-L6-v2', exact: true }).click();
  await waitForText(page, '#embeddings .model-state', 'ready');
  await expect.poll(async () => (await kept()).some(isMiniLm), { timeout: 60_000 }).toBe(true);

  await stop();
  await page.goto(`${url}?from=elsewhere#fill-mask`);
  expect(await textOf(page, 'h1')).toBe('New ModernBERT on your GPU');
  expect((await fillMasks(page))[0][0]).toBe('Paris');
  await page.click('#tab-embeddings');
  await page.waitForSelector('#embeddings .change');
  await page.goto(`${url}#embeddings?model=all-MiniLM-L6-v2`);
  await page.reload();
  await page.click('#compare');
  await page.waitForSelector('.heatmap');
  expect(await textOf(page, '#embeddings .model-facts')).toMatch(/^6 layers, hidden size 384/);
});
