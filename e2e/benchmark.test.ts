import { mkdir, writeFile } from 'node:fs/promises';
import type { Page } from 'playwright';
import { expect, it } from 'vitest';
import type { PeerReport } from '../bench/peer/results';
import { download, exported, textOf, useDemo, waitForText } from './demo-page';
import { expectAccessible, takePictures } from './pictures';

const open = useDemo();
/** With the shortest measurement: SwiftShader takes a second for a page. */
const openBenchmark = () => open({ path: '#benchmark?seconds=1' });

async function openDetails(): Promise<Page> {
  const page = await openBenchmark();
  await page.click('#details > summary');
  await page.waitForSelector('#run:enabled');
  return page;
}

const reportOf = async (page: Page) => JSON.parse((await exported(page, '#benchmark', 'JSON')).bytes.toString());

/** The milliseconds that a time in words says, and how far it is rounded. */
function msOf(text: string): { ms: number; rounding: number } {
  const [, digits, unit] = /([\d.]+) (ms|s|minutes|hours)\.$/.exec(text) ?? [];
  const factor = { ms: 1, s: 1000, minutes: 60_000, hours: 3_600_000 }[unit]!;
  const decimals = digits.split('.')[1]?.length ?? 0;
  return { ms: Number(digits) * factor, rounding: (factor * 10 ** -decimals) / 2 };
}

/** Records what a part's progress says from now on. Gives what reads it. */
async function recordProgress(page: Page, part: string): Promise<() => Promise<string[]>> {
  await page.locator(`${part} .progress .count`).evaluate((place) => {
    const said: string[] = [];
    Object.assign(window, { said });
    new MutationObserver(() => said.push(place.textContent ?? '')).observe(place, { childList: true });
  });
  return () => page.evaluate(() => (window as unknown as { said: string[] }).said);
}

/** The numbers in the last of some steps that begins so: how many of how many. */
const lastOf = (steps: string[], what: string): number[] =>
  (steps.findLast((step) => step.startsWith(what)) ?? '')
    .slice(what.length)
    .split(' of ')
    .map((part) => Number.parseInt(part.replaceAll(',', ''), 10));

const SAVE_JSON = 'button:text("Save as JSON")';
const SAVE_IMAGE = 'button:text("Save as image")';

/** Width and height of a PNG file, from its header. */
function pngSize(file: Buffer): [width: number, height: number] {
  expect(file.subarray(1, 4).toString()).toBe('PNG');
  return [file.readUInt32BE(16), file.readUInt32BE(20)];
}

it('says in a sentence how fast this device is, beside others, and gives it away as a picture, as text and as JSON', async () => {
  const page = await openBenchmark();
  await page.context().grantPermissions(['clipboard-read', 'clipboard-write']);
  await waitForText(page, '#adapter', /No GPU: .*swiftshader/i);
  await waitForText(page, '#headline', 'Your processor embeds 1,000 pages in …');
  expect(await page.isDisabled('#save-card')).toBe(true);
  const heightOf = () => page.locator('#measure').evaluate((part) => part.getBoundingClientRect().height);
  const before = await heightOf();
  await page.click('#measure-run');
  await page.waitForSelector('.is-measured');
  expect(await heightOf()).toBe(before); // nothing moves

  const { measured, ran, commit, version } = await reportOf(page);
  expect(ran).toMatchObject({ model: 'nano-embed', arithmetic: 'f32', isSoftware: true });
  expect(commit).toMatch(/^[0-9a-f]{12}(-dirty)?$|^unknown/);
  expect(version).toMatch(/^\d+\.\d+\.\d+/);
  expect(measured.page).toEqual({ tokens: 512, words: 420 });
  const headline = await textOf(page, '#headline');
  const [query, document] = await page.locator('.facts li').allInnerTexts();
  const said = msOf(headline);
  expect(Math.abs(said.ms - measured.text.ms_per_1000_pages)).toBeLessThanOrEqual(said.rounding);
  expect(measured.text.ms_per_1000_pages).toBeCloseTo((1000 / measured.text.pages) * measured.text.median_ms);
  const ofQuery = msOf(query);
  expect(Math.abs(ofQuery.ms - measured.query.median_ms)).toBeLessThanOrEqual(ofQuery.rounding);
  expect(measured.document).toBeUndefined();
  expect(document).toMatch(/left out: this device is too slow for it in a measurement of 1 second\.$/);

  const rows = await page.locator('.reference-bars li:not(.axis)').allInnerTexts();
  const rates = rows.map((row) => Number(/([\d.,]+) pages\/s/.exec(row)?.[1].replace(',', '')));
  expect(rates).toEqual([...rates].sort((a, b) => b - a));
  const own = rates[rows.findIndex((row) => row.includes('This device'))];
  expect(own).toBeCloseTo(measured.ids.tokens_per_s / 512, own < 1 ? 2 : 1);
  await page.click('.how summary');
  expect(await textOf(page, '.how-text')).toMatch(/it was not measured.*bench\/results\/h100-pack-stock\.json/s);

  const { name, bytes } = await download(page, '#save-card');
  expect(name).toMatch(/^benchmark-20[\dT-]+\.png$/);
  expect(pngSize(bytes)).toEqual([1200, 630]);
  await mkdir('test-results', { recursive: true });
  await writeFile('test-results/benchmark-card.png', bytes);
  await page.click('#copy-text');
  await waitForText(page, '#measure .share [role=status]', 'Copied.');
  const text = await page.evaluate(() => navigator.clipboard.readText());
  expect(text.split('\n')[0]).toBe(headline.replace('Your', 'This'));
  expect(text).toMatch(/swiftshader \(no GPU\), Chrome\/[\d.]+, modernbert-webgpu /i);
  await page.locator('.take-away').getByRole('button', { name: 'Code' }).click();
  await waitForText(page, '.take-away', /await model\.embed\(pages\).*npm run bench -- --adapter system/s);

  // A measurement that is stopped changes nothing.
  await page.click('#measure-run');
  await page.waitForSelector('#measure .progress:visible');
  await page.click('#measure-run');
  await waitForText(page, '#measure .status', 'Stopped.');
  await expect.poll(() => page.workers(), { timeout: 20_000 }).toEqual([]); // after the kernel that it compiles
  expect(await textOf(page, '#headline')).toBe(headline);
  expect((await reportOf(page)).measured).toEqual(measured);

  await takePictures(page, 'benchmark-sentence', '#benchmark');
  await page.setViewportSize({ width: 320, height: 700 });
  expect(await page.evaluate(() => window.document.documentElement.scrollWidth - innerWidth)).toBe(0);
  expect(await page.locator('#benchmark').evaluate((panel) => panel.scrollWidth - panel.clientWidth)).toBe(0);
});

