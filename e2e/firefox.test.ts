/** The library and the demo in Firefox, a WebGPU implementation of its own (wgpu, Naga), over the same software driver as the GPU tests. */
import { mkdir } from 'node:fs/promises';
import type { Page } from 'puppeteer-core';
import { describe, expect, inject, it } from 'vitest';
import type { LoadOptions } from '../src/api/types';
import { minCosine, nanoTexts, publicModel, readGolden } from '../src/model/fixtures/golden';
import { useFirefox } from './firefox-page';
import { useLibraryPage } from './library-page';

const open = useFirefox(/shader module "broken"|WebGPU compilation info|Shader 'broken'/);

/** What the page has in `window.library`. */
declare const library: typeof import('../src/index');

const originOf = useLibraryPage({
  fileOf: (path) => path.replace(/^\/models\/(nano(?:-embed)?)\//, (_, name) => `${publicModel(name)}/`),
});

const openLibrary = async () => {
  const page = await open(originOf());
  await page.waitForFunction(() => 'library' in window);
  return page;
};

/** Loads nano-embed in the page's worker and embeds the golden texts, not normalised. */
const embed = (page: Page, options: LoadOptions) =>
  page.evaluate(
    async (texts, options) => {
      const start = performance.now();
      const model = await library.loadModel('/models/nano-embed', options);
      const loaded = performance.now();
      await model.embed(texts, { normalize: false });
      const embedded = performance.now();
      await model.embed(texts.slice(0, 1));
      const ms = { load: loaded - start, embed: embedded - loaded, query: performance.now() - embedded };
      await model.warm(); // measures tiles, if it may
      const { data, rows, dim } = await model.embed(texts, { normalize: false });
      await model.dispose();
      return { data: [...data], rows, dim, info: model.info, ms };
    },
    nanoTexts(),
    options,
  );

describe('the library', () => {
  it('an idle queue, printed: once this is 1 ms or less, src/gpu/firefox.ts may go', async () => {
    const page = await open(originOf());
    const times = await page.evaluate(async () => {
      const adapter = await navigator.gpu.requestAdapter();
      const { queue } = await adapter!.requestDevice();
      const times: number[] = [];
      for (let i = 0; i < 5; i++) {
        const start = performance.now();
        await queue.onSubmittedWorkDone();
        times.push(performance.now() - start);
      }
      return times;
    });
    console.log(`an idle queue reports after ${times.join(', ')} ms`);
    expect(times).toHaveLength(5);
  });

  it.each([
    { options: {}, cosine: 0.999 },
    { options: { dtype: 'q8', compute: 'int8' }, cosine: 0.99 },
  ] as { options: LoadOptions; cosine: number }[])(
    'embeds in its worker with $options: as the published implementation, to a cosine of $cosine',
    async ({ options, cosine }) => {
      const expected = readGolden('nano-embed').floats('mean_pooled');
      const { data, rows, dim, info, ms } = await embed(await openLibrary(), options);
      console.log(JSON.stringify(options), info.arithmetic, ms);
      expect([rows, dim]).toEqual(expected.shape);
      expect(minCosine(Float32Array.from(data), expected.data, dim)).toBeGreaterThanOrEqual(cosine);
    },
  );

  it('fills masks in its worker with the words of the published implementation', async () => {
    const page = await openLibrary();
    const ids = await page.evaluate(
      async (texts) => {
        const model = await library.loadModel('/models/nano');
        const masks = (await model.fillMask(texts, { topK: 1 })).flat();
        await model.dispose();
        return masks.map(({ candidates }) => candidates[0].tokenId);
      },
      nanoTexts().slice(0, 3),
    );
    expect(ids).toEqual([
      ...readGolden('nano')
        .ints('top_logit_ids')
        .filter((_, i) => i % 50 === 0),
    ]);
  });

  it('computes the same with the designs of cards, and measures tiles once per version of the browser, as the adapter is nameless', async () => {
    const page = await openLibrary();
    const untuned = await embed(page, {});
    expect(untuned.info).toMatchObject({ profile: 'software' });
    expect(untuned.info.adapter).toEqual({ vendor: '', architecture: '', device: '', description: '' });
    const plans = () =>
      page.evaluate(async () => {
        const done = <T>(request: IDBRequest<T>) =>
          new Promise<T>((resolve, reject) => {
            request.onsuccess = () => resolve(request.result);
            request.onerror = () => reject(request.error);
          });
        const database = await done(indexedDB.open('modernbert-webgpu'));
        const store = database.transaction('gemm-plans').objectStore('gemm-plans');
        const entries = [await done(store.getAllKeys()), await done(store.getAll())];
        database.close();
        return JSON.stringify(entries);
      });
    const tuned = await embed(page, { profile: 'card' });
    expect(minCosine(Float32Array.from(tuned.data), Float32Array.from(untuned.data), tuned.dim)).toBeGreaterThan(
      0.9999,
    );
    const first = await plans();
    expect(first.match(/Firefox\/\d+/g)).toHaveLength(6); // of four matrix products, and of attention to all tokens and within a window
    await embed(page, { profile: 'card' });
    expect(await plans()).toBe(first);
  });

  it('a kernel that does not compile in any design is an UnsupportedModelError with the words of the compiler', async () => {
    const page = await openLibrary();
    const error = await page.evaluate(async () => {
      const { createShaderModule } = GPUDevice.prototype;
      GPUDevice.prototype.createShaderModule = function ({ code }) {
        return createShaderModule.call(this, { label: 'broken', code: `${code}\nconst X: u32 = 1.5;` });
      };
      const failed = library.loadModel('/models/nano', { worker: false });
      return failed.then(String, (error) => ({ name: error.name, message: error.message }));
    });
    expect(error).toEqual({
      name: 'UnsupportedModelError',
      message: expect.stringMatching(/^The kernel '\w.*' does not compile on this device \(unnamed\): \d+:\d+ .*u32/s),
    });
  });
});

/** Pictures at desktop and phone width, for people to look at. Fails if the page is wider than the screen. */
async function takePictures(page: Page, name: string): Promise<void> {
  await mkdir('test-results', { recursive: true });
  for (const width of [390, 1280]) {
    await page.setViewport({ width, height: 900 });
    expect(await page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth)).toBe(
      0,
    );
    await page.screenshot({ path: `test-results/firefox-${name}-${width}.png`, fullPage: true });
  }
}

