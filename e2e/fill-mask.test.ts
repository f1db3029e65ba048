import type { Page } from 'playwright';
import { expect, it } from 'vitest';
import { exported, fillMasks, textOf, useDemo, waitForText } from './demo-page';
import { expectAccessible, takePictures } from './pictures';

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
  await waitForText(page, '#mask-results', 'Click a word, and the model guesses it.');
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
  expect(await textOf(page, '#filled')).toBe('He wrote a long visit to his wife.');
  expect(await page.inputValue('#mask-text')).toBe(text);
  await page.click('.put-in >> nth=0');
  expect(await page.inputValue('#mask-text')).toBe('He wrote a long visit to his [MASK].');
  await page.waitForFunction(() => document.querySelectorAll('#masks ol').length === 1); // runs without a click
  await page.click('#undo');
  expect(await page.inputValue('#mask-text')).toBe(text);
  await page.waitForFunction(() => document.querySelectorAll('#masks ol').length === 2);

  await answered(page);
  await takePictures(page, 'fill-mask', '#fill-mask');
  await page.click('#fill-mask .change');
  await page.waitForSelector('#fill-mask .card');
  await takePictures(page, 'model-dialog', '#fill-mask dialog');
});

/** Waits until the results are those of the text. */
const answered = (page: Page) => page.waitForSelector('#mask-results:not(.stale) #masks ol button');
const focused = (page: Page) => page.evaluate(() => document.activeElement?.textContent);

it('masks the word that is clicked, and takes it back', async () => {
  const page = await open();
  await answered(page);
  const word = (name: string) => page.locator('#filled').getByRole('button', { name });
  // The new mask is empty, and the other keeps its word.
  const atOnce = await word('capital').evaluate((button: HTMLElement) => {
    button.click();
    return document.querySelector('#filled')?.textContent;
  });
  expect(atOnce).toBe('The ? of France is Paris.');
  expect(await page.inputValue('#mask-text')).toBe('The [MASK] of France is [MASK].');
  await page.waitForSelector('#masks section >> nth=1');
  await answered(page);
  expect(await page.locator('#masks h3').allInnerTexts()).toEqual(['Mask 1', 'Mask 2']);
  expect(await page.locator('#masks li', { hasText: 'your word' }).locator('.token').allInnerTexts()).toEqual([
    'capital',
  ]);
  await page
    .locator('#masks section >> nth=0')
    .getByRole('button', { name: /^government/ })
    .click();
  expect(await textOf(page, '#filled')).toMatch(/^The government of France is \w+\.$/);
  await page.click('.back');
  expect(await page.inputValue('#mask-text')).toBe('The capital of France is [MASK].');
  expect(await focused(page)).toBe('capital');
  await page.click('#undo');
  expect(await page.inputValue('#mask-text')).toBe('The [MASK] of France is [MASK].');
  await page.waitForSelector('.back:visible >> text=Back to “capital”'); // what it hides is still known
  await answered(page);
  await page.click('#put-all');
  expect(await page.inputValue('#mask-text')).toMatch(/^The \w+ of France is \w+\.$/);
  expect(await page.inputValue('#mask-text')).toBe(await textOf(page, '#filled'));

  // With the keyboard only.
  await page.fill('#mask-text', 'He wrote a letter to his wife.');
  await page.focus('#filled [tabindex="0"]');
  await page.keyboard.press('End');
  expect(await focused(page)).toBe('wife');
  await page.keyboard.press('Home');
  for (let i = 0; i < 3; i++) await page.keyboard.press('ArrowRight');
  expect(await focused(page)).toBe('letter');
  await page.keyboard.press('Enter');
  expect(await page.inputValue('#mask-text')).toBe('He wrote a [MASK] to his wife.');
  await answered(page);
  const guess = await page.locator('#filled .tape').innerText();
  expect(await focused(page)).toBe(guess);
  await page.keyboard.press('Enter');
  expect(await page.evaluate(() => document.activeElement?.closest('li')?.textContent)).toContain(guess);
  await page.keyboard.press('Tab');
  await page.keyboard.press('Enter');
  const second = await page.locator('#masks .token >> nth=1').innerText();
  expect(await textOf(page, '#filled')).toBe(`He wrote a ${second} to his wife.`);
  await page.keyboard.press('Escape');
  expect(await focused(page)).toBe(second);
  await expectAccessible(page, '#fill-mask');
});

