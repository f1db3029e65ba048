import type { Page } from 'playwright';
import { expect, it } from 'vitest';
import { literal } from '../cli/passages/dump';
import { schema } from '../cli/passages/schema';
import { download, longTasks, textOf, useDemo, waitForText, watchLongTasks } from './demo-page';
import { takePictures } from './pictures';

const open = useDemo();

const FILES = {
  'sea.txt': 'The old captain nailed a gold coin to the mast. Whoever first saw the white whale would have it.',
  'bread.md': '# Bread\n\nMix flour, water and salt, and let the dough rise for an hour before you bake it.',
  'court.html': '<title>Court</title><p>The judge asked the jury to leave; the lawyers were whispering.</p>',
};
const giveFiles = (page: Page, files: Record<string, string>) =>
  page.setInputFiles(
    '#drop input[multiple]',
    Object.entries(files).map(([name, text]) => ({ name, mimeType: 'text/plain', buffer: Buffer.from(text) })),
  );
const addFiles = (page: Page) => giveFiles(page, FILES);

const importIndex = (page: Page, sql: string) =>
  page.setInputFiles('#import-file', { name: 'index.sql', mimeType: 'text/plain', buffer: Buffer.from(sql) });

const found = (page: Page) => page.locator('#passages h3').allInnerTexts();

