import AxeBuilder from '@axe-core/playwright';
import type { Page } from 'playwright';
import { expect } from 'vitest';

/** Fails if axe finds a serious or critical violation in a part of the page. */
export async function expectAccessible(page: Page, part: string): Promise<void> {
  // Legacy mode runs in the page itself; the default opens a second page, which not every browser context allows.
  const { violations } = await new AxeBuilder({ page }).include(part).setLegacyMode().analyze();
  const serious = violations.filter(({ impact }) => impact === 'serious' || impact === 'critical');
  expect(serious.map(({ id, nodes }) => `${id}: ${nodes.map(({ html }) => html).join(' | ')}`)).toEqual([]);
}

/**
 * Takes screenshots of the page at phone and desktop width, light and dark, for people to look at. Fails if the page is wider than any
 * screen or if axe finds a serious violation in `part`.
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
