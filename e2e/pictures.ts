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

/** Lower ones are hard to hit with a finger (WCAG 2.5.5), in CSS pixels. */
const TOUCH = 44;

/**
 * Fails if something in a part of the page is too low for a finger. Not meant: words of a running text (`.word`), which are as high as its lines,
 * and boxes that are chosen by their label.
 */
async function expectTouchTargets(page: Page, part: string): Promise<void> {
  const session = await page.context().newCDPSession(page);
  await session.send('Emulation.setTouchEmulationEnabled', { enabled: true });
  expect(await page.evaluate(() => matchMedia('(pointer: coarse)').matches)).toBe(true);
  const low = await page.locator(part).evaluate((root, touch) => {
    const targets =
      'button, select, summary, [role=tab], label:has(input[type=radio], input[type=checkbox]), input, textarea';
    return [...root.querySelectorAll<HTMLElement>(targets)]
      .filter((target) =>
        target.checkVisibility({ visibilityProperty: true, opacityProperty: true, contentVisibilityAuto: true }),
      )
      .filter(
        (target) => !target.matches('.word, .visually-hidden, label input[type=radio], label input[type=checkbox]'),
      )
      .map((target) => ({ target, height: target.getBoundingClientRect().height }))
      .filter(({ height }) => height > 1 && height < touch - 0.5)
      .map(({ target, height }) => `${target.outerHTML.slice(0, 80)}: ${height}`);
  }, TOUCH);
  expect(low).toEqual([]);
  await session.send('Emulation.setTouchEmulationEnabled', { enabled: false });
  await session.detach();
}

/**
 * Takes screenshots of the page at phone and desktop width, light and dark, for people to look at. Fails if the page is wider than any
 * screen or if axe finds a serious violation in `part`. Of the demo's page more is asked: 320 pixels, forced colours, and nothing too low for a finger.
 * The examples and the site, whose controls are VitePress's, are `another` page.
 */
export async function takePictures(page: Page, name: string, part: string, of: 'demo' | 'another' = 'demo') {
  const isDemo = of === 'demo';
  for (const width of [isDemo ? 320 : 360, 390, 768, 1280]) {
    await page.setViewportSize({ width, height: 900 });
    expect(await page.evaluate(() => document.documentElement.scrollWidth - innerWidth)).toBe(0);
    if (width < 390 || width === 768) continue;
    if (isDemo && width === 390) await expectTouchTargets(page, part);
    for (const colorScheme of ['dark', 'light'] as const) {
      await page.emulateMedia({ colorScheme });
      await expectAccessible(page, part);
      await page.screenshot({ path: `test-results/${name}-${width}-${colorScheme}.png`, fullPage: true });
    }
    if (!isDemo) continue;
    await page.emulateMedia({ forcedColors: 'active' });
    await expectAccessible(page, part);
    await page.screenshot({ path: `test-results/${name}-${width}-forced.png`, fullPage: true });
    await page.emulateMedia({ forcedColors: 'none' });
  }
}
