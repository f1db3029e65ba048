import { cp, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type PreviewServer, preview } from 'vite';
import { expect, it, onTestFinished } from 'vitest';
import { writeServiceWorker } from '../tools/offline.mjs';
import { fillMasks, textOf, useDemo, waitForText } from './demo-page';

const open = useDemo();
const project = (path: string) => fileURLToPath(new URL(`../${path}`, import.meta.url));

/** A copy of the built page that a test may change, on a server that it may stop. */
async function serveCopy(): Promise<{ folder: string; url: string; stop(): Promise<void> }> {
  const folder = await mkdtemp(join(tmpdir(), 'demo-'));
  await cp(project('dist/demo'), folder, { recursive: true, filter: (path) => !/\.(map|onnx|bcmap)$/.test(path) });
  await writeServiceWorker(folder); // for the files copied
  const server: PreviewServer = await preview({
    configFile: project('vite.config.ts'),
    logLevel: 'warn',
    build: { outDir: folder },
    preview: { port: 0, host: '127.0.0.1' },
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
  const kept = () =>
    page.evaluate(async () => (await (await caches.open((await caches.keys())[0])).keys()).map(({ url }) => url));
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