const waitForText = (page: Page, selector: string, text: RegExp) =>
  page.waitForFunction(
    (selector, source) => new RegExp(source).test(document.querySelector(selector)?.textContent ?? ''),
    {},
    selector,
    text.source,
  );

describe('the demo', () => {
  it('fills the mask of the first page', async () => {
    const page = await open(inject('demoUrl'));
    await waitForText(page, '#fill-mask .model-state', /ready/);
    await waitForText(page, '#filled', /^The capital of France is Paris\.$/);
    await takePictures(page, 'fill-mask');
  });

  it('says where Firefox turns WebGPU on, if it is off', async () => {
    const page = await open(inject('demoUrl'), (page) =>
      page.evaluateOnNewDocument(() => Reflect.deleteProperty(Navigator.prototype, 'gpu')),
    );
    const text = await page.$eval('#no-webgpu', (notice) => (notice as HTMLElement).innerText);
    expect(text).toMatch(/about:support.*about:config/s);
    expect(text).not.toContain('chrome:');
    await takePictures(page, 'without-webgpu');
  });

  it('finds in the sample, indexes files and finds the passage that is meant', async () => {
    const page = await open(`${inject('demoUrl')}#search`);
    await waitForText(page, '#index-facts', /^138 chapters, 2,784 passages/);
    await page.type('#query', 'a sermon about Jonah');
    await waitForText(page, '#search-status', /^10 passages of 2,784, in [\d.]+ m?s\.$/);
    expect(await page.$eval('#passages h3', (title) => title.textContent)).toBe('Chapter 9: The Sermon');
    await page.$eval('#query', (field) => {
      (field as HTMLInputElement).value = '';
    });
    await page.evaluate(() => {
      const files = {
        'sea.txt': 'The old captain nailed a gold coin to the mast. Whoever first saw the white whale would have it.',
        'bread.md': '# Bread\n\nMix flour, water and salt, and let the dough rise for an hour before you bake it.',
      };
      const transfer = new DataTransfer();
      for (const [name, text] of Object.entries(files))
        transfer.items.add(new File([text], name, { type: 'text/plain' }));
      const input = document.querySelector<HTMLInputElement>('#drop input[multiple]')!;
      input.files = transfer.files;
      input.dispatchEvent(new Event('change', { bubbles: true }));
    });
    await waitForText(page, '#index-facts', /2 files, 2 passages\. Vectors by nano-embed-q4/);
    await page.type('#query', 'whale ship sailors');
    await waitForText(page, '#search-status', /^1 passage of 2, in [\d.]+ m?s\.$/);
    expect(await page.$eval('#passages h3', (title) => title.textContent)).toBe('sea.txt');
    await takePictures(page, 'search');
  });
});