it('refuses a measurement of no time in words', async () => {
  const page = await open({ path: '#benchmark?seconds=0' });
  await page.waitForSelector('#measure-run:enabled');
  await page.click('#measure-run');
  await waitForText(
    page,
    '#measure .error',
    'The seconds of the measurement are “0”: give a whole number from 1 to 300.',
  );
  await expectAccessible(page, '#benchmark');
});

it('measures nano, shows the results and saves them', async () => {
  const page = await openDetails();
  await waitForText(page, '#limits', /timestamp-query/);
  expect(await page.isChecked('#bars')).toBe(false); // takes minutes on a CPU
  await page.fill('#tokens', '128');
  await page.fill('#repeats', '1');
  const said = await recordProgress(page, '#suite');
  await page.click('#run');
  expect(await textOf(page, '#run')).toBe('Stop');
  await waitForText(page, '#suite .run-lines', /nano f32 fixed-32: [\d.]+ ms, [\d.]+ GFLOP\/s/); // while it goes on
  expect(await page.isVisible('#suite .progress')).toBe(true);
  await page.locator('#suite .status').filter({ hasText: 'Done.' }).waitFor({ timeout: 280_000 });

  const steps = await said();
  expect(steps.some((step) => /, [\d,]+ s left$/.test(step))).toBe(true);
  for (const part of ['nano f32, 1 of 2', 'nano f16-storage, 2 of 2']) {
    const [done, total] = lastOf(steps, `Measuring ${part}: `);
    expect(total).toBeGreaterThan(128 * 3 * 3); // three sets and their queries, several times
    expect(done).toBe(total);
  }
  expect(await page.isVisible('#suite .run-lines')).toBe(false); // the tables say it

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
  expect(await page.locator('#results .bars').count()).toBe(2);
  expect(await page.locator('#results .chart circle').count()).toBe(4); // two lengths of two tiers
  expect(await page.locator('#results img').evaluate((img: HTMLImageElement) => img.naturalWidth)).toBeGreaterThan(400);

  const report = JSON.parse((await download(page, `#suite ${SAVE_JSON}`)).bytes.toString());
  expect(report).toMatchObject({ adapter: expect.stringMatching(/swiftshader/i), toggles: [] });
  expect(report.commit).toMatch(/^[0-9a-f]{12}(-dirty)?$|^unknown/);
  expect(report.sets[0]).toMatchObject({ model: 'nano', name: 'fixed-32', tokens: 128, layers: 7 });
  expect(report.sets[0].kernels.map(({ label }: { label: string }) => label)).toContain('Wqkv');
  expect(report.peaks.fma_gflops).toBeGreaterThan(0);
  const { bytes: picture } = await download(page, `#suite ${SAVE_IMAGE}`);
  expect(pngSize(picture)[0]).toBeGreaterThan(1200);
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
  await page.waitForSelector('#race-run:enabled');
  expect(await textOf(page, '#race .race-bytes')).toMatch(/^2\d\.\d MB$/);
  await page.getByText('What is compared').click();
  await page.fill('#race-text', 'Why do leaves turn red?\nA ferry.');
  await page.fill('#race-rounds', '2');
  expect(ofPeer()).toEqual([]);
  expect(await page.locator('#race .bar.empty').count()).toBe(3);
  await page.click('#race-run');
  await page
    .locator('#race .status')
    .filter({ hasText: /Done: 2 texts, 15 tokens, [12] rounds?\./ })
    .waitFor();
  expect(ofPeer()).toContainEqual(expect.stringMatching(/ort-wasm-.*\.wasm$/));

  const { race, measured } = await reportOf(page);
  expect(measured).toBeUndefined();
  const { results, peer }: PeerReport = race;
  expect(peer).toMatch(/^transformers\.js 4\..*onnxruntime-web 1\./);
  expect(results.map(({ contender, failure }) => [contender, failure])).toEqual(
    ['modernbert-webgpu', 'transformers.js webgpu', 'transformers.js wasm'].map((name) => [name, undefined]),
  );
  for (const { cosine = 1 } of results) expect(cosine).toBeGreaterThan(0.99999);
  expect(await page.locator('#race .bar').count()).toBe(3);
  expect(await page.locator('#race .bar.empty').count()).toBe(0);
  const [own, webgpu] = results;
  const rows = await page.locator('#race .bars li').allInnerTexts();
  for (const [i, { tokens_per_s }] of results.entries()) {
    const said = Number(/([\d.,]+) tokens\/s/.exec(rows[i])?.[1].replace(',', ''));
    expect(Math.abs(said - tokens_per_s!)).toBeLessThanOrEqual(said < 10 ? 0.05 : 0.5);
  }
  const verdict = await page.locator('.verdicts p').first().innerText();
  const factor = Number(/^([\d.,]+) times as fast as ONNX Runtime Web on WebGPU/.exec(verdict)?.[1]);
  expect(Math.abs(factor - webgpu.median_ms! / own.median_ms!)).toBeLessThanOrEqual(factor < 10 ? 0.05 : 0.5);
  expect(verdict).toMatch(/same vectors to cosine 0\.99999\.$/);
  expect(await page.locator('.race-table tbody tr').count()).toBe(3);
  const { bytes: picture } = await download(page, '#save-card');
  expect(pngSize(picture)).toEqual([1200, 630]);
  await writeFile('test-results/race-card.png', picture);
  await page.waitForTimeout(400); // until the state is written
  expect(page.url()).not.toContain('leaves'); // what one wrote is nobody's business

  await page.fill('#race-text', ' ');
  await page.click('#race-run');
  await waitForText(page, '#race .error', 'Write a text to embed');
  expect(await page.locator('.verdicts p').first().innerText()).toBe(verdict);
  await takePictures(page, 'race', '#benchmark');
  expect(await page.locator('#benchmark').evaluate((panel) => panel.scrollWidth - panel.clientWidth)).toBe(0);
});