it('moves bars to their new places and lengths, but not for those who want no motion', async () => {
  const page = await open({
    prepare: (page) =>
      page.addInitScript(() => {
        const animations: string[] = [];
        Object.assign(window, { animations });
        const { animate } = Element.prototype;
        Element.prototype.animate = function (this: Element, ...given) {
          const [first] = given[0] as Keyframe[];
          animations.push(`${this.className || this.nodeName}: ${Object.keys(first).join()}`);
          return animate.apply(this, given);
        };
        const shifts: number[] = [];
        Object.assign(window, { shifts });
        new PerformanceObserver((list) => {
          for (const entry of list.getEntries() as (PerformanceEntry & {
            value: number;
            hadRecentInput: boolean;
            sources: { node?: Node }[];
          })[]) {
            const isOurs = entry.sources.some(({ node }) =>
              (node?.parentElement ?? undefined)?.closest('.work, footer'),
            );
            if (isOurs && !entry.hadRecentInput) shifts.push(entry.value);
          }
        }).observe({ type: 'layout-shift', buffered: true });
      }),
  });
  const take = () => page.evaluate(() => (window as unknown as { animations: string[] }).animations.splice(0));
  await answered(page);
  // Only the words after the mask move, when its word comes.
  const shifts = await page.evaluate(() => (window as unknown as { shifts: number[] }).shifts);
  expect(shifts.reduce((a, b) => a + b, 0)).toBeLessThan(0.001);
  await take();
  const height = await page.locator('#masks').evaluate((masks) => masks.clientHeight);
  await page.fill('#mask-text', 'The capital of Germany is [MASK].');
  await answered(page);
  const kinds = new Set(await take());
  expect(kinds).toContain('bar: width');
  expect(kinds).toContain('LI: transform');
  expect(await page.locator('#masks').evaluate((masks) => masks.clientHeight)).toBe(height);
  await page.emulateMedia({ reducedMotion: 'reduce' });
  await page.fill('#mask-text', 'The capital of England is [MASK].');
  await answered(page);
  expect(await take()).toEqual([]);
});

it('scores only some words: their shares, what is no single token, and a template', async () => {
  const page = await open();
  await answered(page);
  await page.click('#only-words summary');
  await page.getByRole('button', { name: 'The nurse said that [MASK] was tired. he / she' }).click();
  await waitForText(
    page,
    '#masks .foot',
    /^Shares among these words; raw: of all words\. “s?he” is [\d.]+ times as likely as “s?he”\.$/,
  );
  expect((await page.locator('#masks .token').allInnerTexts()).sort()).toEqual(['he', 'she']);
  const scores = (await page.locator('#masks .score').allInnerTexts()).map(Number.parseFloat);
  expect(scores[0] + scores[1]).toBeCloseTo(100, 0);
  const raw = (await page.locator('#masks .note').allInnerTexts()).map((note) =>
    Number.parseFloat(note.replace(/\D+/, '')),
  );
  expect(raw[0] / raw[1]).toBeCloseTo(scores[0] / scores[1], 1);
  expect(raw[0] + raw[1]).toBeLessThan(100);
  await page.fill('#targets', 'he, midwifery');
  await waitForText(
    page,
    '#targets-note',
    /^“midwifery” is \d tokens of this model \(.*\) and a mask stands for one: left out\.$/,
  );
  await answered(page);
  expect(await page.locator('#masks .token').allInnerTexts()).toEqual(['he']);
  await page.fill('#targets', 'midwifery');
  await waitForText(page, '#fill-mask .error:visible', 'None of the words under “Only these words” can be scored.');
  await page.fill('#targets', 'she, he');
  await answered(page);
  await takePictures(page, 'fill-mask-targets', '#fill-mask');
  const row = page.locator('#fill-mask .take-away');
  await row.getByRole('button', { name: 'Code' }).click();
  await waitForText(page, '#fill-mask .snippet >> nth=0', '{ topK: 2, targets: ["she","he"] }');
  await waitForText(page, '#fill-mask .snippet >> nth=1', /fill-mask \S+nano --top-k 2 --targets 'she,he'/);
  const table = await exported(page, '#fill-mask', 'CSV');
  expect([table.name, table.bytes.toString().split('\r\n')[0]]).toEqual([
    'masks.csv',
    '\ufeffmask,start,rank,token,probability',
  ]);
});

