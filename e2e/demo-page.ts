import { readFile } from 'node:fs/promises';
import { type Browser, type BrowserContext, chromium, type Page } from 'playwright';
import { afterAll, afterEach, beforeAll, expect, inject } from 'vitest';
import { hubFile } from '../tools/hub';

/**
 * SwiftShader computes on the CPU: the same results on every machine, at 1 to 2 GFLOP/s. It compiles shaders five times as fast if a loop
 * zeroes the workgroup memory instead of Vulkan's extension, which becomes one store per word.
 */
export const FLAGS = [
  '--no-sandbox',
  '--enable-unsafe-webgpu',
  '--use-webgpu-adapter=swiftshader',
  '--disable-dawn-features=use_vulkan_zero_initialize_workgroup_memory_extension',
  '--disable-background-networking',
  '--disable-component-update',
];

interface OpenOptions {
  /** Path of the page on the server. Default: the root. */
  path?: string;
  /** URL of another server of the demo, with a trailing slash. */
  url?: string;
  /** Adds routes and scripts to the page before it loads. */
  prepare?: (page: Page) => Promise<unknown>;
  /** Allows the service worker, whose requests bypass the routes of `prepare`. Default false. */
  serviceWorker?: boolean;
  /** Errors and warnings that the browser logs of what the test gives the page. */
  mayLog?: RegExp;
}

/**
 * Launches a browser for the tests of one file and returns a function that opens the built demo in a new page. Each page is closed after
 * its test, which fails if the page or its worker logged an error or a warning.
 */
export function useDemo(): (options?: OpenOptions) => Promise<Page> {
  let browser: Browser;
  const pages: Page[] = [];
  const complaints: string[] = [];

  beforeAll(async () => {
    browser = await chromium.launch({ executablePath: inject('chromiumPath'), args: FLAGS });
  });
  afterEach(async () => {
    for (const page of pages.splice(0)) await page.context().close();
    expect(complaints.splice(0)).toEqual([]);
  });
  afterAll(() => browser.close());

  return async ({ url = inject('demoUrl'), path = '', prepare, serviceWorker = false, mayLog } = {}) => {
    const context = await browser.newContext({
      viewport: { width: 1280, height: 900 },
      serviceWorkers: serviceWorker ? 'allow' : 'block',
    });
    const page = await context.newPage();
    pages.push(page);
    page.setDefaultTimeout(Number(process.env.E2E_TIMEOUT ?? 120_000));
    page.on('pageerror', (error) => complaints.push(error.message));
    page.on('console', (message) => {
      const isOurs = message.text().includes('Service Worker registration blocked by Playwright');
      if (isOurs || mayLog?.test(message.text())) return;
      if (['error', 'warning'].includes(message.type())) complaints.push(message.text());
    });
    await prepare?.(page);
    await page.goto(url + path);
    return page;
  };
}

/** Enters a text with masks, or runs the current one, and waits for the result: the candidates of each mask, best first. */
export async function fillMasks(page: Page, text?: string): Promise<string[][]> {
  await page.locator('#mask-results').evaluate((results) => results.replaceChildren());
  if (text !== undefined && text !== (await page.inputValue('#mask-text'))) await page.fill('#mask-text', text);
  else {
    // The text may be running already, and then the button would stop it.
    await page.locator('#fill').evaluate((button: HTMLElement) => button.textContent !== 'Stop' && button.click());
  }
  await page.waitForSelector('#mask-results:not(.stale) #masks ol button');
  return page.$$eval('#masks ol', (lists) =>
    lists.map((list) => [...list.querySelectorAll('.token')].map((token) => token.textContent ?? '')),
  );
}

export const textOf = (page: Page, selector: string): Promise<string> => page.locator(selector).innerText();

/** Waits until an element has this text. */
export async function waitForText(page: Page, selector: string, text: string | RegExp): Promise<void> {
  await page.locator(selector).filter({ hasText: text }).waitFor();
}

/** Saves the file that a click on this element downloads. */
export async function download(page: Page, selector: string): Promise<{ name: string; bytes: Buffer }> {
  const [download] = await Promise.all([page.waitForEvent('download'), page.click(selector)]);
  return { name: download.suggestedFilename(), bytes: await readFile(await download.path()) };
}

/** Saves what a panel's Export offers under a label. */
export async function exported(page: Page, panel: string, label: string): Promise<{ name: string; bytes: Buffer }> {
  const row = page.locator(`${panel} .take-away:visible`);
  const opener = row.getByRole('button', { name: 'Export', exact: true });
  if ((await opener.getAttribute('aria-expanded')) === 'false') await opener.click();
  const button = row.locator('.take-away-part').getByRole('button', { name: label, exact: true });
  const [download] = await Promise.all([page.waitForEvent('download'), button.click()]);
  return { name: download.suggestedFilename(), bytes: await readFile(await download.path()) };
}

/**
 * Answers the requests of a page or of a context's pages to the Hub with the files of models, folders by their ids; returns the file names requested
 * so far. `headers`: sent with every answer, besides what lets other origins read it.
 */
export async function serveHub(
  page: Page | BrowserContext,
  models: Record<string, string>,
  headers: Record<string, string> = { 'access-control-allow-origin': '*' },
): Promise<string[]> {
  const requested: string[] = [];
  await page.route('https://huggingface.co/**', async (route) => {
    const { pathname } = new URL(route.request().url());
    requested.push(pathname.split(/\/resolve\/[^/]+\//)[1] ?? '');
    const body = await hubFile(models, pathname);
    await route.fulfill({ status: body ? 200 : 404, body, headers });
  });
  return requested;
}

/** Runs a script in the page's worker before that starts. */
export const prepareWorker = (page: Page, script: string): Promise<unknown> =>
  page.route(/\/worker-[\w-]{8}\.js$/, async (route) => {
    const response = await route.fetch();
    await route.fulfill({ response, body: `${script}\n${await response.text()}` });
  });

/** Records the long tasks of the main thread from now on. */
export const watchLongTasks = (page: Page): Promise<void> =>
  page.evaluate(() => {
    const tasks: number[] = [];
    Object.assign(window, { longTasks: tasks });
    new PerformanceObserver((list) => tasks.push(...list.getEntries().map(({ duration }) => duration))).observe({
      type: 'longtask',
    });
  });

/** The recorded tasks that took more than `over` milliseconds. */
export const longTasks = (page: Page, over: number): Promise<number[]> =>
  page.evaluate((over) => (window as unknown as { longTasks: number[] }).longTasks.filter((ms) => ms > over), over);
