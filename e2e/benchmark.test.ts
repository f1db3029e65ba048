import { mkdir, writeFile } from 'node:fs/promises';
import { expect, it } from 'vitest';
import type { PeerReport } from '../bench/peer/results';
import { download, textOf, useDemo, waitForText } from './demo-page';
import { takePictures } from './pictures';

const open = useDemo();
const openBenchmark = () => open({ path: '#benchmark' });

const SAVE_JSON = 'button:text("Save as JSON")';
const SAVE_IMAGE = 'button:text("Save as image")';

/** Width of a PNG file, from its header. */
function pngWidth(file: Buffer): number {
  expect(file.subarray(1, 4).toString()).toBe('PNG');
  return file.readUInt32BE(16);
}

it('measures nano, shows the results and saves them', async () => {
  const page = await openBenchmark();
  await waitForText(page, '#adapter', /swiftshader.*timestamp-query/i);
  expect(await page.isChecked('#bars')).toBe(false); // takes minutes on a CPU
  await page.fill('#tokens', '128');
  await page.fill('#repeats', '1');
  await page.click('#run');
  expect(await textOf(page, '#run')).toBe('Stop');
  await page.locator('#measure .status').filter({ hasText: 'Done.' }).waitFor({ timeout: 280_000 });

  const rows = (caption: string) =>
    page.locator('table', { hasText: caption }).first().locator('tbody tr').allInnerTexts();
  const sets = await rows('Sets of documents');
  // Cut to 128 tokens, the seven sets are three. SwiftShader has no shader-f16.
  expect(sets.map((row) => row.split('\t').slice(0, 5))).toEqual(
    ['f32', 'f16-storage'].flatMap((tier) => [
      ['nano', tier, 'fixed-32', '4', '128'],
      ['nano', tier, 'fixed-128', '1', '128'],
      ['nano', tier, 'variable-128', expect.any(String), '128'],
    ]),
  );
  expect(await rows('One search query')).toHaveLength(4); // of 16 and of 128 tokens
  expect(await rows("The project's bars")).toContainEqual(
    expect.stringMatching(/^dispatches per pass of 7 layers.*\bmet\b/),
  );
  expect(await page.locator('.bars').count()).toBe(2);
  expect(await page.locator('#results .chart circle').count()).toBe(4); // two lengths of two tiers
  expect(await page.locator('#results img').evaluate((img: HTMLImageElement) => img.naturalWidth)).toBeGreaterThan(400);

  const report = JSON.parse((await download(page, `#measure ${SAVE_JSON}`)).bytes.toString());
  expect(report).toMatchObject({ adapter: expect.stringMatching(/swiftshader/i), toggles: [] });
  expect(report.commit).toMatch(/^[0-9a-f]{12}(-dirty)?$|^unknown/);
  expect(report.sets[0]).toMatchObject({ model: 'nano', name: 'fixed-32', tokens: 128, layers: 7 });
  expect(report.sets[0].kernels.map(({ label }: { label: string }) => label)).toContain('Wqkv');
  expect(report.peaks.fma_gflops).toBeGreaterThan(0);
  const { bytes: picture } = await download(page, `#measure ${SAVE_IMAGE}`);
  expect(pngWidth(picture)).toBeGreaterThan(1200);
  await mkdir('test-results', { recursive: true });
  await writeFile('test-results/benchmark-shared.png', picture);
  await takePictures(page, 'benchmark', '#benchmark');
});