it('says what is missing where a part of the page cannot be loaded', async () => {
  const body = 'throw new TypeError("Failed to fetch dynamically imported module");';
  const page = await open({
    prepare: (page) =>
      page.route(/\/(targets|history-view)-[\w-]{8}\.js$/, (route) =>
        route.fulfill({ contentType: 'text/javascript', body }),
      ),
  });
  for (const part of ['#only-words', '#mask-history']) {
    await page.click(`${part} summary`);
    await waitForText(page, `${part} .error`, 'The network does not answer. Try again when it does.');
  }
  await page.click('#only-words summary');
  await page.click('#only-words summary');
  expect(await page.locator('#only-words .error').count()).toBe(1);
});

it('says which of two texts is likelier, and marks the words that differ', async () => {
  const page = await open({
    path: '#fill-mask?mode=compare&text=The+capital+of+France+is+Paris.&second=The+capital+of+France+is+London.',
  });
  await waitForText(page, '.verdict', /^The first is [\d.,]+ times as likely: [\d.]+ bits fewer\.$/);
  const bits = (await page.locator('.sum').allInnerTexts()).map(Number.parseFloat);
  const difference = Number.parseFloat((await textOf(page, '.verdict')).split(': ')[1]);
  expect(bits[1] - bits[0]).toBeCloseTo(difference, 0);
  expect(await page.locator('.differs').allInnerTexts()).toEqual(['Paris', 'London']);
  expect(await page.locator('.compared .word.scored').count()).toBe(12);
  await takePictures(page, 'fill-mask-compare', '#fill-mask');
  const { texts, json } = await exported(page, '#fill-mask', 'JSON').then(({ bytes }) => {
    const json = JSON.parse(bytes.toString());
    return { json, texts: json.map(({ text }: { text: string }) => text) };
  });
  expect(texts).toEqual(['The capital of France is Paris.', 'The capital of France is London.']);
  expect(json[0].bits).toBeCloseTo(bits[0], 1);
  expect(json[0].pseudoPerplexity).toBeCloseTo(2 ** (json[0].bits / json[0].tokens), 6);
  // Fewer words have fewer bits, and the page says so.
  await page.fill('#second-text', 'Paris.');
  await waitForText(page, '#mask-results', 'Their lengths differ');
  await page.fill('#second-text', ' ');
  await waitForText(page, '#fill-mask .error:visible', 'The second text is empty.');
});

it('does not score masks, and expects words in the place that was chosen, whatever other masks there are', async () => {
  // The word after a mask is London; the mask before it hides a city's country.
  const page = await open({ path: '#fill-mask?mode=surprise&text=The+[MASK]+of+France+is+London.' });
  await waitForText(page, '.surprise-summary', /in all: probability 1 in .* over 5 words/);
  await waitForText(
    page,
    '#mask-results .hint >> nth=0',
    'Click a word to see what was expected there. Masks are not scored: put words in their place, or choose Fill masks.',
  );
  expect(await page.locator('.surprise .word').allInnerTexts()).toEqual(['The', 'of', 'France', 'is', 'London']);
  const of = page.locator('.surprise .word', { hasText: 'London' });
  await of.click();
  await waitForText(page, '.word-detail h3', '“London”');
  await page.waitForSelector('.expected li');
  const expected = async () =>
    (await page.locator('.expected button').allInnerTexts()).map((text) => text.split(' ')[0]);
  const inPlace = await expected();
  // The same as where the other mode asks for both masks: those of the second.
  await page.click('#fill-mask [name=mode][value=fill] + span');
  const [first, second] = await fillMasks(page, 'The [MASK] of France is [MASK].');
  expect(inPlace).toEqual(second);
  expect(inPlace).not.toEqual(first);

  await page.click('#fill-mask [name=mode][value=surprise] + span');
  await page.fill('#mask-text', '[MASK] [MASK]');
  await waitForText(page, '#mask-results .hint >> nth=0', /^Masks are not scored: put words in their place/);

  // Sums over other words say nothing of which text is likelier.
  await page.click('#fill-mask [name=mode][value=compare] + span');
  await page.fill('#mask-text', 'The capital of France is [MASK].');
  await page.fill('#second-text', 'The capital of France is London.');
  await waitForText(page, '.verdict', 'Texts with different masks cannot be compared.');
  await waitForText(page, '#mask-results', 'The first has 1 mask, the second 0 masks. Masks are not scored: put words');
  await page.fill('#second-text', 'The capital of England is [MASK].');
  await waitForText(page, '.verdict', /times as likely|equally likely/);
  await waitForText(page, '#mask-results', 'Masks are not scored.');
});

