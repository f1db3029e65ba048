/** `isSupported` of the built library, under a strict content security policy, in Chromium. */
import { type Browser, chromium } from 'playwright';
import { afterAll, beforeAll, beforeEach, expect, inject, it } from 'vitest';
import { publicModel } from '../src/model/fixtures/golden';
import { FLAGS } from './demo-page';
import { useLibraryPage } from './library-page';

/** What the page has in `window`. */
declare const library: typeof import('../src/index');

const requests: string[] = [];
const originOf = useLibraryPage({
  fileOf: (path) => path.replace('/models/nano/', `${publicModel('nano')}/`),
  headers: {
    'content-security-policy':
      "default-src 'none'; script-src 'self'; worker-src 'self'; connect-src 'self'; img-src data:",
  },
  texts: {
    '/without.js': 'Reflect.deleteProperty(Object.getPrototypeOf(navigator), "gpu")',
    '/worker-without.js': 'import "/without.js"; import "/library/worker.js";',
  },
  onRequest: (path) => requests.push(path) > 0,
});

/** A name for this machine that is not localhost's, so that its pages are no secure contexts. */
const PLAIN = 'plain.example';
let browser: Browser;
beforeAll(async () => {
  const args = [...FLAGS, `--host-resolver-rules=MAP ${PLAIN} 127.0.0.1`];
  browser = await chromium.launch({ executablePath: inject('chromiumPath'), args });
});
afterAll(() => browser.close());
beforeEach(() => void requests.splice(0));

async function openPage(origin = originOf()) {
  const page = await browser.newPage();
  await page.goto(origin);
  await page.waitForFunction(() => 'library' in window);
  requests.splice(0);
  return page;
}

it('tells of the adapter, with requests for the library alone', async () => {
  const page = await openPage();
  const { supported, adapter, message } = await page.evaluate(() => library.isSupported());
  expect([supported, adapter?.isSoftware]).toEqual([true, true]);
  expect(message).toContain('models are slow');
  expect(adapter!.maxBufferSize).toBeGreaterThanOrEqual(256 << 20);
  expect(requests.sort()).toEqual([
    '/library/ask-support.js',
    '/library/browser.js',
    '/library/worker-support.js',
    '/library/worker.js',
  ]);
  await expect.poll(() => page.workers()).toEqual([]); // ended
  await page.close();
});

it('says of a model what its load then does', async () => {
  const page = await openPage();
  const { support, info, memory, again } = await page.evaluate(async () => {
    const options = { dtype: 'f16', cache: 'always', selfCheck: false } as const;
    const support = await library.isSupported('/models/nano/', options);
    const model = await library.loadModel('/models/nano/', options);
    const { info } = model;
    const memory = model.memory();
    await model.dispose();
    return { support, info, memory, again: await library.isSupported('/models/nano/', options) };
  });
  const { task, dtype, maxTokens } = info;
  expect(support).toMatchObject({ supported: true, model: { task, dtype, maxTokens, cached: false } });
  expect(support.model!.weightBytes).toBe(memory.weights);
  expect(support.model!.downloadBytes).toBeGreaterThan(16e6);
  expect(again.model).toEqual({ ...support.model, cached: true, downloadBytes: 0 });
  await page.close();
});

it('finds a worker that has no WebGPU where the page has it', async () => {
  const page = await openPage();
  const { supported, reason } = await page.evaluate(() =>
    library.isSupported(undefined, { worker: () => new Worker('/worker-without.js', { type: 'module' }) }),
  );
  expect([supported, reason]).toEqual([false, 'worker-without-webgpu']);
  await page.close();
});

it('says that a page came over http', async () => {
  const page = await openPage(originOf().replace('127.0.0.1', PLAIN));
  const { supported, reason, message } = await page.evaluate(() => library.isSupported());
  expect([supported, reason]).toEqual([false, 'insecure-context']);
  expect(message).toContain(`this one came from http://${PLAIN}`);
  expect(requests.filter((path) => path.includes('worker'))).toEqual([]);
  await page.close();
});
