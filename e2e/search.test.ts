import type { Page } from 'playwright';
import { expect, it } from 'vitest';
import { sampleDocuments } from '../tools/sample.mjs';
import { exported, longTasks, prepareWorker, textOf, useDemo, waitForText, watchLongTasks } from './demo-page';
import { makePdf } from './pdf';
import { takePictures } from './pictures';

const open = useDemo();

const FILES = {
  'sea.txt': 'The old captain nailed a gold coin to the mast. Whoever first saw the white whale would have it.',
  'bread.md': '# Bread\n\nMix flour, water and salt, and let the dough rise for an hour before you bake it.',
  'court.html': '<title>Court</title><p>The judge asked the jury to leave; the lawyers were whispering.</p>',
};
const giveFiles = (page: Page, files: Record<string, string | Buffer>) =>
  page.setInputFiles(
    '#drop input[multiple]',
    Object.entries(files).map(([name, text]) => ({ name, mimeType: '', buffer: Buffer.from(text) })),
  );
const addFiles = (page: Page) => giveFiles(page, FILES);

/** The titles of all hits, folded ones too. */
const found = (page: Page) => page.locator('#found h3').allTextContents();
const chooseMode = (page: Page, name: string) => page.locator('.modes label', { hasText: name }).click();
/** Waits for an answer by meaning. */
const answered = (page: Page) => waitForText(page, '#search-status', /\d+ passages? of [\d,]+, in [\d.]+ m?s\.$/);
const SAMPLE = '138 chapters, 2,784 passages. Vectors by nano-embed-q4.';

