import type { Page } from 'playwright';
import { expect } from 'vitest';
import { expectAccessible } from './accessible';

/**
 * Pictures of the page as it is, on a phone and a desk, light and dark, for people to look at. Nothing may hang over the edge of any screen, and
 * axe must find nothing serious in `part`.
 */
export async function takePictures(page: Page, name: string, part: string): Promise<void> {
  for (const width of [360, 390, 768, 1280]) {
    await page.setViewportSize({ width, height: 900 });
    expect(await page.evaluate(() => document.documentElement.scrollWidth - innerWidth)).toBe(0);
    if (width === 360 || width === 768) continue;
    for (const colorScheme of ['dark', 'light'] as const) {
      await page.emulateMedia({ colorScheme });
      await expectAccessible(page, part);
      await page.screenshot({ path: `test-results/${name}-${width}-${colorScheme}.png`, fullPage: true });
    }
  }
}
