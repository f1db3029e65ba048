import { expect, it } from 'vitest';
import { fillMasks, textOf, useDemo, waitForText } from './demo-page';
import { takePictures } from './pictures';

const open = useDemo();

// The order that training/modernbert.py, which shares no code with the library, returns with the same weights.
const FRANCE = ['Paris', 'France', 'Wellington', 'London', 'England', 'Berlin', 'Amsterdam', 'Germany'];
const TOKYO = ['Japan', 'Tokyo', 'Libya', 'Norway', 'Nigeria', 'Philippines', 'Jamaica', 'Germany'];
const LETTER = ['letter', 'voice', 'visit', 'time', 'pause', 'answer', 'way', 'interval'];
const WIFE = ['wife', 'father', 'brother', 'mother', 'friend', 'son', 'head', 'voice'];

it('finds the same words as the published implementation, and inserts the picked ones', async () => {
  const page = await open();
  expect(await textOf(page, 'h1')).toBe('ModernBERT on your GPU');
  await waitForText(page, '#fill-mask .model-state', 'ready');
  expect(await textOf(page, '#mask-count')).toBe('9 / 8,192 tokens');
  expect(page.workers().map((worker) => new URL(worker.url()).pathname)).toEqual([
    expect.stringMatching(/\/assets\/worker-.*\.js$/),
  ]);

  expect(await fillMasks(page)).toEqual([FRANCE]);
  expect(await textOf(page, '#filled')).toBe('The capital of France is Paris.');
  const share = Number.parseFloat(await textOf(page, '#masks li:first-child .score'));
  expect(share).toBeGreaterThan(50);
  expect(await textOf(page, '#fill-mask .status')).toMatch(
    /^[\d.]+ m?s · 9 tokens · [\d,]+ tokens\/s · .*swiftshader/i,
  );

  // With the keyboard only.
  await page.focus('#mask-text');
  await page.keyboard.press('Control+A');
  await page.keyboard.type('The capital of ');
  await waitForText(page, '#mask-results', 'Put a [MASK] into the text');
  await page.keyboard.press('Tab');
  await page.keyboard.press('Enter'); // the button Insert [MASK], which returns the focus to the text
  await page.keyboard.type(' is Tokyo.');
  await waitForText(page, '#filled', 'The capital of Japan is Tokyo.');
  expect(await page.locator('#masks .token').allInnerTexts()).toEqual(TOKYO);

  const text = 'He wrote a long [MASK] to his [MASK].';
  expect(await fillMasks(page, text)).toEqual([LETTER, WIFE]);
  expect(await textOf(page, '#filled')).toBe('He wrote a long letter to his wife.');
  await page
    .getByRole('button', { name: /^visit/ })
    .first()
    .click();
  expect(await page.inputValue('#mask-text')).toBe('He wrote a long visit to his [MASK].');
  await page.waitForFunction(() => document.querySelectorAll('#masks ol').length === 1); // runs without a click
  await page.click('#undo');
  expect(await page.inputValue('#mask-text')).toBe(text);
  await page.waitForFunction(() => document.querySelectorAll('#masks ol').length === 2);
  await page.waitForURL(/#fill-mask\?text=He\+wrote/);

  await takePictures(page, 'fill-mask', '#fill-mask');
  await page.click('#fill-mask .change');
  await page.waitForSelector('#fill-mask .card');
  await takePictures(page, 'model-dialog', '#fill-mask dialog');
});

it('colours words by their surprise, and shows the words expected instead; in a subfolder of a site', async () => {
  const page = await open({
    path: 'some/folder/#fill-mask?mode=surprise&text=The+capital+of+France+is+London.',
    prepare: async (page) => {
      await page.route(/^(?!.*\/some\/folder\/)/, (route) => route.abort());
      await page.route(/\/some\/folder\//, async (route) => {
        const url = route.request().url().replace('some/folder/', '');
        await route.fulfill({ response: await route.fetch({ url }) });
      });
    },
  });
  await page.waitForFunction(() => {
    const words = [...document.querySelectorAll('.surprise .word')];
    return words.length > 0 && words.every((word) => word.classList.contains('scored'));
  });
  expect(await page.locator('.word').allInnerTexts()).toEqual(['The', 'capital', 'of', 'France', 'is', 'London']);
  const bits = (
    await page.locator('.word').evaluateAll((words) => words.map((word) => (word as HTMLElement).title))
  ).map((title) => Number.parseFloat(title));
  expect(bits[5]).toBeGreaterThan(bits[2]); // London surprises more than "of"
  // London has a probability of 3.9% here (see FRANCE): 4.7 bits.
  expect(bits[5]).toBeGreaterThan(4.2);
  expect(bits[5]).toBeLessThan(5.2);
  await page.click('.word >> nth=5');
  await page.getByRole('button', { name: /^Paris 5/ }).click();
  expect(await page.inputValue('#mask-text')).toBe('The capital of France is Paris.');
});

it('names the model of a link, and loads it only on request', async () => {
  const page = await open({ path: '#fill-mask?model=answerdotai/ModernBERT-large:q8' });
  await waitForText(page, '#fill-mask .model-name strong', 'answerdotai/ModernBERT-large');
  expect(await textOf(page, '#fill-mask .model-state')).toBe('not loaded');
  expect(page.workers()).toEqual([]);
});
