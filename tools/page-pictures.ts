// npm run pictures: pictures of the built demo's tabs for demo/README.md, on SwiftShader. Build first: npm run build.
import { mkdirSync, writeFileSync } from 'node:fs';
import { chromium, type Page } from 'playwright';
import { preview } from 'vite';
import { findChromium } from './adapters.mjs';

const FOLDER = 'docs/pictures';
const WIDTHS = { 1280: 860, 390: 844 };

interface Picture {
  hash: string;
  /** Brings the tab to what the picture shows. */
  prepare(page: Page): Promise<unknown>;
}

const PICTURES: Record<string, Picture> = {
  'fill-mask': {
    hash: '#fill-mask?text=He+wrote+a+long+[MASK]+to+his+[MASK].',
    prepare: (page) => page.waitForSelector('#mask-results:not(.stale) .candidates .score'),
  },
  embeddings: {
    hash: '#embeddings',
    async prepare(page) {
      await page.click('#compare');
      await page.waitForSelector('#heatmap td');
      await page.waitForSelector('#map canvas');
    },
  },
  search: {
    hash: '#search?q=sleeping+in+one+bed+with+a+cannibal',
    prepare: (page) => page.waitForSelector('#passages .relevance'),
  },
  'search-map': {
    hash: '#search?q=how+to+cook+whale+meat',
    async prepare(page) {
      await page.waitForSelector('#passages .relevance');
      await page.locator('summary', { hasText: 'Map' }).click();
      await page.waitForSelector('#search canvas');
      await page.waitForTimeout(3000); // until the names of the clusters are there
    },
  },
  long: {
    hash: '#long?sample=yes',
    async prepare(page) {
      await page.waitForSelector('#long-result:visible');
      await page.fill('#long-question', 'a painting that nobody can make out');
      await page.waitForSelector('.long-best li');
    },
  },
  classify: {
    hash: '#classify',
    async prepare(page) {
      await page.click('#train');
      await page.waitForSelector('#try-results li');
      await page.locator('#training').scrollIntoViewIfNeeded();
    },
  },
  sort: {
    hash: '#sort',
    async prepare(page) {
      await page.click('#sort-sample');
      await page.waitForSelector('.doc');
      await page.waitForFunction(() => !document.querySelector('#sort .progress:not([hidden])'));
    },
  },
  benchmark: {
    hash: '#benchmark?seconds=3',
    async prepare(page) {
      await page.click('#measure-run');
      await page.waitForSelector('#measure.is-measured');
    },
  },
};

const server = await preview({ mode: 'production', logLevel: 'warn', preview: { port: 0, host: '127.0.0.1' } });
const home = server.resolvedUrls?.local[0];
if (!home) throw new Error('vite preview reported no URL.');
const asked = process.argv.slice(2);
const unknown = asked.find((name) => !PICTURES[name]);
if (unknown) throw new Error(`There is no picture '${unknown}'. There are: ${Object.keys(PICTURES).join(', ')}.`);

mkdirSync(FOLDER, { recursive: true });
const browser = await chromium.launch({
  executablePath: findChromium(),
  args: ['--no-sandbox', '--enable-unsafe-webgpu', '--use-webgpu-adapter=swiftshader'],
});
for (const [name, { hash, prepare }] of Object.entries(PICTURES)) {
  if (asked.length > 0 && !asked.includes(name)) continue;
  const context = await browser.newContext({ viewport: { width: 1280, height: 900 } });
  const page = await context.newPage();
  page.setDefaultTimeout(300_000);
  await page.goto(home + hash);
  await prepare(page);
  for (const [width, height] of Object.entries(WIDTHS)) {
    await page.setViewportSize({ width: Number(width), height });
    await page.waitForTimeout(1000); // what moves has come to rest
    const session = await context.newCDPSession(page);
    const { data } = await session.send('Page.captureScreenshot', { format: 'webp', quality: 60 });
    writeFileSync(`${FOLDER}/${name}-${width}.webp`, Buffer.from(data, 'base64'));
    console.log(`${name}, ${width} pixels`);
  }
  await context.close();
}
await browser.close();
await server.close();
process.exit(0);