it('finds in the sample before the model is there: what it proposes by meaning, all else by words; opens the place, and finds more like it', async () => {
  const page = await open({
    // The model waits until the test lets it come.
    prepare: (page) =>
      prepareWorker(
        page,
        `{
           const load = fetch;
           const go = new Promise((resolve) => { new BroadcastChannel('go').onmessage = resolve; });
           globalThis.fetch = async (...given) => { await go; return load(...given); };
         }`,
      ),
  });
  await watchLongTasks(page);
  await page.click('#tab-search');
  await waitForText(page, '#index-facts', SAMPLE);
  expect(await longTasks(page, 100)).toEqual([]);
  await page.getByRole('button', { name: 'how to cook whale meat' }).click();
  await answered(page);
  expect((await found(page))[0]).toBe("Chapter 64: Stubb's Supper");
  expect(await textOf(page, '.relevance >> nth=0')).toBe('likely');
  await page.fill('#query', 'the sermon about Jonah');
  await waitForText(
    page,
    '#search-status',
    /^10 passages of 2,784, in [\d.]+ m?s, by words\. Searching by meaning; the model is/,
  );
  expect(await found(page)).toContain('Chapter 9: The Sermon');
  expect(await page.locator('.relevance').count()).toBe(0);

  await page.evaluate(() => new BroadcastChannel('go').postMessage('now'));
  await answered(page);
  expect((await found(page))[0]).toBe('Chapter 9: The Sermon');
  expect(await textOf(page, '.relevance >> nth=0')).toBe('likely');
  expect(await page.locator('#passages mark').first().innerText()).toMatch(/^(Jonah|sermon)$/i);
  expect(page.url()).toMatch(/#search$/); // what is looked for stays on the device
  await takePictures(page, 'search-results', '#search');
  const passages = JSON.parse((await exported(page, '#search', 'Passages as JSON')).bytes.toString());
  expect(passages[0]).toMatchObject({
    rank: 1,
    file: 'Moby-Dick',
    place: 'Chapter 9: The Sermon',
    cosine: expect.any(Number),
  });
  expect(passages.map(({ place }: { place: string }) => place)).toEqual(await found(page));
  const table = (await exported(page, '#search', 'Passages as CSV')).bytes.toString().split('\r\n');
  expect(table[0]).toBe('\ufeffrank,file,place,score,cosine,relevance,text');
  expect(table[1]).toMatch(/^1,Moby-Dick,Chapter 9: The Sermon,0\.\d+,0\.\d+,likely,/);

  await page.getByRole('button', { name: 'Open in context: Chapter 9: The Sermon' }).click();
  expect(await textOf(page, '#context h3')).toBe('Moby-Dick, Chapter 9: The Sermon');
  const [passage, context] = [await textOf(page, '#context mark'), await textOf(page, '#context-text')];
  expect(passage).toContain('Jonah');
  expect(context.length).toBeGreaterThan(15_000); // also of the chapters around
  await takePictures(page, 'search-context', '#search');
  await page.keyboard.press('Escape');
  expect(await page.evaluate(() => document.activeElement?.textContent)).toBe('Open in context');

  await page.getByRole('button', { name: 'More like this: Chapter 9: The Sermon' }).click();
  await waitForText(page, '#search-status', /^Most like “.*…”: 10 passages of 2,784/);
  expect(await found(page)).not.toContain('Chapter 9: The Sermon');
  expect(await found(page)).toContain('Chapter 83: Jonah Historically Regarded');

  await page.fill('#query', '');
  await takePictures(page, 'search-empty', '#search');
  await chooseMode(page, 'Words');
  await page.fill('#query', 'microprocessor');
  await waitForText(page, '#search-status', 'No passage has these words.');
  await chooseMode(page, 'Meaning');
  await waitForText(
    page,
    '#search-status',
    /^Nothing here seems to fit\. The nearest are unlikely: 10 passages of 2,784, in [\d.]+ m?s\.$/,
  );
});

it('tries a model that cannot be loaded once, and one that was cancelled not again, until it is asked for', async () => {
  let requests = 0;
  let answer: 'fails' | 'waits' | 'comes' = 'fails';
  const page = await open({
    path: '#search',
    prepare: async (page) => {
      await page.context().route(/nano-embed-q4\/config\.json/, async (route) => {
        requests++;
        if (answer === 'fails') return route.fulfill({ status: 403, body: '' });
        if (answer === 'comes') return route.continue();
      });
    },
  });
  await waitForText(page, '#search .model > .error', 'HTTP 403');
  await page.fill('#query', 'whale oil');
  const byWords = /^10 passages of 2,784, in [\d.]+ m?s, by words\. By meaning too with the model: press Enter/;
  await waitForText(page, '#search-status', byWords);
  await page.waitForTimeout(1500);
  expect(requests).toBe(1);
  expect(await textOf(page, '#search .model > .error')).toContain('HTTP 403');
  expect(await page.locator('#search-error').isVisible()).toBe(false);

  answer = 'waits';
  await page.press('#query', 'Enter');
  await waitForText(page, '#search-status', /by words\. Searching by meaning; the model is loading …$/);
  await page.click('#search .loading button');
  await waitForText(page, '#search-status', byWords);
  await page.waitForTimeout(1500);
  expect([requests, await textOf(page, '#search .model-state')]).toEqual([2, 'cancelled']);

  answer = 'comes';
  await page.press('#query', 'Enter');
  await answered(page);
  expect(requests).toBe(3);
});

it('folds unlikely passages under a button, keeps whether they are shown, and exports all with what is said of them', async () => {
  const page = await open({ path: '#search' });
  await waitForText(page, '#index-facts', SAMPLE);
  await waitForText(page, '#search .model-state', 'ready');
  const fold = page.locator('#show-unlikely');
  const visible = () => page.locator('#found li:visible .relevance').allInnerTexts();
  const saved = async () => JSON.parse((await exported(page, '#search', 'Passages as JSON')).bytes.toString());

  // A name has little meaning: the passage that has it is there, and those that only resemble it are folded.
  await page.fill('#query', 'Nathan Swain');
  await answered(page);
  const count = Number(/^(\d+) passages of 2,784/.exec(await textOf(page, '#search-status'))?.[1]);
  expect(count).toBeLessThan(10);
  expect(await visible()).toHaveLength(count);
  expect((await visible())[0]).toBe('same words');
  expect(await page.locator('#passages li').first().locator('mark').allInnerTexts()).toEqual(['Nathan', 'Swain']);
  expect(await visible()).not.toContain('unlikely');
  expect(await fold.innerText()).toBe(`Show ${10 - count} unlikely passages`);
  expect(await fold.getAttribute('aria-expanded')).toBe('false');
  const rows = await saved();
  expect(rows).toHaveLength(10);
  expect(rows[0]).toMatchObject({ place: 'Chapter 3: The Spouter-Inn', relevance: 'same words' });
  expect(rows[0].cosine).toBeLessThan(0.4);
  expect(rows.filter(({ relevance }: { relevance: string }) => relevance === 'unlikely')).toHaveLength(10 - count);
  // A phone shows six lines: those with the words that were found.
  await page.setViewportSize({ width: 390, height: 844 });
  const card = page.locator('#passages .text').first();
  expect(await card.innerText()).toMatch(/^… With this once long lance/);
  const boxes = [await card.boundingBox(), await card.locator('mark').last().boundingBox()];
  expect(boxes[1]!.y + boxes[1]!.height).toBeLessThan(boxes[0]!.y + boxes[0]!.height + 1);
  await takePictures(page, 'search-folded', '#search');

  // Keyboard: the button keeps the focus, and what it shows comes after it.
  await fold.focus();
  await page.keyboard.press('Enter');
  expect(await fold.innerText()).toBe(`Hide ${10 - count} unlikely passages`);
  expect(await fold.getAttribute('aria-expanded')).toBe('true');
  expect(await visible()).toHaveLength(10);
  expect((await visible()).slice(count)).toEqual(Array(10 - count).fill('unlikely'));
  await page.keyboard.press('Tab');
  expect(await page.evaluate(() => document.activeElement?.closest('#unlikely li') !== null)).toBe(true);
  await takePictures(page, 'search-unfolded', '#search');
  await page.waitForURL(/unlikely=shown/);
  await page.reload();
  await answered(page);
  expect(await visible()).toHaveLength(10);
  await fold.click();
  await page.waitForURL(/#search$/);

  // Where nothing fits the page says so, and shows nothing that it takes for wrong. The button's focus is not lost with it.
  await page.fill('#query', 'microprocessor');
  await waitForText(page, '#search-status', /^Nothing here seems to fit\. The nearest are unlikely: 10 passages/);
  expect(await visible()).toEqual([]);
  await fold.focus();
  await page.evaluate(() => {
    const words = document.querySelector<HTMLInputElement>('[name=search-mode][value=words]')!;
    words.checked = true;
    words.dispatchEvent(new Event('change'));
  });
  await waitForText(page, '#search-status', 'No passage has these words.');
  expect(await fold.isVisible()).toBe(false);
  expect(await page.evaluate(() => document.activeElement?.id)).toBe('query');
});

it('shows passages in whole sentences', async () => {
  const page = await open({ path: '#search?mode=words' });
  await waitForText(page, '#index-facts', SAMPLE);
  await page.fill('#query', 'Nathan Swain fifteen whales');
  await waitForText(page, '#search-status', /by words\.$/);
  const text = await textOf(page, '#passages .text >> nth=0');
  expect(text).toMatch(/^Some were thickly set with glittering teeth/);
  expect(text).toMatch(/[.!?]["'”]?( …)?$/);
  // The index's own passage, which is what its cosine is of, is the same as ever.
  const [row] = JSON.parse((await exported(page, '#search', 'Passages as JSON')).bytes.toString());
  expect(text.replace(/\s+/g, ' ')).toContain(row.text.replace(/\s+/g, ' '));
  expect(row.text.length).toBeLessThan(text.length);
  const texts = await page.locator('#passages .text').allInnerTexts();
  const whole = texts.filter((text) => /^["“'‘(—\-\d*]*\p{Lu}|^…/u.test(text));
  expect(whole).toHaveLength(texts.length);
});

it('indexes files, keeps the index over a reload, exports and imports it, and sends nothing anywhere', async () => {
  const requests: string[] = [];
  const page = await open({
    path: '#search',
    prepare: async (page) => page.on('request', (request) => requests.push(request.url())),
  });
  await waitForText(page, '#index-facts', SAMPLE);
  const [[first, text], ...others] = Object.entries(FILES);
  await giveFiles(page, { [first]: text, 'photo.png': 'x', 'photo.jpg': 'x' });
  await giveFiles(page, Object.fromEntries(others)); // while the first is read
  await waitForText(page, '#index-facts', '3 files, 3 passages. Vectors by nano-embed-q4.');
  expect(await textOf(page, '#index-error')).toMatch(/^2 files of other types \(\.jpg, \.png\) were left out\. Text,/);
  expect(requests.filter((url) => !url.startsWith(new URL(page.url()).origin))).toEqual([]);

  await chooseMode(page, 'Words');
  await page.fill('#query', 'whispering law');
  await waitForText(page, '#search-status', /^1 passage of 3, in \d+ ms, by words\.$/);
  expect(await found(page)).toEqual(['court.html']);
  expect(await page.locator('#passages mark').allInnerTexts()).toEqual(['whispering']);
  for (const [query, name] of [
    ['legal proceedings', 'court.html'],
    ['food from an oven', 'Bread'],
    ['whale ship sailors', 'sea.txt'],
  ]) {
    await chooseMode(page, 'Meaning');
    await page.fill('#query', query);
    await answered(page);
    await expect.poll(async () => (await found(page))[0]).toBe(name);
  }
  await takePictures(page, 'search-own', '#search');

  // The same files again change nothing; a changed one takes its place.
  await giveFiles(page, { ...FILES, 'bread.md': '# Rye\n\nSour dough takes a day.' });
  await page.waitForSelector('#indexing .progress', { state: 'hidden' });
  await waitForText(page, '#index-facts', '3 files, 3 passages.');
  await chooseMode(page, 'Both');
  await page.fill('#query', 'sour dough');
  await expect.poll(async () => (await found(page))[0]).toBe('Rye');
  await page.reload();
  await waitForText(page, '#index-facts', '3 files, 3 passages. Vectors by nano-embed-q4.');
  await answered(page);
  expect((await found(page))[0]).toBe('Rye');

  const { name, bytes } = await exported(page, '#search', 'Index');
  expect(name).toBe('search-index.safetensors');
  page.once('dialog', (dialog) => void dialog.accept());
  await page.click('#clear-index');
  await waitForText(page, '#index-facts', 'No files yet: drop some anywhere here.');
  expect(await found(page)).toEqual([]);
  const importFile = (buffer: Buffer) =>
    page.setInputFiles('#import-file', { name: 'index.safetensors', mimeType: '', buffer });
  await importFile(bytes.subarray(0, 100));
  await waitForText(page, '#index-error', /index file/);
  await importFile(bytes);
  await waitForText(page, '#index-facts', '3 files, 3 passages. Vectors by nano-embed-q4.');
  await expect.poll(async () => (await found(page))[0]).toBe('Rye');
  await page.locator('#documents summary').click();
  await page.getByRole('button', { name: 'Remove bread.md' }).click();
  await waitForText(page, '#index-facts', '2 files, 2 passages.');
});

it('finds the page of a PDF and the section of a long text', async () => {
  const page = await open({ path: '#search?in=own' });
  const long = ['# Ships', 'sail and mast. '.repeat(300), '# Ovens', 'flour and yeast. '.repeat(300)].join('\n\n');
  await giveFiles(page, {
    'paper.pdf': makePdf(['Ships sail on the sea.'], { next: ['Bread is baked in an oven.'] }),
    'notes/long.md': long,
  });
  await waitForText(page, '#index-facts', /^2 files, \d+ passages\./);
  await page.fill('#query', 'baked bread');
  await expect.poll(async () => (await found(page))[0]).toBe('page 2');
  expect(await found(page)).toEqual(expect.arrayContaining(['page 1', 'Ships', 'Ovens']));
  await page.getByRole('button', { name: 'Open in context: page 2' }).click();
  expect(await textOf(page, '#context h3')).toBe('paper.pdf, page 2');
  expect(await textOf(page, '#context mark')).toBe('Bread is baked in an oven.');
  expect(await textOf(page, '#context-text')).toContain('Ships sail on the sea.');
});

it("stops and continues; words answer meanwhile; another model's vectors are made anew", async () => {
  const page = await open({ path: '#search' });
  await waitForText(page, '#index-facts', SAMPLE);
  await page.fill('#query', 'harpooneer');
  await answered(page);
  const chapters = sampleDocuments().slice(2, 5); // SwiftShader is slow
  await giveFiles(page, Object.fromEntries(chapters.map(({ text }, i) => [`chapter-${i}.txt`, text.slice(0, 4000)])));
  await waitForText(page, '#indexing .count', /^Embedding: [1-9]\d* of about \d+ passages, \d+ (s|min) left$/);
  // What is shown is the index that is being made, which has nothing yet.
  expect(await textOf(page, '#index-facts')).toBe('No files yet: the first are on their way.');
  expect(await found(page)).toEqual([]);
  await takePictures(page, 'search-indexing', '#search');
  await page.locator('.switch label', { hasText: 'Moby-Dick' }).click();
  await waitForText(
    page,
    '#search-status',
    /^10 passages of 2,784, in .*, by words\. Searching by meaning; passages are being/,
  );
  await page.fill('#query', '');
  await page.click('#indexing button');
  await page.reload();
  await page.locator('.switch label', { hasText: 'Your files' }).click();
  await page.click('#continue-indexing');
  await waitForText(page, '#index-facts', /^3 files, \d+ passages\. Vectors by nano-embed-q4\.$/);
  expect(await page.locator('#continue-indexing').isVisible()).toBe(false);

  await giveFiles(page, FILES);
  await waitForText(page, '#index-facts', /^6 files/);
  for (let i = 0; i < 3; i++) {
    await page.locator('#documents').evaluate((details: HTMLDetailsElement) => Object.assign(details, { open: true }));
    await page.getByRole('button', { name: `Remove chapter-${i}.txt` }).click();
    await waitForText(page, '#index-facts', `${5 - i} files`);
  }
  await page.click('#search .change');
  const card = page.locator('#search .card', { hasText: 'all-MiniLM-L6-v2' });
  expect(await card.innerText()).toMatch(/Download\s+13\.4 MB\s.*Texts up to\s+256 tokens\s+Licence\s+Apache-2\.0/s);
  await card.getByRole('button').click();
  await waitForText(page, '#search .model-state', 'ready');
  await page.fill('#query', 'dough');
  await waitForText(
    page,
    '#search-status',
    /by words\. Its vectors are by nano-embed-q4, and all-MiniLM-L6-v2 cannot be compared/,
  );
  await page.getByRole('button', { name: 'Embed it again with all-MiniLM-L6-v2' }).click();
  await waitForText(page, '#index-facts', '3 files, 3 passages. Vectors by all-MiniLM-L6-v2.');
  await answered(page);
  expect((await found(page))[0]).toBe('Bread');

  // An address that names no model: the index does.
  const home = new URL('#search?q=dough&mode=vectors&in=own', page.url()).href;
  await page.goto('about:blank');
  await page.goto(home);
  await answered(page);
  expect((await found(page))[0]).toBe('Bread');
  expect(await textOf(page, '#search .model-name strong')).toBe('all-MiniLM-L6-v2');
});

it('changes the index in one tab at a time, and shows what the other has changed', async () => {
  const page = await open({ path: '#search?in=own' });
  await waitForText(page, '#index-facts', 'No files yet');
  const other = await page.context().newPage();
  await other.goto(page.url());
  await waitForText(other, '#index-facts', 'No files yet');
  await other.evaluate(() => {
    const hold = () => new Promise((end) => Object.assign(window, { end }));
    void navigator.locks.request('modernbert-webgpu/demo/index', hold);
  });
  await addFiles(page);
  await waitForText(page, '#index-error', 'Another tab of this page is changing the index. Try again when it is done.');
  await other.evaluate(() => (window as unknown as { end(): void }).end());
  await addFiles(page);
  await waitForText(page, '#index-facts', '3 files, 3 passages.');
  expect(await page.locator('#index-error').isVisible()).toBe(false);
  await waitForText(other, '#index-facts', '3 files, 3 passages.');
});
