/** Chromium with an unpacked extension, for tests. */
import { mkdtemp } from 'node:fs/promises';
import { env } from 'node:process';
import { type BrowserContext, chromium, type Page, type Worker } from 'playwright';
import { inject } from 'vitest';
import { FLAGS } from './demo-page';

/** Waits for the extension's service worker. `profile`: a path that the profile's name begins with. */
export async function withExtension(
  folder: string,
  profile: string,
): Promise<{ context: BrowserContext; background: Worker }> {
  env.PW_CHROMIUM_ATTACH_TO_OTHER = '1'; // a side panel is a page for Playwright
  const context = await chromium.launchPersistentContext(await mkdtemp(profile), {
    executablePath: inject('chromiumPath'),
    args: [
      ...FLAGS,
      `--disable-extensions-except=${folder}`,
      `--load-extension=${folder}`,
      '--enable-unsafe-extension-debugging', // for Extensions.triggerAction
    ],
    ignoreDefaultArgs: ['--disable-extensions'],
  });
  const background = context.serviceWorkers()[0] ?? (await context.waitForEvent('serviceworker'));
  return { context, background };
}

interface Tabs {
  targetInfos: { targetId: string; url: string }[];
}

/** Clicks on the extension's button in the browser's toolbar, as a user does who looks at `page`. */
export async function clickAction(background: Worker, page: Page): Promise<void> {
  await page.bringToFront();
  const browser = await page.context().browser()?.newBrowserCDPSession();
  if (!browser) throw new Error('The context has no browser of its own.');
  // Playwright has no types of this command, which is an experimental one.
  const send = browser.send.bind(browser) as unknown as (method: string, params: object) => Promise<unknown>;
  const { targetInfos } = (await send('Target.getTargets', { filter: [{ type: 'tab' }] })) as Tabs;
  const tab = targetInfos.find(({ url }) => url === page.url());
  await send('Extensions.triggerAction', { id: new URL(background.url()).host, targetId: tab?.targetId });
  await browser.detach();
}