it('indexes files, searches by meaning and by words, keeps the index over a reload, exports and imports it', async () => {
  const requests: string[] = [];
  const page = await open({
    prepare: async (page) => page.on('request', (request) => requests.push(request.url())),
  });
  expect(requests.filter((url) => /pglite|initdb|vector/.test(url))).toEqual([]);
  await page.click('#tab-search');
  await waitForText(page, '#index-facts', 'Empty');
  await takePictures(page, 'search-empty', '#search');
  await watchLongTasks(page);
  const [[first, text], ...others] = Object.entries(FILES);
  await giveFiles(page, { [first]: text, 'photo.png': 'x', 'photo.jpg': 'x' });
  await giveFiles(page, Object.fromEntries(others)); // while the first is read
  await waitForText(
    page,
    '#index-facts',
    /^3 documents, 3 passages\. Vectors by nano-embed-q4, q4, 256 numbers each\.$/,
  );
  expect(await textOf(page, '#index-error')).toMatch(/^2 files of other types \(\.png, \.jpg\) were left out\. Text,/);
  expect(await longTasks(page, 100)).toEqual([]);
  expect(requests.filter((url) => !url.startsWith(new URL(page.url()).origin))).toEqual([]);

  await page.locator('.modes label', { hasText: 'Words' }).click();
  await page.fill('#query', 'whisper law');
  await waitForText(page, '#search-status', /^1 passage of 3: .* for the search\.$/);
  expect(await found(page)).toEqual(['court.html']);
  expect(await page.locator('#passages mark').allInnerTexts()).toEqual(['lawyers', 'whispering']);
  await page.fill('#query', 'whale ship sailors'); // before the mode, so that no vector of another query is computed
  await page.locator('.modes label', { hasText: 'Both' }).click();
  await waitForText(page, '#search-status', /^3 passages of 3: .* for the query's vector/);
  expect((await found(page))[0]).toBe('sea.txt');
  expect(await textOf(page, '#passages .scores >> nth=0')).toMatch(/^cosine 0\.\d\d · words 0\.\d{3}$/);
  expect(await page.locator('#passages li').first().locator('mark').allInnerTexts()).toEqual(['whale']);
  await takePictures(page, 'search-results', '#search');

  await page.click('#passages button >> nth=0');
  expect(await textOf(page, '#context mark')).toBe(FILES['sea.txt']);
  await takePictures(page, 'search-context', '#search');
  await page.keyboard.press('Escape');

  // Adding the same files again changes nothing, and the URL has the query.
  await addFiles(page);
  await page.waitForSelector('#indexing', { state: 'hidden' });
  await waitForText(page, '#index-facts', '3 documents, 3 passages.');
  expect(page.url()).toMatch(/#search\?q=whale\+ship\+sailors$/);
  await page.reload();
  await waitForText(page, '#search-status', /^3 passages of 3: .* for the query's vector/);
  expect((await found(page))[0]).toBe('sea.txt');

  const sql = (await download(page, '#export-sql')).bytes.toString();
  expect(sql.match(/^INSERT INTO passages\.\w+/gm)).toHaveLength(3);
  page.once('dialog', (dialog) => void dialog.accept());
  await page.click('#clear-index');
  await waitForText(page, '#index-facts', 'Empty');
  expect(await found(page)).toEqual([]);
  await importIndex(page, sql);
  await waitForText(page, '#index-facts', '3 documents, 3 passages.');
  await waitForText(page, '#search-status', '3 passages of 3');
  expect((await found(page))[0]).toBe('sea.txt');
});

it('finds by meaning what no word names, and keeps to the model that made the index', async () => {
  const requests: string[] = [];
  const page = await open({
    path: '#search',
    prepare: async (page) => page.on('request', (request) => requests.push(new URL(request.url()).pathname)),
  });
  const weightsOf = (name: string) => requests.filter((path) => path === `/models/${name}/model.safetensors`);
  await waitForText(page, '#index-facts', 'Empty');
  expect(weightsOf('nano-embed-q4')).toEqual([]);
  await addFiles(page);
  await waitForText(page, '#index-facts', /^3 documents, 3 passages\. Vectors by nano-embed-q4/);
  expect(weightsOf('nano-embed-q4')).toHaveLength(1);
  for (const [query, name] of [
    ['legal proceedings', 'court.html'],
    ['food from an oven', 'bread.md'],
  ]) {
    await page.locator('.modes label', { hasText: 'Words' }).click();
    await page.fill('#query', query);
    await waitForText(page, '#search-status', 'No passage has these words.');
    await page.locator('.modes label', { hasText: 'Meaning' }).click();
    await waitForText(page, '#search-status', /^3 passages of 3/);
    expect((await found(page))[0]).toBe(name);
  }

  page.once('dialog', (dialog) => void dialog.accept());
  await page.click('#clear-index');
  await waitForText(page, '#index-facts', 'Empty');
  await page.click('#search .change');
  const choice = page.locator('#search .built-in label', { hasText: 'all-MiniLM-L6-v2' });
  expect(await choice.innerText()).toMatch(/23 M parameters · up to 256 tokens · Apache-2\.0\s+[\d.]+ MB to download/);
  expect(weightsOf('all-MiniLM-L6-v2')).toEqual([]);
  await choice.click();
  await page.click('#search .load');
  await waitForText(page, '#search .model-state', 'ready');
  await addFiles(page);
  await waitForText(
    page,
    '#index-facts',
    /^3 documents, 3 passages\. Vectors by all-MiniLM-L6-v2, q4, 384 numbers each\.$/,
  );
  expect(page.url()).toContain('model=all-MiniLM-L6-v2');

  // An address that names no model: the index does.
  const home = new URL('#search?q=dough&mode=semantic', page.url()).href;
  await page.goto('about:blank');
  await page.goto(home);
  await waitForText(page, '#search-status', /^3 passages of 3: .* for the query's vector/);
  expect((await found(page))[0]).toBe('bread.md');
  expect(await textOf(page, '#search .model-name strong')).toBe('all-MiniLM-L6-v2');
});

it('stops and continues indexing the sample, and refuses vectors of another model', async () => {
  const page = await open({ path: '#search' });
  await waitForText(page, '#index-facts', 'Empty');
  await page.route('**/samples/moby-dick.json', async (route) => {
    const all = (await (await route.fetch()).json()) as { name: string; text: string }[];
    await route.fulfill({ json: all.slice(2, 4) }); // two chapters: SwiftShader is slow
  });
  await page.click('#add-sample');
  await waitForText(page, '#indexing-text', /^[1-9]\d* of \d+ passages embedded, \d+ (s|min) left$/);
  await takePictures(page, 'search-indexing', '#search');
  // Words answer while passages are embedded, and it says so.
  await page.fill('#query', 'harpooneer');
  await waitForText(
    page,
    '#search-status',
    /^\d+ passages? of \d+: .* Searching by meaning; passages are being embedded/,
  );
  await page.fill('#query', '');
  await page.click('#cancel-indexing');
  await waitForText(page, '#index-facts', /^2 documents, \d+ passages, \d+ without a vector yet\./);
  await page.locator('.modes label', { hasText: 'Words' }).click();
  await page.fill('#query', 'harpooneer');
  await waitForText(page, '#search-status', /^\d+ passages? of \d+/);
  await page.click('#continue-indexing');
  await waitForText(page, '#indexing-text', /^[1-9]\d* of \d+ passages embedded/);
  await page.click('#cancel-indexing');
  page.once('dialog', (dialog) => void dialog.accept());
  await page.click('#clear-index');
  await waitForText(page, '#index-facts', 'Empty');

  await importIndex(page, bigDump(2000, 256, 'other-model', 'f16'));
  await waitForText(page, '#index-facts', '1 document, 2,000 passages. Vectors by other-model');
  await page.locator('.modes label', { hasText: 'Meaning' }).click();
  await waitForText(page, '#search-error', /made with other-model \(f16, 256 dimensions\); vectors of nano-embed-q4/);
});

it('changes the index in one tab at a time', async () => {
  const page = await open({ path: '#search' });
  await waitForText(page, '#index-facts', 'Empty');
  const other = await page.context().newPage();
  await other.goto(page.url());
  await waitForText(other, '#index-facts', 'Empty');
  await other.evaluate(() => {
    void navigator.locks.request('modernbert-search-index', () => new Promise((end) => Object.assign(window, { end })));
  });
  await addFiles(page);
  await waitForText(page, '#index-error', 'Another tab of this page is changing the index. Try again when it is done.');
  await other.evaluate(() => (window as unknown as { end(): void }).end());
  await addFiles(page);
  await waitForText(page, '#index-facts', '3 documents, 3 passages.');
  expect(await page.locator('#index-error').isVisible()).toBe(false);
  // The other tab sees it when its user comes back to it.
  await other.evaluate(() => document.dispatchEvent(new Event('visibilitychange')));
  await waitForText(other, '#index-facts', '3 documents, 3 passages.');
});

it('searches 2,000 passages', async () => {
  const page = await open({ path: '#search' });
  await waitForText(page, '#index-facts', 'Empty');
  await importIndex(page, bigDump(2000, 256, 'nano-embed-q4', 'q4'));
  await waitForText(page, '#index-facts', '1 document, 2,000 passages.');
  for (const query of ['number 77', 'a whale', 'passage about the sea']) {
    await page.fill('#query', query);
    await waitForText(page, '#search-status', /^10 passages of 2,000: .* vector, (\d+) ms for the search\.$/);
    console.log(`2,000 passages, '${query}': ${await textOf(page, '#search-status')}`);
    await page.fill('#query', '');
    await waitForText(page, '#search-status', /^$/);
  }
});

/** An exported index of one document with random vectors. */
function bigDump(chunks: number, dim: number, model: string, dtype: string): string {
  const id = '00000000-0000-0000-0000-000000000001';
  let state = 1;
  const random = () => {
    state = (state * 48271) % 2147483647;
    return state / 2147483647 - 0.5;
  };
  const rows = Array.from({ length: chunks }, (_, i) => {
    const text = `Passage number ${i} about the sea, the whale and the ship.`;
    const vector = `[${Array.from({ length: dim }, () => random().toFixed(6)).join(',')}]`;
    return `('${id}', ${i}, ${i * 80}, ${i * 80 + text.length}, 16, ${literal(text)}, '${vector}')`;
  });
  return [
    '-- modernbert-webgpu search index.',
    'BEGIN;',
    ...schema(dim).map((statement) => `${statement.replace(/ *--.*$/gm, '').replace(/\s*\n\s*/g, ' ')};`),
    `INSERT INTO passages.model (name, dtype, dim) VALUES ('${model}', '${dtype}', ${dim});`,
    `INSERT INTO passages.documents (id, name, text) VALUES ('${id}', 'big.txt', 'long');`,
    ...Array.from(
      { length: Math.ceil(chunks / 50) },
      (_, i) =>
        `INSERT INTO passages.chunks (document, position, start_offset, end_offset, tokens, text, embedding) VALUES ${rows.slice(i * 50, i * 50 + 50).join(', ')};`,
    ),
    'COMMIT;',
    '',
  ].join('\n');
}
