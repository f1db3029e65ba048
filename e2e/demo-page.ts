import { type Browser, chromium, type Page } from 'playwright';
import { afterAll, afterEach, beforeAll, expect, inject } from 'vitest';

/**
 * SwiftShader computes on the CPU: the same on every machine, at 1 to 2 GFLOP/s. It compiles shaders five times as fast if workgroup memory is
 * zeroed by a loop instead of Vulkan's extension, which makes it a store for every word.
 */
export const FLAGS = [
  '--no-sandbox',
  '--enable-unsafe-webgpu',
  '--use-webgpu-adapter=swiftshader',
  '--disable-dawn-features=use_vulkan_zero_initialize_workgroup_memory_extension',
  '--disable-background-networking',
  '--disable-component-update',
];

export interface OpenOptions {
  /** Path under which the page is to be found. Default: the server's root. */
  path?: string;
  /** Address of another server of the page, with a slash at the end. */
  url?: string;
  /** What to do with the page before it loads: routes, scripts. */
  prepare?: (page: Page) => Promise<unknown>;
  /** Lets the page have its service worker, whose requests pass by `prepare`'s routes. Default false. */
  serviceWorker?: boolean;
}

/**
 * A browser for the tests of one file. Gives back what opens the built demo in a page of its own; every page is closed after
 * its test, which fails if the page or its worker wrote an error or a warning to the console.
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

  return async ({ url = inject('demoUrl'), path = '', prepare, serviceWorker = false } = {}) => {
    const context = await browser.newContext({
      viewport: { width: 1280, height: 900 },
      serviceWorkers: serviceWorker ? 'allow' : 'block',
    });
    const page = await context.newPage();
    pages.push(page);
    page.setDefaultTimeout(120_000);
    page.on('pageerror', (error) => complaints.push(error.message));
    page.on('console', (message) => {
      const isOurs = message.text().includes('Service Worker registration blocked by Playwright');
      if (['error', 'warning'].includes(message.type()) && !isOurs) complaints.push(message.text());
    });
    await prepare?.(page);
    await page.goto(url + path);
    return page;
  };
}

/** Types a text with masks (or runs the one that is there) and waits for its candidates: the words of every mask, best first. */
export async function fillMasks(page: Page, text?: string): Promise<string[][]> {
  await page.locator('#mask-results').evaluate((results) => results.replaceChildren());
  if (text !== undefined && text !== (await page.inputValue('#mask-text'))) await page.fill('#mask-text', text);
  else {
    // What was typed or loaded last may be running already; then the button would stop it.
    await page.locator('#fill').evaluate((button: HTMLElement) => button.textContent !== 'Stop' && button.click());
  }
  await page.waitForSelector('#masks button');
  return page.$$eval('#masks ol', (lists) =>
    lists.map((list) => [...list.querySelectorAll('.token')].map((token) => token.textContent ?? '')),
  );
}

export const textOf = (page: Page, selector: string): Promise<string> => page.locator(selector).innerText();

/** Waits until an element says what is expected of it. */
export async function waitForText(page: Page, selector: string, text: string | RegExp): Promise<void> {
  await page.locator(selector).filter({ hasText: text }).waitFor();
}

/** Notes the main thread's long tasks from now on. */
export const watchLongTasks = (page: Page): Promise<void> =>
  page.evaluate(() => {
    const tasks: number[] = [];
    Object.assign(window, { longTasks: tasks });
    new PerformanceObserver((list) => tasks.push(...list.getEntries().map(({ duration }) => duration))).observe({
      type: 'longtask',
    });
  });

/** Those that took more than so many milliseconds. */
export const longTasks = (page: Page, over: number): Promise<number[]> =>
  page.evaluate((over) => (window as unknown as { longTasks: number[] }).longTasks.filter((ms) => ms > over), over);
