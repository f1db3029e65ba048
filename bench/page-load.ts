// npm run bench:page: when a visitor of the built demo sees the page, and its first answers. Build first: npm run build.
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { type BrowserContext, chromium } from 'playwright';
import { preview } from 'vite';
import { findChromium } from '../tools/adapters.mjs';
import { count, parseFlags, runCommand } from './args';
import { nodeEnvironment } from './environment';
import { columns } from './print';
import { median } from './statistics';

const USAGE = `npm run bench:page -- [options]
  --repeats N   visits of each kind, each with a new profile; default 3. The medians count
  --width N     of the window in pixels; default 1280
  --out FILE    writes the results as JSON`;

/** What a visitor waits for: an address, and the element that is it. */
const ANSWERS = {
  'masks filled': { hash: '#fill-mask', selector: '#mask-results:not(.stale) .candidates .score' },
  'proposed question, by words and meaning': {
    hash: '#search?q=a+sermon+about+Jonah',
    selector: '#passages .relevance',
  },
  'other question, by words': { hash: '#search?q=the+sermon+on+Jonah', selector: '#passages li' },
  'other question, by meaning': { hash: '#search?q=the+sermon+on+Jonah', selector: '#passages .relevance' },
};

/** Milliseconds that a visitor stays after the answer. */
const REST = 5000;

/** One visit. Times in milliseconds since the navigation began. */
interface Visit {
  first_paint: number;
  answer: number;
  /** The sum of all layout shifts until the visitor leaves (web.dev/cls). */
  layout_shift: number;
}

/** gzipped bytes of the scripts that the page names, without which it does nothing. */
function firstScripts(): number {
  const html = readFileSync('dist/demo/index.html', 'utf8');
  const names = new Set(html.match(/assets\/[^"]+\.js/g));
  return [...names].reduce((sum, name) => sum + gzipSync(readFileSync(join('dist/demo', name))).length, 0);
}

async function visit(context: BrowserContext, url: string, selector: string): Promise<Visit> {
  const page = await context.newPage();
  await page.addInitScript((selector) => {
    const seen = { answer: 0, layout_shift: 0 };
    Object.assign(window, { seen });
    new PerformanceObserver((list) => {
      for (const entry of list.getEntries()) seen.layout_shift += (entry as unknown as { value: number }).value;
    }).observe({ type: 'layout-shift', buffered: true });
    new MutationObserver(() => {
      if (!seen.answer && document.querySelector(selector)) seen.answer = performance.now();
    }).observe(document, { childList: true, subtree: true });
  }, selector);
  await page.goto(url);
  await page.waitForSelector(selector);
  // The model is loaded and the page kept by then, so that the next visit finds an idle processor.
  await page.waitForTimeout(REST);
  const seen = await page.evaluate(() => {
    const first_paint = performance.getEntriesByName('first-contentful-paint')[0].startTime;
    return { first_paint, ...(window as unknown as { seen: Omit<Visit, 'first_paint'> }).seen };
  });
  await page.close();
  return seen;
}

async function main(): Promise<void> {
  const values = parseFlags(['repeats', 'width', 'out'], ['help']);
  if (values.help) return console.log(USAGE);
  const repeats = count('--repeats', values.repeats) ?? 3;
  const width = count('--width', values.width) ?? 1280;
  const server = await preview({ mode: 'production', logLevel: 'warn', preview: { port: 0, host: '127.0.0.1' } });
  const home = server.resolvedUrls?.local[0];
  if (!home) throw new Error('vite preview reported no URL.');

  const visits = new Map<string, Visit[]>();
  for (let i = 0; i < repeats; i++) {
    for (const [answer, { hash, selector }] of Object.entries(ANSWERS)) {
      const profile = mkdtempSync(join(tmpdir(), 'bench-page-'));
      const context = await chromium.launchPersistentContext(profile, {
        executablePath: findChromium(),
        viewport: { width, height: 900 },
        args: ['--no-sandbox', '--enable-unsafe-webgpu', '--use-webgpu-adapter=swiftshader'],
      });
      try {
        for (const way of ['first', 'second']) {
          const key = `${answer}, ${way} visit`;
          visits.set(key, [...(visits.get(key) ?? []), await visit(context, home + hash, selector)]);
        }
      } finally {
        await context.close();
        rmSync(profile, { recursive: true, force: true });
      }
    }
  }
  await server.close();

  const middle = (all: Visit[], key: keyof Visit) => median(all.map((visit) => visit[key]));
  const results = Array.from(visits, ([name, all]) => ({
    name,
    first_paint_ms: Math.round(middle(all, 'first_paint')),
    answer_ms: Math.round(middle(all, 'answer')),
    layout_shift: Number(middle(all, 'layout_shift').toFixed(4)),
  }));
  const bytes = firstScripts();
  console.log(
    `Scripts that the page names: ${(bytes / 1024).toFixed(1)} KiB gzipped. Chromium, SwiftShader, ${width} pixels.`,
  );
  console.log(
    columns(
      [
        ['answer', 'first paint ms', 'answer ms', 'layout shift'],
        ...results.map((row) => Object.values(row).map(String)),
      ],
      1,
    ),
  );
  if (values.out) {
    const environment = { ...nodeEnvironment(), browser: 'Chromium', adapter: 'SwiftShader', width, repeats };
    writeFileSync(
      values.out,
      `${JSON.stringify({ ...environment, first_scripts_gzip_bytes: bytes, results }, null, 1)}\n`,
    );
  }
}

runCommand(main, USAGE);
