import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import type { Page } from 'playwright';
import { afterAll, expect, it } from 'vitest';
import { SAMPLE, SAMPLE_CLASSES } from '../demo/sort/sample';
import { exported, textOf, useDemo, waitForText } from './demo-page';
import { expectAccessible, takePictures } from './pictures';

const open = useDemo();
const folder = await mkdtemp(join(tmpdir(), 'sort-'));
afterAll(() => rm(folder, { recursive: true }));

const kindOf = new Map(SAMPLE.map(({ name, kind }) => [name, kind]));
/** Files of the sample, a few of each kind: SwiftShader is slow. */
const few = (each: number) =>
  SAMPLE_CLASSES.flatMap((label) => SAMPLE.filter(({ kind }) => kind === label).slice(0, each));

const giveFiles = (page: Page, files: { name: string; text: string }[]) =>
  page.setInputFiles(
    '#sort-drop input[multiple]',
    files.map(({ name, text }) => ({ name, mimeType: '', buffer: Buffer.from(text) })),
  );
const nameClass = async (page: Page, name: string) => {
  await page.fill('#sort-class-name', name);
  await page.keyboard.press('Enter');
};
const state = '.doc-state';
/** SwiftShader is slow. */
const SLOW = { timeout: Number(process.env.E2E_TIMEOUT ?? 120_000) };
const guessed = (page: Page, files: number) =>
  expect.poll(() => page.locator(state).filter({ hasText: 'guess' }).count(), SLOW).toBe(files);
const names = (page: Page) => page.locator('.doc .name').allTextContents();
const chips = (page: Page) =>
  page.locator('#sort-chips input').evaluateAll((fields) => fields.map((field) => (field as HTMLInputElement).value));
const row = (page: Page, name: string) => page.locator('.doc', { hasText: name });
const choose = (page: Page, name: string, label: string) =>
  row(page, name).getByRole('button', { name: label, exact: true }).click();
const quality = '#sort-quality';

/** The exported table: file, class, confidence, who says so. */
async function table(page: Page): Promise<string[][]> {
  const { name, bytes } = await exported(page, '#sort', 'Table of all files as CSV');
  expect(name).toBe('files.csv');
  const [head, ...rows] = bytes.toString().trimEnd().split('\r\n');
  expect(head).toBe('\ufefffile,class,confidence,labelled by');
  return rows.map((line) => line.split(','));
}

