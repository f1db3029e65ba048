// What a user changes while something is asked, loaded or shown must not leave an answer to something else behind.
import type { Page } from 'playwright';
import { expect, it } from 'vitest';
import { longTasks, textOf, useDemo, waitForText, watchLongTasks } from './demo-page';

const open = useDemo();

/** What happens at once, with no time between: sets a field's text as typing does. */
const SET = (selector: string, value: string) => {
  const field = document.querySelector<HTMLTextAreaElement>(selector)!;
  field.value = value;
  field.dispatchEvent(new Event('input', { bubbles: true }));
};
const set = (page: Page, selector: string, value: string) =>
  page.evaluate(`(${SET})(${JSON.stringify(selector)}, ${JSON.stringify(value)})`);

const chooseModel = async (page: Page, tab: string, name: string) => {
  await page.click(`${tab} .change`);
  await page.locator(`${tab} .card`, { hasText: name }).getByRole('button').click();
  await waitForText(page, `${tab} .model-name strong`, name);
  await waitForText(page, `${tab} .model-state`, 'ready');
};

it('embeds what was asked, and says if that is no longer what is written', async () => {
  const page = await open({ path: '#embeddings' });
  await page.click('#compare');
  await waitForText(page, '#embeddings .map-note', 'variance');
  const lines = Array.from({ length: 40 }, (_, i) => `${['ship', 'bread', 'law'][i % 3]} number ${i}`);
  await set(page, '#texts', lines.join('\n'));
  await page.evaluate(
    `document.querySelector('#compare').click(); setTimeout(() => (${SET})('#texts', 'one\\ntwo\\nthree'), 40)`,
  );
  await waitForText(page, '#vectors-size', '40 × 256 numbers');
  expect(await textOf(page, '#embeddings .stale-note')).toContain('Out of date');
  await waitForText(page, '#embeddings .map-note', 'variance');
  await page.locator('#embeddings .map-surface[aria-label^="Map of 40 texts"]').waitFor();

  // Before the new points are there: the old ones are nothing's, and another way of drawing is the new texts'.
  await page.click('#compare');
  await page.waitForFunction(() => document.querySelector('#vectors-size')!.textContent!.startsWith('3 '));
  await page.evaluate(() => {
    const surface = document.querySelector<HTMLElement>('#embeddings .map-surface')!;
    surface.focus();
    for (const key of ['ArrowRight', 'ArrowRight', 'ArrowDown', 'Enter']) {
      surface.dispatchEvent(new KeyboardEvent('keydown', { key, bubbles: true }));
    }
  });
  await page.locator('#embeddings .map-surface[aria-label^="Map of 3 texts"]').waitFor();
  await page.fill('#texts', lines.slice(0, 12).join('\n'));
  await page.click('#compare');
  await page.waitForFunction(() => document.querySelector('#vectors-size')!.textContent!.startsWith('12 '));
  await page.evaluate(() => document.querySelector<HTMLElement>('#map input[value=umap]')!.click());
  await waitForText(page, '#embeddings .map-note', 'Neighbours stay neighbours');
  expect(await page.getAttribute('#embeddings .map-surface', 'aria-label')).toMatch(/^Map of 12 texts/);
});

it('searches nothing of a closed index, and shows no passages for a query that they do not answer', async () => {
  const page = await open({
    path: '#search?mode=vectors&q=whale+meat',
    prepare: (page) =>
      page.route('**/moby-dick*', async (route) => {
        await new Promise((resolve) => setTimeout(resolve, 2000));
        await route.continue();
      }),
  });
  await waitForText(page, '#search-status', 'Searching'); // not: nothing in the index
  await waitForText(page, '#search-status', 'passages of 2,784');
  await page.locator('#passages button', { hasText: 'More like this' }).nth(1).focus();
  await page.keyboard.press('Enter');
  await waitForText(page, '#search-status', 'Most like');
  expect(await page.evaluate(() => document.activeElement?.closest('#passages') !== null)).toBe(true);

  await chooseModel(page, '#search', 'all-MiniLM-L6-v2');
  await page.fill('#query', 'a sermon about Jonah');
  await waitForText(page, '#search-status', 'cannot be compared');
  expect(await page.locator('#passages li').count()).toBe(0);
  await page.click('#search-map summary');
  await page.locator('#search .map-surface[aria-label^="Map of 2,784 texts"]').waitFor();
  await page.focus('#search .map-surface');
  await page.keyboard.press('Enter');
  await page.locator('#map-selection').getByRole('button', { name: 'Open in context' }).click();
  expect((await textOf(page, '#context-text')).length).toBeGreaterThan(5000);
  await page.click('#close-context');

  await chooseModel(page, '#search', 'nano-embed-q4');
  const file = (name: string, text: string) => ({ name, mimeType: '', buffer: Buffer.from(text) });
  const long = Array.from({ length: 300 }, (_, i) => `Sentence ${i} tells of a whale and a ship at sea at night.`);
  await page.setInputFiles('#drop input[multiple]', [file('long.txt', long.join('\n\n'))]);
  await waitForText(page, '#indexing .count', 'Embedding');
  await page.click('#indexing button');
  await page.locator('#continue-indexing').waitFor();
  await page.setInputFiles('#drop input[multiple]', [file('short.txt', 'The judge asked the jury to leave.')]);
  await waitForText(page, '#index-facts', '1 file, 1 passage');
  await waitForText(page, '#map-facts', 'A map needs 3 passages.');
  expect(await page.isVisible('#search .map-surface')).toBe(false);
  await page.locator('#continue-indexing').waitFor(); // the file that was cancelled is not forgotten
});

it('fills the masks of the text that is there, puts words where they were, and takes hundreds of masks', async () => {
  const page = await open({ path: `#fill-mask?mode=surprise&text=${encodeURIComponent('Paris is in London.')}` });
  await page.locator('.expected button').first().waitFor();
  await page.evaluate(
    `(${SET})('#mask-text', 'Oh, Paris is in London.'); document.querySelector('.expected button').click()`,
  );
  expect(await page.inputValue('#mask-text')).toBe('Oh, Paris is in London.');

  await page.goto(`${page.url().split('#')[0]}#fill-mask?mode=compare&text=[MASK]&second=Paris`);
  await waitForText(page, '#fill-mask form > .error', 'The first text has masks only, which are not scored.');
  expect(await page.evaluate(() => document.activeElement === document.body)).toBe(true);

  await page.locator('label', { hasText: 'Fill masks' }).click();
  await watchLongTasks(page);
  await set(page, '#mask-text', Array(200).fill('[MASK]').join(' '));
  await page.waitForFunction(() => document.querySelectorAll('#masks .candidates li').length === 1600);
  expect(await longTasks(page, 3000)).toEqual([]);

  await set(page, '#mask-text', 'A cup of [MASK].');
  await page.click('#fill-mask .compare-models');
  await page.getByRole('button', { name: 'Ask both models' }).click();
  await waitForText(page, '.comparison .error', 'Both are the same model.');
});
