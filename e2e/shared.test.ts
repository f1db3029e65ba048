/** Tabs that share a model, in Chromium. */
import { type Browser, type BrowserContext, chromium, type Page } from 'playwright';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, inject, it } from 'vitest';
import type { LoadOptions } from '../src/api/types';
import { minCosine, nanoTexts, publicModel, readGolden } from '../src/model/fixtures/golden';
import type { SharedModel } from '../src/shared';
import { FLAGS } from './demo-page';
import { useFirefox } from './firefox-page';
import { useLibraryPage } from './library-page';

/** What the pages have in `window`. */
declare const shared: typeof import('../src/shared');
declare const model: SharedModel;

/** In every worker of the library: counts the bytes of its buffers, tells them, and crashes if it is asked to. */
const WATCH = `
const sizes = new Map();
const { createBuffer, destroy } = GPUDevice.prototype;
GPUDevice.prototype.createBuffer = function (descriptor) {
  const buffer = createBuffer.call(this, descriptor);
  sizes.set(buffer, { device: this, size: descriptor.size });
  return buffer;
};
GPUDevice.prototype.destroy = function () {
  for (const [buffer, { device }] of sizes) if (device === this) sizes.delete(buffer);
  destroy.call(this);
};
const free = GPUBuffer.prototype.destroy;
GPUBuffer.prototype.destroy = function () {
  sizes.delete(this);
  free.call(this);
};
const watch = new BroadcastChannel('watch');
watch.onmessage = ({ data }) => {
  if (data === 'crash') setTimeout(() => { throw new Error('a crash on purpose'); });
  else watch.postMessage([...sizes.values()].reduce((total, { size }) => total + size, 0));
};
`;
const NO_GPU = "if ('onconnect' in globalThis) Object.defineProperty(navigator, 'gpu', { value: undefined });\n";

