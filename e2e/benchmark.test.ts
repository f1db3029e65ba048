import { readFile } from 'node:fs/promises';
import { expect, it } from 'vitest';
import { textOf, useDemo, waitForText } from './demo-page';

const open = useDemo();
const openBenchmark = () => open({ path: '#benchmark' });

it('measures nano, shows what it found and saves it', async () => {
  const page = await openBenchmark();
  await waitForText(page, '#adapter', /swiftshader.*timestamp-query/i);
  expect(await page.isChecked('#bars')).toBe(false); // minutes on a processor
  await page.fill('#tokens', '128');
  await page.fill('#repeats', '1');
  await page.click('#run');
  expect(await textOf(page, '#run')).toBe('Stop');
  await page.locator('#benchmark .status').filter({ hasText: 'Done.' }).waitFor({ timeout: 280_000 });

  const rows = (caption: string) =>
    page.locator('table', { hasText: caption }).first().locator('tbody tr').allInnerTexts();
  const sets = await rows('Sets of documents');
  // Every set is cut to 128 tokens, so that the four are two; SwiftShader has no shader-f16.
  expect(sets.map((row) => row.split('\t').slice(0, 5))).toEqual([
    ['nano', 'f32', 'fixed-128', '1', '128'],
    ['nano', 'f32', 'variable-128', expect.any(String), '128'],
    ['nano', 'f16-storage', 'fixed-128', '1', '128'],
    ['nano', 'f16-storage', 'variable-128', expect.any(String), '128'],
  ]);
  expect(await rows('One search query')).toHaveLength(4); // of 16 and of 128 tokens
  expect(await rows("The project's bars")).toContainEqual(
    expect.stringMatching(/^dispatches a pass of 7 layers.*\bmet\b/),
  );
  expect(await page.locator('.bars').count()).toBe(4);
  expect(await page.locator('#results img').evaluate((img: HTMLImageElement) => img.naturalWidth)).toBeGreaterThan(400);

  const [download] = await Promise.all([page.waitForEvent('download'), page.click('#save')]);
  const report = JSON.parse(await readFile(await download.path(), 'utf8'));
  expect(report).toMatchObject({ adapter: expect.stringMatching(/swiftshader/i), toggles: [] });
  expect(report.commit).toMatch(/^[0-9a-f]{12}(-dirty)?$|^unknown/);
  expect(report.sets[0]).toMatchObject({ model: 'nano', name: 'fixed-128', tokens: 128, layers: 7 });
  expect(report.sets[0].kernels.map(({ label }: { label: string }) => label)).toContain('Wqkv');
  expect(report.peaks.fma_gflops).toBeGreaterThan(0);

  for (const width of [360, 1280]) {
    await page.setViewportSize({ width, height: 900 });
    expect(await page.evaluate(() => document.documentElement.scrollWidth - innerWidth)).toBe(0);
    for (const colorScheme of ['light', 'dark'] as const) {
      await page.emulateMedia({ colorScheme });
      await page.screenshot({ path: `test-results/benchmark-${width}-${colorScheme}.png`, fullPage: true });
    }
  }
});

it('stops when asked to, and says what is missing', async () => {
  const page = await openBenchmark();
  await page.click('#run');
  await page.click('#run');
  expect(await textOf(page, '#benchmark .status')).toBe('Stopped.');
  expect(page.workers()).toEqual([]);
  await page.uncheck('#nano');
  await page.click('#run');
  expect(await textOf(page, '#benchmark .error')).toBe('Choose a model to measure.');
  expect(await page.isDisabled('#save')).toBe(true);
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

it('adds nothing to the first page', async () => {
  const fetched: string[] = [];
  const page = await open({
    prepare: async (page) => {
      page.on('request', (request) => fetched.push(new URL(request.url()).pathname));
    },
  });
  await waitForText(page, '#fill-mask .model-state', 'ready');
  const assets = fetched.filter((path) => path.includes('/assets/')).map((path) => path.replace(/-[\w-]{8}\./, '.'));
  expect(assets.sort()).toEqual(['/assets/index.css', '/assets/index.js', '/assets/worker.js']);
  await page.click('#tab-benchmark');
  await page.waitForSelector('#benchmark #run');
});
