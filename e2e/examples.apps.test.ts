/**
 * The apps in examples/, each built with the packed library and used in Chromium. They ask the Hub for the model that their READMEs name; the
 * tests answer with the built-in one.
 */
import { execFileSync } from 'node:child_process';
import { cp, readdir, readFile, rm } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { execPath } from 'node:process';
import type { BrowserContext, Page } from 'playwright';
import { expect, test } from 'vitest';
import { ROOT } from '../tools/bundle.mjs';
import { blocksFor } from '../tools/doc-blocks';
import { download, serveHub } from './demo-page';
import { clickAction, withExtension } from './extension';
import { MODEL, TOOLS, usePackages, write } from './packed';
import { takePictures } from './pictures';
import { serveNext, useEndings } from './tool-servers';

/** The apps need no more than this; the pages that the extension searches have none. */
const POLICY = "default-src 'self'; connect-src 'self' https://huggingface.co; img-src data:";
const packages = usePackages((path) => (path.startsWith('/articles/') ? '' : POLICY));
const at = (...names: string[]) => packages.at(...names);
const blocks = blocksFor('e2e/examples.apps.test.ts');
const ended = useEndings();

const HUB_ID = 'sentence-transformers/all-MiniLM-L6-v2';
const NANO_EMBED = join(ROOT, 'public/models/nano-embed');
const VITE_APPS = ['search-box', 'mail-classifier', 'frameworks/react', 'frameworks/vue', 'frameworks/svelte'];
const APPS = [...VITE_APPS, 'extension', 'next'];

/** A copy of an example with the packed library, below e2e/bundlers, where its tools are found. */
async function copyOf(name: string): Promise<string> {
  const app = join(ROOT, 'e2e/bundlers/build/examples', name);
  await rm(app, { recursive: true, force: true });
  const isSource = (path: string) => !['node_modules', 'dist', '.next'].includes(basename(path));
  await cp(join(ROOT, 'examples', name), app, { recursive: true, filter: isSource });
  await cp(at('app/node_modules/modernbert-webgpu'), join(app, 'node_modules/modernbert-webgpu'), { recursive: true });
  return app;
}

/** Builds an example of Vite into site/NAME. */
async function build(name: string): Promise<void> {
  const vite = join(TOOLS, 'vite/bin/vite.js');
  const args = ['build', '--base=./', `--outDir=${at('site', name)}`, '--emptyOutDir', '--logLevel=warn'];
  execFileSync(execPath, [vite, ...args], { cwd: await copyOf(name), stdio: 'pipe' });
}

/** Fails the test if a page of the context, or its worker, complains. */
function listen(context: BrowserContext): void {
  const complaints: string[] = [];
  context.on('weberror', (error) => complaints.push(error.error().message));
  context.on('console', (message) => {
    if (['error', 'warning'].includes(message.type())) complaints.push(message.text());
  });
  ended.push(async () => expect(complaints).toEqual([]));
}

/** Opens a page in a browser without data; `requested`: the files that the Hub was asked for so far. */
async function open(url: string): Promise<{ page: Page; requested: string[] }> {
  const context = await packages.browser.newContext();
  ended.push(() => context.close());
  listen(context);
  const requested = await serveHub(context, { [HUB_ID]: NANO_EMBED });
  const page = await context.newPage();
  page.setDefaultTimeout(120_000);
  await rememberStatus(page);
  await page.goto(url);
  return { page, requested };
}

/** Remembers everything that the page's status says, for `said`. */
const rememberStatus = (page: Page) =>
  page.addInitScript(() => {
    const texts: string[] = [];
    Object.assign(window, { texts });
    const options = { subtree: true, childList: true, characterData: true };
    new MutationObserver(() => {
      const text = document.querySelector('[role=status]')?.textContent;
      if (text && texts.at(-1) !== text) texts.push(text);
    }).observe(document, options);
  });
const said = (page: Page): Promise<string> =>
  page.evaluate(() => (window as unknown as { texts: string[] }).texts.join('\n'));

/** Takes pictures at phone and desktop width, light and dark, once it is sure that the app's style sheet is there. */
async function look(page: Page, name: string): Promise<void> {
  expect(await page.evaluate(() => getComputedStyle(document.documentElement).colorScheme)).toBe('light dark');
  await takePictures(page, name, 'body', 'another');
}

const firstHit = (page: Page) => page.locator('ol li').first();
const status = (page: Page) => page.getByRole('status');