it('keeps texts that gave results, on the device and out of the URL', async () => {
  const page = await open();
  await answered(page);
  const url = page.url().replace(/#.*/, '');
  await page.fill('#mask-text', 'He wrote a long [MASK] to his [MASK].');
  await waitForText(page, '#masks', 'Mask 2');
  await answered(page);
  await page.click('#fill-mask [name=mode][value=surprise] + span');
  await waitForText(page, '.surprise-summary', /in all: probability 1 in/);
  await page.waitForURL(/#fill-mask\?mode=surprise$/);
  await page.goto('about:blank');
  await page.goto(`${url}#fill-mask`);
  await waitForText(page, '.surprise-summary', /in all/);
  expect(page.url()).not.toContain('wrote');

  await page.click('#mask-history summary');
  const items = page.locator('#mask-history li');
  await items.first().waitFor();
  expect(await items.locator('.text').allInnerTexts()).toEqual([
    'He wrote a long [MASK] to his [MASK].',
    'He wrote a long [MASK] to his [MASK].',
    'The capital of France is [MASK].',
  ]);
  await items.nth(2).locator('.restore').click();
  expect(await page.inputValue('#mask-text')).toBe('The capital of France is [MASK].');
  expect(await page.isChecked('[name=mode][value=fill]')).toBe(true);
  await page.click('#undo');
  expect(await page.inputValue('#mask-text')).toBe('He wrote a long [MASK] to his [MASK].');
  expect(await page.isChecked('[name=mode][value=surprise]')).toBe(true);
  await waitForText(page, '.surprise-summary', /in all/);
  await expectAccessible(page, '#mask-history');
  const count = await items.count();
  await items.first().locator('.remove').click();
  expect(await items.count()).toBe(count - 1);
  expect(await page.evaluate(() => document.activeElement?.className)).toBe('remove');
  await page.getByRole('button', { name: 'Clear all' }).click();
  expect(await items.count()).toBe(0);
  expect(await focused(page)).toBe('Bring back');
  await page.keyboard.press('Enter');
  expect(await items.count()).toBe(count - 1);
});

it('shows the field and its answer on the first screen of a phone', async () => {
  const page = await open();
  await answered(page);
  for (const [width, height] of [
    [390, 664],
    [320, 640],
  ]) {
    await page.setViewportSize({ width, height });
    expect(await page.evaluate(() => document.documentElement.scrollWidth - innerWidth)).toBe(0);
    expect(await page.locator('#filled').evaluate((filled) => filled.getBoundingClientRect().bottom)).toBeLessThan(
      height,
    );
  }
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
  await waitForText(
    page,
    '.surprise-summary',
    /^[\d.]+ bits in all: probability 1 in .* per word over 6 words, pseudo-perplexity .* over 7 tokens\.$/,
  );
  await takePictures(page, 'fill-mask-surprise', '#fill-mask');
});

it('names the model of a link, and loads it only on request', async () => {
  const page = await open({ path: '#fill-mask?model=answerdotai/ModernBERT-large:q8' });
  await waitForText(page, '#fill-mask .model-name strong', 'answerdotai/ModernBERT-large');
  expect(await textOf(page, '#fill-mask .model-state')).toBe('not loaded');
  expect(page.workers()).toEqual([]);
});
