/** Losses in Chromium: the worker crashes, the GPU process dies, the page is frozen. */
import { join } from 'node:path';
import { type Browser, chromium, type Page } from 'playwright';
import { afterAll, afterEach, beforeAll, beforeEach, expect, inject, it } from 'vitest';
import type { Model } from '../src/api/types';
import { checkpointFolder, maxDifference, readGolden } from '../src/model/fixtures/golden';
import { FLAGS } from './demo-page';
import { useLibraryPage } from './library-page';

const golden = readGolden('tiny-mlm');
const expected = golden.floats('last_hidden_state').data;

declare const library: typeof import('../src/index');
declare const model: Model;

const originOf = useLibraryPage({ fileOf: (path) => join(checkpointFolder('tiny-mlm'), path.replace('/tiny/', '')) });

let browser: Browser;
let page: Page;
beforeAll(async () => {
  browser = await chromium.launch({ executablePath: inject('chromiumPath'), args: FLAGS });
});
afterAll(() => browser?.close());
beforeEach(async () => {
  page = await browser.newPage();
  await page.goto(originOf());
  await page.evaluate(async () => {
    const loaded = await library.loadModel('/tiny', { dtype: 'f32', autotune: false, selfCheck: false });
    Object.assign(globalThis, { model: loaded });
  });
});
afterEach(() => page.close());

/** How far the model's answer is from the golden one. */
async function difference(): Promise<number> {
  const { inputIds, lengths } = golden.batch;
  const numbers = await page.evaluate(
    async (batch) => {
      const ids = { inputIds: Uint32Array.from(batch.inputIds), lengths: Uint32Array.from(batch.lengths) };
      const { last_hidden_state } = await model.forward(ids);
      return Array.from(last_hidden_state!.data);
    },
    { inputIds: [...inputIds], lengths: [...lengths] },
  );
  return maxDifference(Float32Array.from(numbers), expected);
}

it('another worker takes over from one that crashes', async () => {
  expect(await difference()).toBeLessThan(2e-4);
  const [first] = page.workers();
  const closed = first.waitForEvent('close');
  await first.evaluate(() => {
    setTimeout(() => {
      throw new Error('a crash on purpose');
    });
  });
  await closed;
  expect(await difference()).toBeLessThan(2e-4);
  expect(page.workers()).toHaveLength(1);
  expect(page.workers()[0]).not.toBe(first);
});

it('an idle model lets go of its memory, of which the page hears, and comes back with the next call', async () => {
  const seen = await page.evaluate(async () => {
    const options = { dtype: 'f32', autotune: false, selfCheck: false, keepAlive: 50 } as const;
    const idle = await library.loadModel('/tiny', options);
    const batch = { inputIds: Uint32Array.of(5, 6, 7), lengths: Uint32Array.of(3) };
    const first = (await idle.forward(batch)).last_hidden_state!.data;
    while (idle.memory().weights > 0) await new Promise((resolve) => setTimeout(resolve, 5));
    await idle.warm();
    const weights = idle.memory().weights;
    await idle.release();
    const released = idle.memory().weights;
    const again = (await idle.forward(batch)).last_hidden_state!.data;
    await idle.dispose();
    return { weights, released, isSame: first.every((value, i) => value === again[i]) };
  });
  expect(seen).toEqual({ weights: expect.any(Number), released: 0, isSame: true });
  expect(seen.weights).toBeGreaterThan(0);
});

it('the model comes back after the GPU process of the browser has died', async () => {
  expect(await difference()).toBeLessThan(2e-4);
  const other = await browser.newPage();
  await other.goto('chrome://gpucrash').catch(() => {});
  expect(await difference()).toBeLessThan(2e-4);
  await other.close();
});

it('a page that is frozen under a call, and thawed, gets its answer', async () => {
  const devtools = await page.context().newCDPSession(page);
  const answer = difference();
  await devtools.send('Page.setWebLifecycleState', { state: 'frozen' });
  await new Promise((resolve) => setTimeout(resolve, 500));
  await devtools.send('Page.setWebLifecycleState', { state: 'active' });
  expect(await answer).toBeLessThan(2e-4);
  expect(await difference()).toBeLessThan(2e-4);
});