let requests: string[] = [];
const serve = (before: string) =>
  useLibraryPage({
    fileOf: (path) => path.replace(/^\/models\/(nano-embed)\//, (_, name) => `${publicModel(name)}/`),
    globals: "shared: await import('./library/shared.js')",
    texts: { '/elsewhere': 'another page' },
    before: { '/library/shared-worker.js': before },
    onRequest: (path) => requests.push(path) > 0,
  });
const loads = () => requests.filter((path) => path.endsWith('model.safetensors')).length;

let browser: Browser;
let context: BrowserContext;
beforeAll(async () => {
  const ignoreDefaultArgs = ['--disable-back-forward-cache'];
  browser = await chromium.launch({ executablePath: inject('chromiumPath'), args: FLAGS, ignoreDefaultArgs });
});
afterAll(() => browser?.close());
beforeEach(async () => {
  requests = [];
  context = await browser.newContext();
});
afterEach(() => context.close());

async function openTab(url: string): Promise<Page> {
  const page = await context.newPage();
  page.setDefaultTimeout(120_000);
  await page.goto(url);
  await page.waitForFunction(() => 'shared' in window);
  return page;
}

/** Loads the model in a tab, and says who has it. */
const load = (page: Page, options: LoadOptions = {}) =>
  page.evaluate(
    async (options) => {
      const quick = { autotune: false, selfCheck: false, cache: 'none' } as const;
      const model = await shared.loadModel('/models/nano-embed', { ...quick, ...options });
      Object.assign(globalThis, { model });
      return model.sharedBy;
    },
    options as Omit<LoadOptions, 'gpu' | 'adapter' | 'adapters'>,
  );

/** The least cosine of a tab's embeddings with those of the published implementation. */
async function agreement(page: Page): Promise<number> {
  const { data, dim } = await page.evaluate(async (texts) => {
    const { data, dim } = await model.embed(texts, { normalize: false });
    return { data: [...data], dim };
  }, nanoTexts());
  return minCosine(Float32Array.from(data), readGolden('nano-embed').floats('mean_pooled').data, dim);
}

const dispose = (page: Page) => page.evaluate(() => model.dispose());
const watched = (page: Page) =>
  page.evaluate(
    () =>
      new Promise<number>((resolve) => {
        const watch = new BroadcastChannel('watch');
        watch.onmessage = ({ data }) => resolve(data);
        watch.postMessage('bytes');
      }),
  );
const crashWorker = (page: Page) => page.evaluate(() => new BroadcastChannel('watch').postMessage('crash'));

async function sharedWorkers() {
  const devtools = await browser.newBrowserCDPSession();
  const { targetInfos } = await devtools.send('Target.getTargets', { filter: [{ type: 'shared_worker' }] });
  await devtools.detach();
  return targetInfos;
}

describe('a shared worker with WebGPU', () => {
  const originOf = serve(WATCH);

  it('has one model for three tabs, which call it at the same time', async () => {
    const tabs = [await openTab(originOf()), await openTab(originOf()), await openTab(originOf())];
    expect(await Promise.all(tabs.map((tab) => load(tab)))).toEqual(['worker', 'worker', 'worker']);
    expect(loads()).toBe(1);
    for (const cosine of await Promise.all(tabs.map(agreement))) expect(cosine).toBeGreaterThan(0.999);
    expect(tabs.flatMap((tab) => tab.workers())).toEqual([]);
    const workers = await sharedWorkers();
    expect(workers).toHaveLength(1);
    expect(workers[0].title).toMatch(/^modernbert-webgpu [\da-f]{16}$/); // the build's version
  });

  it('keeps the model while one tab has it, and frees it with the last', async () => {
    const [first, second, third] = [await openTab(originOf()), await openTab(originOf()), await openTab(originOf())];
    await Promise.all([first, second].map((tab) => load(tab)));
    await agreement(second);
    const { weights, activations } = await second.evaluate(() => model.memory());
    const bytes = await watched(third);
    expect(bytes).toBeGreaterThanOrEqual(weights + activations);
    expect(bytes).toBeLessThan(1.1 * (weights + activations) + 100_000);

    await dispose(first);
    expect(await first.evaluate(() => model.memory().weights)).toBe(0);
    expect(await agreement(second)).toBeGreaterThan(0.999);
    expect(await watched(third)).toBeGreaterThanOrEqual(weights);
    await dispose(second);
    expect(await watched(third)).toBe(0);
    expect(await second.evaluate(() => model.memory())).toMatchObject({ weights: 0, activations: 0 });
    await load(first);
    expect(loads()).toBe(2);
  });

  it('notices that tabs are closed', async () => {
    const [first, second, third] = [await openTab(originOf()), await openTab(originOf()), await openTab(originOf())];
    await load(third, { dtype: 'q8' });
    const bytes = await watched(third);
    await load(first);
    await load(second);
    await first.close();
    expect(await agreement(second)).toBeGreaterThan(0.999);
    expect(loads()).toBe(2);
    expect(await watched(third)).toBeGreaterThan(2 * bytes);
    await second.close();
    await expect.poll(() => watched(third), { timeout: 10_000 }).toBe(bytes);
  });

  it('loads another model for other options', async () => {
    const [first, second] = [await openTab(originOf()), await openTab(originOf())];
    await load(first);
    await load(second, { dtype: 'q8' });
    expect(loads()).toBe(2);
    expect(await second.evaluate(() => model.info.dtype)).toBe('q8');
    expect(await agreement(first)).toBeGreaterThan(0.999);
    expect(await agreement(second)).toBeGreaterThan(0.99);
    expect(await sharedWorkers()).toHaveLength(1);
  });

  it('tells both tabs the progress, and an abort of one is not one of the other', async () => {
    const [first, second] = [await openTab(originOf()), await openTab(originOf())];
    const start = (page: Page, aborts: boolean) =>
      page.evaluate(async (aborts) => {
        const controller = new AbortController();
        const files = new Set<string>();
        const options = { autotune: false, selfCheck: false, cache: 'none', signal: controller.signal } as const;
        const onProgress = ({ file }: { file: string }) => {
          files.add(file);
          if (aborts && file === 'model.safetensors') controller.abort(new Error('not wanted'));
        };
        const loading = shared.loadModel('/models/nano-embed', { ...options, onProgress });
        const result = await loading.then(
          (model) => Object.assign(globalThis, { model }) && 'loaded',
          ({ message }: Error) => message,
        );
        return { result, files: [...files] };
      }, aborts);
    const [one, other] = await Promise.all([start(first, true), start(second, false)]);
    expect([one.result, other.result]).toEqual(['not wanted', 'loaded']);
    for (const { files } of [one, other]) expect(files).toContain('model.safetensors');
    expect(loads()).toBe(1);
    expect(await agreement(second)).toBeGreaterThan(0.999);
  });

  it('stores the model on the device', async () => {
    const tab = await openTab(originOf());
    await load(tab, { cache: 'always' });
    expect(await tab.evaluate(() => model.info.cache.state)).toBe('stored');
    await dispose(tab);
    await load(tab, { cache: 'always' });
    expect(await tab.evaluate(() => model.info.cache.state)).toBe('hit');
    expect(loads()).toBe(1);
    expect(await agreement(tab)).toBeGreaterThan(0.999);
  });

  it('is there for a page that comes back from the back/forward cache', async () => {
    const tab = await openTab(originOf());
    await load(tab);
    await tab.goto(`${originOf()}/elsewhere`);
    await tab.evaluate(() => void setTimeout(() => history.back(), 1000)); // longer than a closed tab goes unnoticed
    await tab.waitForFunction(() => 'model' in window);
    expect(await agreement(tab)).toBeGreaterThan(0.999);
    expect(loads()).toBe(1);
  });

  it('gives all tabs another model after an error that nobody caught', async () => {
    const [first, second] = [await openTab(originOf()), await openTab(originOf())];
    await load(first);
    await load(second);
    await crashWorker(first);
    for (const cosine of await Promise.all([first, second].map(agreement))) expect(cosine).toBeGreaterThan(0.999);
    expect(loads()).toBe(2);
    await dispose(first);
    await dispose(second);
    expect(await watched(first)).toBe(0);
  });

  it('is started again if its process dies with the tab that started it', async () => {
    const [first, second] = [await openTab(originOf()), await openTab(originOf())];
    await load(first);
    await load(second);
    const [{ targetId }] = await sharedWorkers();
    await first.goto('chrome://crash').catch(() => {});
    await expect.poll(async () => (await sharedWorkers()).some((worker) => worker.targetId === targetId)).toBe(false);
    expect(await agreement(second)).toBeGreaterThan(0.999);
    expect(loads()).toBe(2);
  });
});

describe('a shared worker without WebGPU', () => {
  const originOf = serve(NO_GPU + WATCH);

  it('has one tab compute for the others, and when that is closed another', async () => {
    const [first, second, third] = [await openTab(originOf()), await openTab(originOf()), await openTab(originOf())];
    expect(await load(first)).toBe('leader');
    expect([await load(second), await load(third)]).toEqual(['follower', 'follower']);
    expect(loads()).toBe(1);
    const tabs = [first, second, third];
    expect(tabs.map((tab) => tab.workers().length)).toEqual([1, 0, 0]);
    for (const cosine of await Promise.all(tabs.map(agreement))) expect(cosine).toBeGreaterThan(0.999);

    const underWay = [second, third].map(agreement);
    await first.close();
    for (const cosine of await Promise.all(underWay)) expect(cosine).toBeGreaterThan(0.999);
    expect(loads()).toBe(2);
    const by = [second, third].map((tab) => tab.evaluate(() => model.sharedBy));
    expect((await Promise.all(by)).sort()).toEqual(['follower', 'leader']);
    expect([second, third].flatMap((tab) => tab.workers())).toHaveLength(1);
  });

  it('goes on after a crash of the worker that computes', async () => {
    const [first, second] = [await openTab(originOf()), await openTab(originOf())];
    await load(first);
    await load(second);
    const closed = first.workers()[0].waitForEvent('close');
    await first.workers()[0].evaluate(() => {
      setTimeout(() => {
        throw new Error('a crash on purpose');
      });
    });
    await closed;
    for (const cosine of await Promise.all([first, second].map(agreement))) expect(cosine).toBeGreaterThan(0.999);
    expect(loads()).toBe(2);
  });
});

describe('in Firefox', () => {
  const originOf = serve(WATCH);
  const open = useFirefox(/a crash on purpose/);

  it('a shared worker has one model for two tabs, and another after a crash', async () => {
    const tabs = [await open(originOf()), await open(originOf())];
    const use = (how: 'load' | 'embed') =>
      Promise.all(
        tabs.map(async (tab) => {
          await tab.waitForFunction(() => 'shared' in window);
          const { by, data, dim } = await tab.evaluate(
            async (texts, how) => {
              const quick = { autotune: false, selfCheck: false, cache: 'none' } as const;
              if (how === 'load')
                Object.assign(globalThis, { model: await shared.loadModel('/models/nano-embed', quick) });
              const { data, dim } = await model.embed(texts, { normalize: false });
              return { by: model.sharedBy, data: [...data], dim };
            },
            nanoTexts(),
            how,
          );
          const expected = readGolden('nano-embed').floats('mean_pooled').data;
          return { by, agree: minCosine(Float32Array.from(data), expected, dim) > 0.999 };
        }),
      );
    const both = [
      { by: 'worker', agree: true },
      { by: 'worker', agree: true },
    ];
    expect(await use('load')).toEqual(both);
    expect(loads()).toBe(1);
    await tabs[0].evaluate(() => new BroadcastChannel('watch').postMessage('crash'));
    expect(await use('embed')).toEqual(both);
    await expect.poll(loads).toBe(2);
  });
});

describe('a page without SharedWorker', () => {
  const originOf = serve('');

  it('has a model of its own', async () => {
    await context.addInitScript(() => Reflect.deleteProperty(globalThis, 'SharedWorker'));
    const [first, second] = [await openTab(originOf()), await openTab(originOf())];
    expect([await load(first), await load(second)]).toEqual([undefined, undefined]);
    expect([first, second].map((tab) => tab.workers().length)).toEqual([1, 1]);
    for (const cosine of await Promise.all([first, second].map(agreement))) expect(cosine).toBeGreaterThan(0.999);
    expect(loads()).toBe(2);
  });

  it('refuses what cannot be shared', async () => {
    const tab = await openTab(originOf());
    const refusals = await tab.evaluate(() =>
      Promise.all(
        [
          shared.loadModel({ 'config.json': new Blob() } as never),
          shared.loadModel('/models/nano-embed', { adapter: new Map() as never }),
          shared.loadModel('/models/nano-embed', { adapters: {} } as never),
          shared.loadModel('/models/nano-embed', { worker: true } as never),
        ].map((loading) => loading.catch(({ name, message }: Error) => `${name}: ${message}`)),
      ),
    );
    expect(refusals).toEqual([
      expect.stringMatching(/^TypeError: The source of a shared model must be a Hub id or a URL/),
      expect.stringMatching(/^TypeError: adapter of a shared model must be a Hub id or a URL/),
      expect.stringMatching(/^TypeError: .* has no option 'adapters'/),
      expect.stringMatching(/^TypeError: .* has no option 'worker'/),
    ]);
  });
});
