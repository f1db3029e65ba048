/** What all tabs of the page have in common. */
import { gzipSync } from 'node:zlib';
import { expect, inject, it } from 'vitest';
import { useDemo, waitForText } from './demo-page';

const open = useDemo();

it('stays where a file is dropped beside the place for files', async () => {
  const page = await open({ path: '#benchmark' });
  const answers = await page.evaluate(() => {
    const dataTransfer = new DataTransfer();
    dataTransfer.items.add(new File(['x'], 'x.txt'));
    const sent = ['dragover', 'drop'].map((type) => {
      const event = new DragEvent(type, { bubbles: true, cancelable: true, dataTransfer });
      document.querySelector('h1')?.dispatchEvent(event);
      return event.defaultPrevented;
    });
    const text = new DragEvent('dragover', { bubbles: true, cancelable: true, dataTransfer: new DataTransfer() });
    document.querySelector('textarea')?.dispatchEvent(text);
    return [...sent, text.defaultPrevented];
  });
  expect(answers).toEqual([true, true, false]);
});

it('keeps what was written, of every length, and nothing of it in the URL', async () => {
  const page = await open({ path: '#benchmark' });
  const url = page.url().replace(/#.*/, '');
  const long = 'The ship left the harbour at dawn.\n'.repeat(100);
  await page.click('#tab-embeddings');
  await page.fill('#texts', long);
  await page.click('#tab-classify');
  await page.fill('.class-name >> nth=0', 'ships');
  await page.fill('.class-texts >> nth=0', 'A boat.\nA vessel.');
  await page.click('.class-card >> nth=1 >> button');
  await page.click('#tab-search');
  await waitForText(page, '#index-facts', 'chapters');
  await page.fill('#query', 'whales');
  await page.click('[name=search-mode][value=words]');
  await page.waitForURL(/#search\?mode=words$/);

  await page.goto('about:blank');
  await page.goto(`${url}#embeddings`);
  await page.waitForSelector('#texts');
  expect(await page.inputValue('#texts')).toBe(long);
  expect(page.url()).toBe(`${url}#embeddings`);
  await page.click('#tab-classify');
  await expect.poll(() => page.locator('.class-card').count()).toBe(2);
  expect(await page.inputValue('.class-name >> nth=0')).toBe('ships');
  expect(await page.inputValue('.class-texts >> nth=0')).toBe('A boat.\nA vessel.');
  expect(page.url()).toBe(`${url}#classify`);
  await page.click('#tab-search');
  await page.waitForSelector('#query');
  expect(await page.inputValue('#query')).toBe('whales');

  // What an address says goes before what was kept.
  await page.goto('about:blank');
  await page.goto(`${url}#search?q=bread`);
  await page.waitForSelector('#query');
  expect(await page.inputValue('#query')).toBe('bread');
  await page.fill('#query', 'butter');
  await page.waitForURL(/#search$/);
});

it('gives the code, a link that has texts only if asked, and files', async () => {
  const page = await open({ path: '#classify?by=labels' });
  await page.context().grantPermissions(['clipboard-read', 'clipboard-write']);
  const copied = () => page.evaluate(() => navigator.clipboard.readText());
  const row = page.locator('#zero-form .take-away');
  await page.fill('#zero-texts', "It's a ship.\nBread & butter");
  await page.fill('#zero-labels', 'sea\nfood');
  await row.getByRole('button', { name: 'Code' }).click();
  await row.getByRole('button', { name: 'Copy TypeScript' }).click();
  await waitForText(page, '#zero-form .take-away [role=status] >> nth=0', 'Copied.');
  expect(await copied()).toMatch(/^\/\/ npm install modernbert-webgpu\n.*const labels = \[\s*"sea",\s*"food",?\s*\];/s);
  await row.getByRole('button', { name: 'Copy Command line' }).click();
  await waitForText(page, '#zero-form .take-away [role=status] >> nth=1', 'Copied.');
  expect(await copied()).toMatch(
    /zero-shot MoritzLaurer\/\S+ --labels 'sea,food' .*<<'END'\n{"text":"It's a ship."}\n/,
  );

  await row.getByRole('button', { name: 'Link' }).click();
  const link = row.getByRole('textbox', { name: 'Link' });
  expect(await link.inputValue()).toMatch(/#classify\?by=labels$/);
  await row.getByLabel('With what I wrote').check();
  const address = await link.inputValue();
  await page.goto('about:blank');
  await page.evaluate(() => {}); // the page that was left has written what it keeps
  const other = await page.context().browser()!.newContext();
  const stranger = await other.newPage();
  await stranger.goto(address);
  await stranger.waitForSelector('#zero-texts');
  expect(await stranger.inputValue('#zero-texts')).toBe("It's a ship.\nBread & butter");
  expect(await stranger.inputValue('#zero-labels')).toBe('sea\nfood');
  await stranger.fill('#zero-texts', 'word '.repeat(2000));
  const again = stranger.locator('#zero-form .take-away');
  await again.getByRole('button', { name: 'Link' }).click();
  await again.getByLabel('With what I wrote').click();
  await expect
    .poll(() => again.locator('.error').innerText())
    .toMatch(/10,\d+ characters; programs pass on up to 8,000/);
  await again.getByRole('button', { name: 'Export' }).click();
  await expect.poll(() => again.locator('.take-away-part').innerText()).toBe('There is no result yet.');
  await other.close();
});

it('shows itself with less than 40 KB of JavaScript', async () => {
  const url = inject('demoUrl');
  const html = await (await fetch(url)).text();
  const scripts = [...new Set(html.match(/assets\/[^"]+\.js/g))];
  expect(scripts.length).toBeGreaterThan(0);
  const sizes = scripts.map(async (name) => gzipSync(await (await fetch(url + name)).arrayBuffer()).length);
  expect((await Promise.all(sizes)).reduce((sum, size) => sum + size, 0)).toBeLessThan(40 * 1024);
});

it.each([390, 1280])('moves nothing that stands already, at %d pixels', async (width) => {
  const modes = ['fill-mask?mode=surprise', 'fill-mask?mode=compare'];
  for (const address of ['fill-mask', ...modes, 'embeddings', 'search', 'long', 'classify', 'sort', 'benchmark']) {
    const [tab] = address.split('?');
    const page = await open({
      path: `#${address}`,
      prepare: async (page) => {
        await page.setViewportSize({ width, height: 844 });
        await page.addInitScript(() => {
          const seen = { shift: 0 };
          Object.assign(window, { seen });
          new PerformanceObserver((list) => {
            for (const entry of list.getEntries()) seen.shift += (entry as unknown as { value: number }).value;
          }).observe({ type: 'layout-shift', buffered: true });
        });
      },
    });
    await page.waitForSelector(`#${tab}:not([aria-busy]) button:visible`);
    if (address === 'fill-mask') await page.waitForSelector('#masks button');
    if (tab !== address || tab === 'search') await waitForText(page, `#${tab} .model-state`, 'ready');
    await page.waitForTimeout(500);
    const shift = await page.evaluate(() => (window as unknown as { seen: { shift: number } }).seen.shift);
    expect(shift, address).toBeLessThan(0.1); // what web.dev/cls calls good
  }
});

it("Enter loads the Hub's model whose name was written, and focus stays in the page", async () => {
  const page = await open({ path: '#embeddings' });
  await page.click('#embeddings .change');
  await page.click('#embeddings .more summary');
  await page.fill('#embeddings .hub-id', 'ModernBERT');
  await page.keyboard.press('Enter');
  await waitForText(page, '#embeddings .hub-error', 'Give the Hub id as organisation/model');
  await page.keyboard.press('Escape');
  expect(await page.evaluate(() => document.activeElement?.className)).toBe('change');
});