it('guesses from the names of classes, learns from labels, and gives a table and a head to take away', async () => {
  const requests: string[] = [];
  const page = await open({
    path: '#sort',
    prepare: async (page) => page.on('request', (request) => requests.push(request.url())),
  });
  await page.waitForSelector('#sort-sample');
  await takePictures(page, 'sort-empty', '#sort');
  await giveFiles(page, SAMPLE);
  await waitForText(page, '#sort-facts', '24 files');
  expect(await textOf(page, quality)).toBe('Name at least two classes.');
  await nameClass(page, 'invoice');
  expect(await page.locator('#sort-class-name').getAttribute('placeholder')).toBe('At least one more');
  await nameClass(page, 'Invoice');
  await waitForText(page, '#sort-class-error', 'There is a class invoice already.');
  await nameClass(page, 'minutes of a meeting');
  await nameClass(page, 'recipe');
  expect(await page.evaluate(() => document.activeElement?.id)).toBe('sort-class-name');
  await guessed(page, 24);
  expect(await textOf(page, quality)).toMatch(
    /^Guesses from the class names alone\. .* invoice 2, minutes of a meeting 2, recipe 2\.$/,
  );
  await takePictures(page, 'sort-guesses', '#sort');

  // The two that are in between come first, and the model is wrong about both.
  expect((await names(page)).slice(0, 2).toSorted()).toEqual(['inbox-11.txt', 'paper-10.txt']);
  const before = await table(page);
  const wrong = before.filter(([name, label]) => label !== kindOf.get(name)).map(([name]) => name);
  expect(wrong.length).toBeLessThan(4);
  expect(before.every(([, , score, by]) => Number(score) > 1 / 3 && by === 'guess')).toBe(true);

  await choose(page, 'inbox-11.txt', 'invoice');
  await choose(page, 'paper-10.txt', 'minutes of a meeting');
  await waitForText(page, quality, /^2 labels so far\. .* invoice 1, minutes of a meeting 1, recipe 2\.$/);
  for (const label of ['invoice', 'minutes of a meeting', 'recipe', 'recipe']) {
    const open = await page.locator('.doc:not(.labelled) .name').allTextContents();
    const [name] = open.filter((name) => kindOf.get(name) === label);
    await choose(page, name, label);
  }
  await waitForText(page, quality, /^6 labels so far\. \d+% right on held-out labels \(\d+% to \d+%\)\.$/);
  await page.locator('#sort-matrix > summary').click();
  const cells = (await page.locator('#sort-matrix .cell').allInnerTexts()).map(Number);
  expect(cells).toHaveLength(9);
  expect(cells.reduce((sum, n) => sum + n)).toBe(6);
  await takePictures(page, 'sort-labels', '#sort');

  const after = await table(page);
  expect(after).toHaveLength(24);
  expect(after.filter(([, , score, by]) => by === 'you' && score === '')).toHaveLength(6);
  expect(after.filter(([name, label]) => label === kindOf.get(name)).length).toBeGreaterThan(21);
  const { name, bytes } = await exported(page, '#sort', 'Trained classifier');
  expect(name).toBe('file-classes.json');
  expect(JSON.parse(bytes.toString())).toMatchObject({
    model: 'nano-embed-q4',
    labels: ['invoice', 'minutes of a meeting', 'recipe'],
    embed: { kind: 'document', normalize: true },
    evaluation: { tested: 6 },
  });
  await page.locator('#sort .take-away').getByRole('button', { name: 'Code' }).click();
  await waitForText(page, '#sort .snippet', /fetch\('\.\/file-classes\.json'\)/);
  expect(requests.filter((url) => !/^(data|blob):/.test(url) && !url.startsWith(new URL(page.url()).origin))).toEqual(
    [],
  );
  expect(page.url()).toMatch(/#sort$/);

  // A new visit has labels, classes, texts and vectors, and guesses the same.
  await page.reload();
  await waitForText(page, quality, /^6 labels so far\. \d+% right on held-out labels/);
  expect(await table(page)).toEqual(after);

  // The Classify tab takes the head.
  await page.click('#tab-classify');
  await page.setInputFiles('#import-head', { name, mimeType: '', buffer: bytes });
  await page.fill('#try-texts', 'Mix the flour with butter and bake it.');
  await expect.poll(() => page.locator('#try-results .label').allInnerTexts(), SLOW).toHaveLength(3);
  expect((await page.locator('#try-results .label').allInnerTexts())[0]).toBe('recipe');

  await page.click('#tab-sort');
  page.once('dialog', (dialog) => void dialog.accept());
  await page.click('#sort-forget');
  await page.waitForSelector('#sort-sample');
  await page.reload();
  await page.waitForSelector('#sort-sample');
  expect(await page.locator('.doc').count()).toBe(0);
});

it('takes folders as classes, finds files that are the same, says which cannot be read, and copies into folders', async () => {
  const files: Record<string, string | Uint8Array> = {};
  for (const { name, text, kind } of few(3)) files[`all/${kind}/${name}`] = text;
  files['all/recipe/copy.txt'] = SAMPLE.find(({ kind }) => kind === 'recipe')?.text ?? '';
  files['all/open.eml'] =
    'Subject: =?utf-8?Q?Caf=C3=A9?=\r\nContent-Type: text/html\r\n\r\n<p>Beat the eggs, add milk and flour, and fry thin <b>pancakes</b> in butter.</p>';
  files['all/.hidden/secret.txt'] = 'not to be read';
  files['all/photo.png'] = 'x';
  files['all/blank.txt'] = ' \n';
  for (const [name, content] of Object.entries(files)) {
    await mkdir(dirname(join(folder, name)), { recursive: true });
    await writeFile(join(folder, name), content);
  }
  const page = await open({ path: '#sort' });
  await page.setInputFiles('#sort-drop input[webkitdirectory]', join(folder, 'all'));
  await waitForText(page, '#sort-facts', '10 files');
  expect((await textOf(page, '#sort-problems')).split('\n').map((line) => line.split(' ')[0])).toEqual([
    'all/photo.png',
    'all/blank.txt',
  ]);
  expect(await row(page, 'copy.txt').locator('.doc-head .count').first().textContent()).toBe('2 copies');
  await waitForText(page, '#sort-folders', 'The files lie in folders: invoice, minutes of a meeting, recipe.');
  await page.click('#sort-folders button');
  expect(await chips(page)).toEqual(SAMPLE_CLASSES);
  await waitForText(page, quality, /^9 labels so far\. \d+% right/);
  expect(await page.locator('#sort-folders').isVisible()).toBe(false);
  await waitForText(page, '.doc:first-child .doc-state', /guess/);
  expect((await names(page))[0]).toBe('all/open.eml');
  expect(await textOf(page, '.doc:first-child .doc-words')).toBe(
    'Subject: Café Beat the eggs, add milk and flour, and fry thin pancakes in butter.',
  );
  const rows = await table(page);
  expect(rows).toHaveLength(11);
  const found = new Map(rows.map(([name, label, , by]) => [name, `${label} by ${by}`]));
  expect(found.get('all/recipe/copy.txt')).toBe('recipe by you');
  expect(found.get('all/open.eml')).toBe('recipe by guess');

  // A new name of the class goes with its labels.
  await page.locator('#sort-chips input').nth(2).fill('dish');
  await page.keyboard.press('Enter');
  await expect
    .poll(async () => (await table(page)).filter(([, label, , by]) => label === 'dish' && by === 'you').length)
    .toBe(4);
  await waitForText(page, quality, /^9 labels so far\. \d+% right/);

  // Playwright cannot use the dialog for folders; the browser's private folder has the same handles.
  await page.evaluate(() => {
    const root = navigator.storage.getDirectory();
    const pick = async () => (await root).getDirectoryHandle('target', { create: true });
    Object.assign(window, { showDirectoryPicker: pick });
  });
  await page.evaluate(() => {
    const { createWritable } = FileSystemFileHandle.prototype;
    FileSystemFileHandle.prototype.createWritable = async function (...given) {
      await new Promise((resolve) => setTimeout(resolve, 500));
      return createWritable.apply(this, given);
    };
    Object.assign(window, {
      quickAgain: async () => {
        FileSystemFileHandle.prototype.createWritable = createWritable;
        await (await navigator.storage.getDirectory()).removeEntry('target', { recursive: true });
      },
    });
  });
  await page.click('#sort-copy');
  await waitForText(page, '#sort .copying .count', 'Copying: 2 of 10 files');
  await page.locator('#sort .copying button').click();
  await waitForText(page, '#sort-copy-note', /^Cancelled: [3-9] files copied, and the others not\.$/);
  expect(await page.evaluate(() => document.activeElement?.id)).toBe('sort-copy');
  await page.evaluate(() => (window as unknown as { quickAgain(): Promise<void> }).quickAgain());
  await page.click('#sort-copy');
  await waitForText(page, '#sort-copy-note', '10 files copied into target.');
  const copied = await page.evaluate(async () => {
    type Handle = FileSystemDirectoryHandle & { values(): AsyncIterable<FileSystemHandle> };
    const root = await navigator.storage.getDirectory();
    const target = (await root.getDirectoryHandle('target')) as Handle;
    const list: string[] = [];
    for await (const one of target.values()) {
      for await (const { name } of (one as Handle).values()) list.push(`${one.name}/${name}`);
    }
    const dish = await target.getDirectoryHandle('dish');
    return { list, text: await (await (await dish.getFileHandle('open.eml')).getFile()).text() };
  });
  expect(copied.list).toHaveLength(10);
  expect(copied.text).toBe(files['all/open.eml']);
  expect(copied.list.filter((path) => path.startsWith('invoice/'))).toHaveLength(3);
  await page.click('#sort-copy');
  await waitForText(page, '#sort-copy-error', /^The folder target is not empty: /);

  // Dropped again after a visit, files have their labels.
  await page.reload();
  await waitForText(page, quality, /^9 labels so far\. \d+% right/);
  await page.evaluate(() => Object.assign(window, { showDirectoryPicker: () => undefined }));
  await page.click('#sort-copy');
  await waitForText(page, '#sort-copy-error', /^Of 10 files only the text was kept from your last visit\./);
});

it('takes folders that differ in case as one class, and confirms a guess of a menu', async () => {
  const page = await open({ path: '#sort' });
  const files = few(2);
  const tree = await mkdtemp(join(tmpdir(), 'sort-case-'));
  const folders = ['Bills', 'bills', `minutes  ${'x'.repeat(70)}`];
  for (const [i, { name, text }] of files.entries()) {
    await mkdir(join(tree, 'all', folders[i % 3]), { recursive: true });
    await writeFile(join(tree, 'all', folders[i % 3], name), text);
  }
  await page.setInputFiles('#sort-drop input[webkitdirectory]', join(tree, 'all'));
  await waitForText(page, '#sort-facts', '6 files');
  await page.click('#sort-folders button');
  const [one, two, ...none] = await chips(page);
  expect([one, two, none]).toEqual(['Bills', `minutes ${'x'.repeat(52)}`, []]);
  await waitForText(page, quality, /^6 labels so far/);
  expect(await page.locator('#sort-folders').isVisible()).toBe(false);

  for (const name of ['a, "b"', 'c', 'd', 'e', 'f']) await nameClass(page, name);
  await giveFiles(page, [{ name: 'new.txt', text: 'Please pay the bill within 30 days.' }]);
  const menu = row(page, 'new.txt').locator('select');
  await expect.poll(() => menu.locator('option').first().textContent(), SLOW).toMatch(/\?$/);
  const guess = ((await menu.locator('option').first().textContent()) ?? '').slice(0, -1);
  await menu.selectOption(guess);
  await expect.poll(() => row(page, 'new.txt').getAttribute('aria-label')).toBe(`new.txt: ${guess}, your label`);
  await rm(tree, { recursive: true });
});

it('is used by keys alone', async () => {
  const page = await open({ path: '#sort' });
  await page.waitForSelector('#sort-sample');
  await page.focus('#sort-sample');
  await page.keyboard.press('Enter');
  await waitForText(page, '#sort-facts', '24 files');
  expect(await chips(page)).toEqual(SAMPLE_CLASSES);
  await guessed(page, 24);
  const active = () =>
    page.evaluate(
      () => document.activeElement?.closest('.doc')?.querySelector('.name')?.textContent ?? document.activeElement?.id,
    );
  expect(await active()).not.toBe(undefined);

  await page.focus('#sort-class-name');
  for (let i = 0; i < 8 && !(await active())?.endsWith('.txt'); i++) await page.keyboard.press('Tab');
  const order = await names(page);
  expect(await active()).toBe(order[0]);
  await page.keyboard.press('ArrowDown');
  await page.keyboard.press('ArrowDown');
  expect(await active()).toBe(order[2]);
  await page.keyboard.press('End');
  expect(await active()).toBe(order[23]);
  await page.keyboard.press('Home');
  await page.keyboard.press('Enter');
  await waitForText(
    page,
    '.doc:focus .doc-text',
    SAMPLE.find(({ name }) => name === order[0])?.text.slice(0, 20) ?? '',
  );
  await page.keyboard.press('Enter');
  expect(await page.locator('.doc-text').first().isVisible()).toBe(false);

  const digit = String(1 + SAMPLE_CLASSES.indexOf(kindOf.get(order[0]) ?? ''));
  await page.keyboard.press(digit);
  expect(await active()).toBe(order[1]);
  expect(await row(page, order[0]).getAttribute('aria-label')).toBe(`${order[0]}: ${kindOf.get(order[0])}, your label`);
  await page.keyboard.press('9'); // no such class
  await page.keyboard.press('z');
  expect(await active()).toBe(order[0]);
  await waitForText(page, quality, /^Guesses from the class names alone/);
  expect(await page.locator('#sort-undo').isDisabled()).toBe(true);

  // The model is exchanged: the vectors are made again.
  await page.evaluate(() => {
    location.hash = '#sort?model=all-MiniLM-L6-v2';
  });
  await waitForText(page, '#sort .progress-place .count', /^Reading again with all-MiniLM-L6-v2, whose vectors differ/);
  await page.locator('#sort .progress-place button').click();
  await waitForText(page, '#sort-facts', /^24 files, \d+ of them not read by the model yet$/);
  await page.click('#sort-continue');
  await guessed(page, 24);

  // Another tab of the browser has the same.
  const other = await page.context().newPage();
  await other.goto(page.url());
  await expect.poll(() => other.locator(state).filter({ hasText: 'guess' }).count(), SLOW).toBe(24);
  await choose(other, 'scan-03.txt', 'recipe');
  await expect
    .poll(() => row(page, 'scan-03.txt').getAttribute('aria-label'), SLOW)
    .toBe('scan-03.txt: recipe, your label');
  await other.close();
  await expectAccessible(page, '#sort');
});
