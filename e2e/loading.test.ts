import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import type { Route } from 'playwright';
import { expect, it, onTestFinished } from 'vitest';
import { fillMasks, prepareWorker, serveHub, textOf, useDemo, waitForText } from './demo-page';

const open = useDemo();

const NANO = fileURLToPath(new URL('../public/models/nano/', import.meta.url));
const NANO_EMBED = fileURLToPath(new URL('../public/models/nano-embed/', import.meta.url));
const WEIGHTS = '**/models/nano/model.safetensors';

/** The URL of a server that sends a file in ten parts with pauses, and its size as static hosts do. */
async function serveSlowly(path: string): Promise<string> {
  const file = await readFile(path);
  const server = createServer(async (_, response) => {
    response.writeHead(200, { 'content-type': 'application/octet-stream', 'content-length': file.length });
    for (let part = 0; part < 10; part++) {
      response.write(file.subarray((part * file.length) / 10, ((part + 1) * file.length) / 10));
      await setTimeout(100);
    }
    response.end();
  });
  onTestFinished(() => void server.close());
  await once(server.listen(0, '127.0.0.1'), 'listening');
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}/`;
}

it('paints and accepts input without a model, reports a broken file, can be stopped, shows the progress of loading', async () => {
  const broken = (await readFile(`${NANO}model.safetensors`)).subarray(0, 1_000_000);
  const slowServer = await serveSlowly(`${NANO}model.safetensors`);
  const held: Route[] = [];
  let answer: (route: Route) => unknown = (route) => held.push(route);
  const page = await open({
    prepare: async (page) => {
      await page.route(WEIGHTS, (route) => void answer(route));
      await page.addInitScript(() => {
        const seen: string[] = [];
        Object.assign(window, { seen });
        addEventListener('DOMContentLoaded', () => {
          const text = document.querySelector('#fill-mask .loading .count') as HTMLElement;
          new MutationObserver(() => seen.push(text.textContent ?? '')).observe(text, { childList: true });
        });
      });
    },
  });
  await waitForText(page, '#fill-mask .model-state', 'loading'); // starts without a click
  await page.waitForFunction(() => performance.getEntriesByName('first-contentful-paint').length === 1);
  await page.fill('#mask-text', 'The capital of [MASK] is Tokyo.');
  expect(await textOf(page, '#mask-count')).toBe('Tokens are counted once the model is loaded.');
  await expect.poll(() => held.length).toBe(1);
  await held[0].fulfill({ body: broken });
  await waitForText(page, '#fill-mask .model > .error', 'model.safetensors');
  await waitForText(page, '#fill-mask .model-state', 'not loaded');

  await page.click('#fill'); // waits for the model
  await expect.poll(() => held.length).toBe(2);
  await page.getByRole('button', { name: 'Cancel' }).click();
  await waitForText(page, '#fill-mask .model-state', 'cancelled');
  await waitForText(page, '#fill-mask .status', 'Stopped.');
  expect(page.workers()).toHaveLength(0);

  answer = (route) => route.fulfill({ body: broken });
  await page.click('#fill');
  await waitForText(page, '#fill-mask form .error', 'could not be loaded');

  answer = (route) => route.continue({ url: slowServer });
  expect((await fillMasks(page))[0][0]).toBe('Japan');
  expect(await page.locator('.error:visible').count()).toBe(0);
  expect(await textOf(page, '#mask-count')).toBe('9 / 8,192 tokens');
  expect(await textOf(page, '#fill-mask .model-facts')).toMatch(
    /^7 layers, hidden size 256\sf16 weights, [\d.]+ MB on the GPU$/,
  );
  const seen = await page.evaluate(() => (window as unknown as { seen: string[] }).seen);
  // The weights have 16.4 MB, and 16.8 with tokenizer.json, which counts from when it begins.
  expect(seen).toContainEqual(expect.stringMatching(/^Loading: [\d.]+ MB of 1[67]\.\d MB(, \d+ s left)?$/));
  expect(seen).toContainEqual('Preparing the GPU …');
});

it('loads a model from a folder on the device', async () => {
  const page = await open({ path: '#embeddings' });
  await page.click('#embeddings .change');
  await page.click('#embeddings .more summary');
  await page.click('#embeddings .use-folder');
  await waitForText(page, '#embeddings .folder-error', 'Choose a folder first.');
  await page.setInputFiles('#embeddings .folder', NANO_EMBED);
  await page.click('#embeddings .use-folder');
  await waitForText(page, '#embeddings .model-state', 'ready');
  expect(await textOf(page, '#embeddings .model-name strong')).toBe('nano-embed');
  await page.click('#compare');
  await page.waitForSelector('.heatmap');
  expect(await textOf(page, '#closest')).toMatch(/^Closest: \d and \d, cosine 0\.\d\d\.$/);
});

it('loads a model from the Hub', async () => {
  const page = await open({ path: '#embeddings' });
  const requested = await serveHub(page, { 'someone/small-model': NANO_EMBED });
  await page.click('#embeddings .change');
  await page.click('#embeddings .more summary');
  await page.fill('#embeddings .hub-id', 'not an id');
  await page.click('#embeddings .use-hub');
  await waitForText(page, '#embeddings .hub-error', 'organisation/model');
  await page.fill('#embeddings .hub-id', 'someone/small-model');
  await page.click('#embeddings .use-hub');
  await waitForText(page, '#embeddings .model-name', 'someone/small-model');
  await waitForText(page, '#embeddings .model-state', 'ready');
  expect(requested).toEqual(expect.arrayContaining(['config.json', 'tokenizer.json', 'model.safetensors']));
  await page.click('#compare');
  await page.waitForSelector('.heatmap');
});

it('a lost GPU costs the next answer some time, and no more', async () => {
  const keepDevice = `{
    const { requestDevice } = GPUAdapter.prototype;
    GPUAdapter.prototype.requestDevice = async function (...args) {
      return (self.openedDevice = await requestDevice.apply(this, args));
    };
  }`;
  const page = await open({ prepare: (page) => prepareWorker(page, keepDevice) });
  await page.waitForSelector('#masks ol button');
  await page.workers()[0].evaluate(() => (globalThis as unknown as { openedDevice: GPUDevice }).openedDevice.destroy());
  expect((await fillMasks(page))[0][0]).toBe('Paris');
  expect(await page.textContent('#fill-mask form .error')).toBe('');
});