test.each(APPS)('%s: has a README, and the versions that are tested here', async (name) => {
  const packageOf = async (path: string) => JSON.parse(await readFile(join(ROOT, path, 'package.json'), 'utf8'));
  const library = await packageOf('.');
  const tools = await packageOf('e2e/bundlers');
  const tested = { ...library.devDependencies, ...tools.devDependencies, 'modernbert-webgpu': `^${library.version}` };
  const { private: isPrivate, dependencies, devDependencies } = await packageOf(`examples/${name}`);
  expect(isPrivate).toBe(true);
  for (const [of, range] of Object.entries({ ...dependencies, ...devDependencies })) expect(range, of).toBe(tested[of]);
  const folder = name.startsWith('frameworks/') ? 'frameworks' : name;
  expect(await readFile(join(ROOT, 'examples', folder, 'README.md'), 'utf8')).toContain('npm install');
});

test('no example is left out', async () => {
  const folders = async (path: string) =>
    (await readdir(join(ROOT, path), { withFileTypes: true }))
      .filter((one) => one.isDirectory())
      .map((one) => one.name);
  const top = await folders('examples');
  const frameworks = (await folders('examples/frameworks')).map((name) => `frameworks/${name}`);
  expect([...top.filter((name) => name !== 'frameworks'), ...frameworks].sort()).toEqual([...APPS].sort());
});

test('search-box: finds facts, and asks the Hub for nothing at the second visit', async () => {
  await build('search-box');
  const { page, requested } = await open(`${packages.origin}/search-box/`);
  const query = page.getByRole('searchbox', { name: 'Ask in your own words', disabled: false });
  await query.waitFor();
  expect(await said(page)).toMatch(/Loading: .* MB.*\n0 of 100 facts read.*\nNothing leaves this device\.$/s);
  const ask = async (question: string, answer: string) => {
    await query.fill(question);
    await firstHit(page).filter({ hasText: answer }).waitFor();
  };
  await ask('Why do I cry when cooking?', 'Onions make you cry');
  await ask('Who wrote the first computer program?', 'Ada Lovelace');
  expect(await page.locator('ol li').count()).toBe(5);
  await look(page, 'example-search-box');
  await query.fill('');
  await firstHit(page).waitFor({ state: 'detached' });

  const before = requested.length;
  await page.reload();
  await query.waitFor();
  expect(requested).toHaveLength(before);
  await ask('Why is Mars red?', 'rusted iron');
  const databases = await page.evaluate(async () => (await indexedDB.databases()).map(({ name }) => name));
  expect(databases).toContain('modernbert-webgpu/search/facts');
});

test('mail-classifier: learns, is corrected, sorts mails that it has not seen, and is kept as a file', async () => {
  await build('mail-classifier');
  // With the types of the package, by the example's own configuration.
  execFileSync(execPath, [join(ROOT, 'node_modules/typescript/bin/tsc')], {
    cwd: join(ROOT, 'e2e/bundlers/build/examples/mail-classifier'),
    stdio: 'pipe',
  });
  const { page } = await open(`${packages.origin}/mail-classifier/`);
  const click = async (name: string) => {
    await page.getByRole('button', { name, exact: true, disabled: false }).click();
    await page.locator('#controls:enabled').waitFor();
  };
  const mailOf = (text: string) => page.locator('#mails fieldset', { hasText: text });
  const accuracy = async () => {
    const [, percent, tested] = /^(\d+)% of (\d+) examples/.exec(await status(page).innerText()) ?? [];
    return { percent: Number(percent), tested: Number(tested) };
  };

  await click('Load 60 samples');
  expect(await status(page).innerText()).toBe('60 mails, 40 with a class');
  await click('Train');
  const first = await accuracy();
  expect(first.tested).toBe(40);
  expect(first.percent).toBeGreaterThan(50); // a guess would be 25
  expect(await said(page)).toContain('Training');

  // What is worth a look comes first; of the mails without a class, most have the right guess.
  const samples: Record<string, string[]> = JSON.parse(
    await readFile(join(ROOT, 'examples/mail-classifier/samples.json'), 'utf8'),
  );
  const heldOut = Object.entries(samples).flatMap(([label, texts]) => texts.slice(10).map((text) => ({ label, text })));
  expect(heldOut).toHaveLength(20);
  let right = 0;
  for (const { label, text } of heldOut) {
    if ((await mailOf(text).locator('.guess').innerText()).startsWith(label)) right++;
  }
  expect(right).toBeGreaterThanOrEqual(12);
  const card = page.locator('#mails fieldset').first();
  const suspected = await card.locator('label:has(:checked)').innerText();
  expect(await card.locator('.guess').innerText()).not.toContain(suspected);

  // Two are given their classes, and learnt from.
  for (const { label, text } of [heldOut[0], heldOut[19]]) await mailOf(text).getByLabel(label).check();
  await click('Train');
  expect((await accuracy()).tested).toBe(42);

  await page
    .getByRole('textbox', { name: 'Mails' })
    .fill(
      ['I cannot remember my password, please help me to log in.', 'The courier has not brought my parcel.'].join(
        '\n---\n',
      ),
    );
  await click('Add');
  const guesses = async () => {
    const login = await mailOf('I cannot remember').locator('.guess').innerText();
    const parcel = await mailOf('has not brought my parcel').locator('.guess').innerText();
    return { login, parcel };
  };
  const learnt = await guesses();
  expect(learnt).toEqual({ login: expect.stringMatching(/^account/), parcel: expect.stringMatching(/^delivery/) });
  await look(page, 'example-mail-classifier');

  const file = await download(page, '#export');
  expect(file.name).toBe('mail-classifier.json');
  expect(JSON.parse(file.bytes.toString()).labels).toEqual(['delivery', 'payment', 'account', 'product']);

  await page.reload();
  await page.locator('#controls:enabled').waitFor();
  await page.setInputFiles('#file', { name: file.name, mimeType: 'application/json', buffer: file.bytes });
  await status(page).filter({ hasText: 'A classifier of delivery' }).waitFor();
  await dropFile(
    page,
    'a.eml',
    'From: x@y\nSubject: Login\n\nI cannot remember my password, please help me to log in.',
  );
  await mailOf('Login').filter({ hasNotText: 'From:' }).waitFor();
  await dropFile(page, 'b.txt', 'The courier has not brought my parcel.');
  await mailOf('has not brought my parcel').locator('.guess').waitFor();
  expect((await guesses()).parcel).toBe(learnt.parcel); // of the same text the same probability

  await page.setInputFiles('#file', { name: 'x.json', mimeType: 'application/json', buffer: Buffer.from('{}') });
  await status(page).filter({ hasText: 'This is not a classifier' }).waitFor();
});

