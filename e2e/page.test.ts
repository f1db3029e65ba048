/** What all tabs of the page have in common. */
import { expect, it } from 'vitest';
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

it('keeps what was written, of every length, and nothing of it in the URL but short texts of the tab shown', async () => {
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
  await page.waitForURL(/#search\?q=whales$/);

  await page.goto('about:blank');
  await page.goto(`${url}#embeddings`);
  await page.waitForSelector('#texts');
  expect(await page.inputValue('#texts')).toBe(long);
  expect(page.url()).toBe(`${url}#embeddings`);
  await page.click('#tab-classify');
  expect(await page.locator('.class-card').count()).toBe(2);
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
});

it("Enter loads the Hub's model whose name was written, and focus stays in the page", async () => {
  const page = await open({ path: '#embeddings' });
  await page.click('#embeddings .change');
  await page.locator('#embeddings .model-dialog label', { hasText: 'Any model of the Hugging Face Hub' }).click();
  await page.fill('#embeddings .hub-id', 'ModernBERT');
  await page.keyboard.press('Enter');
  await waitForText(page, '#embeddings .choice-error', 'Give the Hub id as organisation/model');
  await page.keyboard.press('Escape');
  expect(await page.evaluate(() => document.activeElement?.className)).toBe('change');
});
