/** Firefox for tests: headless, driven over WebDriver BiDi, on the software driver that the GPU tests use too. */
import puppeteer, { type Browser, type Page } from 'puppeteer-core';
import { afterAll, afterEach, beforeAll, expect } from 'vitest';
import { findFirefox, findNodeAdapters } from '../tools/adapters.mjs';

/** WebGPU is off in Firefox on Linux, and never on for a software driver. */
const PREFERENCES = { 'dom.webgpu.enabled': true, 'gfx.webgpu.ignore-blocklist': true };

/**
 * Launches a Firefox for the tests of one file and returns a function that opens a page. Each page is closed after its test, which fails if
 * the page or its worker logged an error or a warning that `expected` does not match.
 */
export function useFirefox(
  expected?: RegExp,
): (url: string, prepare?: (page: Page) => Promise<unknown>) => Promise<Page> {
  let browser: Browser;
  const pages: Page[] = [];
  const complaints: string[] = [];
  const complain = (text: string) => {
    if (!expected?.test(text)) complaints.push(text);
  };

  beforeAll(async () => {
    const executablePath = findFirefox();
    if (!executablePath) throw new Error('No Firefox found. Run `npm run setup`, or set FIREFOX_PATH.');
    browser = await puppeteer.launch({
      browser: 'firefox',
      executablePath,
      extraPrefsFirefox: PREFERENCES,
      env: { ...process.env, ...findNodeAdapters().find(({ name }) => name === 'lavapipe')?.env },
      protocolTimeout: 300_000, // of one `evaluate`
    });
    console.log(`Firefox: ${await browser.version()}`);
  });
  afterEach(async () => {
    for (const page of pages.splice(0)) await page.close();
    expect(complaints.splice(0)).toEqual([]);
  });
  afterAll(() => browser?.close());

  return async (url, prepare) => {
    const page = await browser.newPage();
    pages.push(page);
    page.setDefaultTimeout(240_000);
    page.on('pageerror', (error) => complain(String(error)));
    page.on('console', (message) => {
      if (['error', 'warn'].includes(message.type())) complain(message.text());
    });
    await prepare?.(page);
    await page.goto(url);
    return page;
  };
}
