import { expect, it } from 'vitest';
import { fillMasks, useDemo } from './demo-page';

const open = useDemo();

const SCREENS = [
  { width: 1280, colorScheme: 'light' },
  { width: 1280, colorScheme: 'dark' },
  { width: 390, colorScheme: 'light' },
  { width: 390, colorScheme: 'dark' },
  { width: 360, colorScheme: 'light' },
] as const;

it.each(SCREENS)('fits a screen of $width px, $colorScheme', async ({ width, colorScheme }) => {
  const page = await open({ width, colorScheme });
  const fits = async () => {
    const [content, screen] = await page.evaluate(() => [document.documentElement.scrollWidth, innerWidth]);
    expect(content).toBeLessThanOrEqual(screen);
  };
  await fits();
  await fillMasks(page, 'She opened the [MASK] and walked into the [MASK].');
  await page.click('#compare');
  await page.waitForSelector('.heatmap');
  await page.locator('summary').last().click();
  await page.locator('#embeddings').getByLabel('Folder on this device').check();
  await fits();
  await page.screenshot({ path: `test-results/demo-${width}-${colorScheme}.png`, fullPage: true });
});
