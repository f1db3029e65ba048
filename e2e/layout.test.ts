import { expect, it } from 'vitest';
import { fillMasks, useDemo } from './demo-page';

const open = useDemo();

it('fits every screen, light and dark', async () => {
  const page = await open();
  const overhang = () => page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
  await page.setViewportSize({ width: 360, height: 800 });
  expect(await overhang()).toBe(0);

  await fillMasks(page, 'She opened the [MASK] and walked into the [MASK].');
  await page.locator('#fill-mask .change').click();
  await page.locator('#fill-mask').getByLabel('Folder on this device').check();
  for (const width of [360, 390, 768, 1280]) {
    await page.setViewportSize({ width, height: 900 });
    expect(await overhang()).toBe(0);
    for (const colorScheme of ['light', 'dark'] as const) {
      await page.emulateMedia({ colorScheme });
      await page.screenshot({ path: `test-results/demo-${width}-${colorScheme}.png`, fullPage: true });
    }
  }
});