const dropFile = async (page: Page, name: string, text: string) => {
  const dataTransfer = await page.evaluateHandle(
    ([name, text]) => {
      const transfer = new DataTransfer();
      transfer.items.add(new File([text], name));
      return transfer;
    },
    [name, text],
  );
  await page.dispatchEvent('body', 'drop', { dataTransfer });
};

test.each(['react', 'vue', 'svelte'])(
  '%s: loads the model once, and compares sentences while one types',
  async (name) => {
    await build(`frameworks/${name}`);
    const { page, requested } = await open(`${packages.origin}/frameworks/${name}/`);
    const result = (text: RegExp) => status(page).filter({ hasText: text }).waitFor();
    await result(/% alike/);
    expect(await said(page)).toMatch(/Loading: .*\d MB/);
    expect(requested.filter((file) => file === 'model.safetensors')).toHaveLength(1);
    const alike = async () => Number.parseInt(await status(page).innerText(), 10);
    const kitten = await alike();
    await page.getByLabel('Second').fill('The parliament voted for new taxes.');
    await expect.poll(alike).toBeLessThan(kitten - 10);
    // Each letter aborts the call before it; none of these is an error, and the last one counts.
    await page.getByLabel('Second').fill('');
    await page.getByLabel('Second').pressSequentially('The cat sleeps on the sofa.');
    await result(/^100% alike$/);
    await look(page, `example-${name}`);
  },
);

test('next: a page that searches in the browser, and a route that embeds in Node', async () => {
  const app = await copyOf('next');
  // Next and React are in a folder above the app's.
  const config = await readFile(join(app, 'next.config.mjs'), 'utf8');
  const turbopack = `turbopack: { root: ${JSON.stringify(join(ROOT, 'e2e/bundlers'))} },\n};`;
  await write(app, { 'next.config.mjs': config.replace('};', turbopack) });
  const origin = await serveNext(ended, app, '--turbopack', { MODEL });
  const { page } = await open(origin);
  const query = page.getByRole('searchbox', { name: 'Your question', disabled: false });
  await query.fill('my tyre has no air');
  await firstHit(page).filter({ hasText: 'A flat tyre is repaired' }).waitFor();
  await query.fill('how do I keep the battery in winter');
  await firstHit(page).filter({ hasText: 'Store the battery indoors' }).waitFor();
  await look(page, 'example-next');

  const curl = blocks.take('examples/next/README.md', 'curl').replace('http://localhost:3000', origin);
  expect(JSON.parse(execFileSync('sh', ['-c', curl], { encoding: 'utf8', stdio: 'pipe' }))).toEqual([
    expect.any(Array),
  ]);
  const post = (body: string) => fetch(`${origin}/api/embed`, { method: 'POST', body });
  const { texts, values } = JSON.parse(await readFile(join(MODEL, 'expected.json'), 'utf8')).calls[0];
  const answer: number[][] = await (await post(JSON.stringify(texts.slice(0, 2)))).json();
  expect(answer.map(({ length }) => length)).toEqual([values[0].length, values[1].length]);
  const off = answer.flatMap((row, i) => row.map((x, j) => Math.abs(x - values[i][j])));
  expect(Math.max(...off)).toBeLessThan(2e-5);
  const refused = await post('{"text":"no list"}');
  expect([refused.status, await refused.json()]).toEqual([400, { error: expect.stringContaining('JSON list') }]);
});