it('compares other architectures with ModernBERT of their size', async () => {
  const page = await openDetails();
  await page.selectOption('#compare-size', 'small');
  await page.fill('#compare-tokens', '64');
  await page.fill('#compare-layers', '1');
  const said = await recordProgress(page, '#compare');
  await page.click('#compare-run');
  await page
    .locator('#compare .status')
    .filter({ hasText: 'Done. 1 layer of each model ran' })
    .waitFor({ timeout: 120_000 });
  const steps = await said();
  expect(lastOf(steps, 'Making random weights: ')).toEqual([1, 2]); // of the second
  const [done, total] = lastOf(steps, 'Measuring: ');
  expect(total).toBe(2 * 2 * 64 * 4); // two models, two sets, one run before three that count
  expect(done).toBe(total);

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

it('can be stopped under Details too, and says what is missing', async () => {
  const page = await openDetails();
  await page.click('#run');
  await waitForText(page, '#suite .run-lines', 'FMA peak');
  await waitForText(page, '#suite .progress .count', /^Measuring nano f32, 1 of 2: [\d,]+ of [\d,]+ tokens/);
  await takePictures(page, 'benchmark-running', '#suite');
  await page.click('#run');
  await waitForText(page, '#suite .status', 'Stopped.');
  expect(await textOf(page, '#suite .run-lines')).toContain('FMA peak'); // what was measured
  await expect.poll(() => page.workers(), { timeout: 20_000 }).toEqual([]); // after the kernel that runs
  await page.uncheck('#nano');
  await page.click('#run');
  await waitForText(page, '#suite .error', 'Choose a model to measure.');
  expect(await page.locator('#suite').getByRole('button', { name: 'Save as' }).first().isDisabled()).toBe(true);
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
  expect(await page.isDisabled('#measure-run')).toBe(true);
  expect(await page.isDisabled('#race-run')).toBe(true);
  await page.click('#details > summary');
  await waitForText(page, '#limits', 'no GPU');
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
  const own = ['/assets/index.css', '/assets/index.js', '/assets/worker.js'];
  expect(assets.sort()).toEqual([...parts, ...own].sort());
  await page.click('#tab-benchmark');
  await page.waitForSelector('#benchmark #measure-run');
  expect(fetched.filter((path) => /charts|plot|ort-/.test(path))).toEqual([]); // before somebody wants them
});
