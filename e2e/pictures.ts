import type { Page } from 'playwright-core';
import { expect } from 'vitest';

/** Pictures of the page as it is, on a phone and a desk, light and dark, for people to look at; nothing may hang over the edge of any screen. */
export async function takePictures(page: Page, name: string): Promise<void> {
  for (const width of [360, 390, 768, 1280]) {
    await page.setViewportSize({ width, height: 900 });
    expect(await page.evaluate(() => document.documentElement.scrollWidth - innerWidth)).toBe(0);
    if (width === 360 || width === 768) continue;
    for (const colorScheme of ['light', 'dark'] as const) {
      await page.emulateMedia({ colorScheme });
      await page.screenshot({ path: `test-results/${name}-${width}-${colorScheme}.png`, fullPage: true });
    }
  }
}
