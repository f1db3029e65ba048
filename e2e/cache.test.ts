import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import type { Page } from 'playwright-core';
import { expect, it } from 'vitest';
import { fillMasks, useDemo, waitForText } from './demo-page';

const open = useDemo();

const NANO = fileURLToPath(new URL('../public/models/nano/', import.meta.url));

/** Files of the Hub that were asked for. */
async function serveHub(page: Page): Promise<string[]> {
  const asked: string[] = [];
  await page.context().route('https://huggingface.co/**', async (route) => {
    const name = new URL(route.request().url()).pathname.replace('/someone/small-model/resolve/main/', '');
    asked.push(name);
    const body = await readFile(NANO + name).catch(() => undefined);
    const headers = { 'access-control-allow-origin': '*' };
    await (body ? route.fulfill({ body, headers }) : route.fulfill({ status: 404, headers }));
  });
  return asked;
}

async function chooseHub(page: Page): Promise<void> {
  await page.click('#fill-mask summary');
  await page.locator('#fill-mask').getByLabel('Hugging Face Hub').check();
  await page.fill('#fill-mask .hub-id', 'someone/small-model');
  await page.click('#fill-mask .load');
}

async function loaded(page: Page): Promise<void> {
  await waitForText(page, '#fill-mask .model-name', 'someone/small-model');
  await waitForText(page, '#fill-mask .model-state', 'ready');
}

/** The entries of the cache, each with the names of its files. */
const entries = (page: Page) =>
  page.evaluate(async () => {
    const names = (folder: FileSystemDirectoryHandle) =>
      (folder as unknown as { keys(): AsyncIterable<string> }).keys();
    const root = await (await navigator.storage.getDirectory()).getDirectoryHandle('modernbert-webgpu', {
      create: true,
    });
    const found: string[][] = [];
    for await (const id of names(root)) {
      const files: string[] = [];
      for await (const name of names(await root.getDirectoryHandle(id))) files.push(name);
      found.push(files.sort());
    }
    return found;
  });

it('loads a Hub model in two pages at once, and again without the Hub', async () => {
  const page = await open();
  const asked = await serveHub(page);
  const other = await page.context().newPage();
  await other.goto(page.url());
  await Promise.all([page, other].map(chooseHub));
  await Promise.all([page, other].map(loaded));
  await other.close();
  expect(await entries(page)).toEqual([
    ['.manifest.json', 'config.json', 'model.safetensors', 'tokenizer.json', 'tokenizer_config.json'],
  ]);

  asked.length = 0;
  await page.reload();
  await chooseHub(page);
  await loaded(page);
  expect(asked).toEqual([]);
  expect((await fillMasks(page))[0][0]).toBe('Paris');
});

it('runs a model that the browser has no room for', async () => {
  const page = await open();
  await serveHub(page);
  const { origin } = new URL(page.url());
  const devtools = await page.context().newCDPSession(page);
  await devtools.send('Storage.overrideQuotaForOrigin', { origin, quotaSize: 5_000_000 });
  await chooseHub(page);
  await loaded(page);
  expect((await fillMasks(page))[0][0]).toBe('Paris');
  expect(await entries(page)).toEqual([]);
});