const ARTICLE = `<!doctype html><html lang="en"><title>The sea</title><link rel="icon" href="data:,">
<style>body { max-width: 40rem; margin: auto; font: 1rem/1.5 serif } .aside { display: none }</style>
<h1>The sea</h1><nav><a href="#">Home</a></nav>
<p>The sea is <em>salt</em>y because rivers wash minerals out of the rocks and carry them down into it. Water leaves again by evaporation, and
the salt stays.</p>
<p>Herring and cod were the wealth of the northern towns. Merchants shipped the fish in barrels, packed with salt, to every port of the Baltic.
In spring the shoals came close to the coast, and whole villages went out at night to fill their nets. <b>Tides rise and fall</b> twice a day,
pulled by the Moon and the Sun, and ports publish tables, so that captains know when the water is deep enough.</p>
<p class="aside">The lighthouse of this hidden paragraph is not to be found by anybody.</p>
<script>const lighthouse = 'is no text of the page, which a lighthouse would be';</script>
<p>A lighthouse warns ships of rocks by its beam. The keeper used to carry oil up the stairs every evening, but today all lamps are electric.</p>
`;

test('extension: reads the tab whose button is clicked, and marks in it what fits a question', async () => {
  await write(at('site/articles'), { 'index.html': ARTICLE });
  const { context, background } = await withExtension(await copyOf('extension'), at('profile-'));
  ended.push(() => context.close());
  listen(context);
  await serveHub(context, { [HUB_ID]: NANO_EMBED });
  const page = await context.newPage();
  await page.goto(`${packages.origin}/articles/`);
  const opened = context.waitForEvent('page');
  await clickAction(background, page);
  const panel = await opened;
  panel.setDefaultTimeout(120_000);
  const query = panel.getByRole('searchbox', { name: 'The sea', disabled: false });
  const marked = () =>
    page.evaluate(() =>
      [...(CSS.highlights.get('found-by-meaning') ?? [])].map((range) => String(range).replace(/\s+/g, ' ')),
    );

  await query.fill('why is there salt in the ocean');
  await expect.poll(async () => (await marked())[0]).toMatch(/^The sea is salty because .* the salt stays\.$/);
  expect(await marked()).toHaveLength(3);
  expect((await marked()).join()).not.toMatch(/hidden|no text of the page/);
  expect(await status(panel).innerText()).toMatch(/^3 paragraphs/);
  // Of a long paragraph only the passage that fits.
  await query.fill('how do captains learn about the tides?');
  await expect.poll(async () => (await marked())[0]).toMatch(/^(?!Herring).*Tides rise and fall.* deep enough\.$/);
  expect(await panel.locator('ol li').first().innerText()).toContain('Tides rise and fall');
  await look(panel, 'example-extension');
  await page.screenshot({ path: 'test-results/example-extension-page.png' });
  await query.fill('');
  await expect.poll(marked).toEqual([]);

  // A tab whose button was not clicked is none of its business.
  await page.goto(`${packages.origin.replace('127.0.0.1', 'localhost')}/articles/`);
  await query.fill('salt');
  await expect.poll(() => status(panel).innerText()).toMatch(/Cannot access|permission/);
  // In one of twenty runs this click, right after a navigation, had no effect: then it is repeated, as a user would.
  const isRead = async () => {
    await clickAction(background, page);
    await expect.poll(() => status(panel).innerText(), { timeout: 10_000 }).toMatch(/^3 paragraphs/);
  };
  await isRead().catch(isRead);
  await query.fill('who lights the lamp?');
  await expect.poll(async () => (await marked())[0]).toMatch(/^A lighthouse/);
});

test('every block that is its own', () => expect(blocks.left()).toEqual([]));