it('races with transformers.js, whose files are loaded only then', async () => {
  const fetched: string[] = [];
  const page = await open({
    path: '#benchmark',
    prepare: async (page) => {
      page.on('request', (request) => fetched.push(new URL(request.url()).pathname));
    },
  });
  const ofPeer = () => fetched.filter((path) => /ort-|peer-worker|onnx/.test(path));
  await page.fill('#race-text', 'Why do leaves turn red?\nA ferry.');
  await page.fill('#race-rounds', '2');
  expect(await textOf(page, '#race .race-bytes')).toMatch(/^2\d\.\d MB$/);
  expect(ofPeer()).toEqual([]);
  await page.click('#race-run');
  await page.locator('#race .status').filter({ hasText: 'Done: 2 texts, 15 tokens, 2 rounds.' }).waitFor();
  expect(ofPeer()).toContainEqual(expect.stringMatching(/ort-wasm-.*\.wasm$/));

  const { results, peer }: PeerReport = JSON.parse((await download(page, `#race ${SAVE_JSON}`)).bytes.toString());
  expect(peer).toMatch(/^transformers\.js 4\..*onnxruntime-web 1\./);
  expect(results.map(({ contender, runs_ms, failure }) => [contender, runs_ms.length, failure])).toEqual(
    ['modernbert-webgpu', 'transformers.js webgpu', 'transformers.js wasm'].map((name) => [name, 2, undefined]),
  );
  // The library computes in f16 if the device supports it, else in f32.
  for (const { cosine = 1 } of results) expect(cosine).toBeGreaterThan(0.999);
  expect(await page.locator('#race .chart rect').count()).toBe(3);
  const { bytes: picture } = await download(page, `#race ${SAVE_IMAGE}`);
  expect(pngWidth(picture)).toBeGreaterThan(1200);
  await writeFile('test-results/race-shared.png', picture);
  await takePictures(page, 'race', '#benchmark');
});

it('compares other architectures with ModernBERT of their size', async () => {
  const page = await openBenchmark();
  await page.selectOption('#compare-size', 'small');
  await page.fill('#compare-tokens', '64');
  await page.fill('#compare-layers', '1');
  await page.click('#compare-run');
  await page
    .locator('#compare .status')
    .filter({ hasText: 'Done. 1 layer of each model ran' })
    .waitFor({ timeout: 120_000 });
  const rows = await page.locator('#compare tbody tr').allInnerTexts();
  expect(rows.map((row) => row.split('\t').slice(0, 2))).toEqual(
    ['ModernBERT-32m', 'MiniLM-L6'].flatMap((name) => ['fixed-64', 'variable-64'].map((set) => [name, set])),
  );
  for (const row of rows) expect(row.split('\t')[3]).toMatch(/^\d+\.\d\dx$/);
  expect(await page.locator('#compare img').evaluate((img: HTMLImageElement) => img.naturalWidth)).toBeGreaterThan(400);
  const report = JSON.parse((await download(page, `#compare ${SAVE_JSON}`)).bytes.toString());
  expect(report).toMatchObject({
    layers: 1,
    models: [
      { name: 'ModernBERT-32m', layers: 10 },
      { name: 'MiniLM-L6', layers: 6 },
    ],
  });
  await takePictures(page, 'compare', '#compare');
});

it('can be stopped, and says what is missing', async () => {
  const page = await openBenchmark();
  await page.click('#run');
  await page.click('#run');
  expect(await textOf(page, '#measure .status')).toBe('Stopped.');
  await expect.poll(() => page.workers()).toEqual([]);
  await page.uncheck('#nano');
  await page.click('#run');
  expect(await textOf(page, '#measure .error')).toBe('Choose a model to measure.');
  expect(await page.locator('#measure').getByRole('button', { name: 'Save as' }).first().isDisabled()).toBe(true);
});

it('says that there is no adapter', async () => {
  const page = await open({
    path: '#benchmark',
    prepare: (page) =>
      page.addInitScript(() =>
        Object.defineProperty(navigator, 'gpu', { value: { requestAdapter: async () => null } }),
      ),
  });
  await waitForText(page, '#adapter', 'no WebGPU adapter');
  expect(await page.isDisabled('#run')).toBe(true);
});

it('loads nothing for the first page', async () => {
  const fetched: string[] = [];
  const page = await open({
    prepare: async (page) => {
      page.on('request', (request) => fetched.push(new URL(request.url()).pathname));
    },
  });
  await waitForText(page, '#fill-mask .model-state', 'ready');
  const assets = fetched.filter((path) => path.includes('/assets/')).map((path) => path.replace(/-[\w-]{8}\./, '.'));
  // The worker's parts.
  const parts = ['http', 'first-load', 'modernbert', 'more-calls', 'every-load'].map((part) => `/assets/${part}.js`);
  // What the first page shares with the other tabs, of a few kilobytes.
  const common = ['dom', 'errors', 'numbers', 'options'].map((part) => `/assets/${part}.js`);
  const own = ['/assets/index.css', '/assets/index.js', '/assets/worker.js'];
  expect(assets.sort()).toEqual([...parts, ...common, ...own].sort());
  await page.click('#tab-benchmark');
  await page.waitForSelector('#benchmark #run');
});
