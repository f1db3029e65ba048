import { fileURLToPath } from 'node:url';
import type { Page } from 'playwright';
import { expect, it } from 'vitest';
import { fillMasks, serveHub, textOf, useDemo, waitForText } from './demo-page';
import { expectAccessible, takePictures } from './pictures';

const open = useDemo();
const folder = (name: string) => fileURLToPath(new URL(`../public/models/${name}/`, import.meta.url));
const focused = (page: Page) => page.evaluate(() => document.activeElement?.className);
const cardNames = (page: Page, tab: string) => page.locator(`#${tab} .card h3`).allInnerTexts();

async function openDialog(page: Page, tab: string): Promise<void> {
  await page.click(`#${tab} .change >> nth=0`);
  await page.waitForSelector(`#${tab} .card`);
}

it('recommends three models with their facts, other ones for German, and remembers the language', async () => {
  const page = await open();
  await waitForText(page, '#fill-mask .model-state', 'ready');
  // Measured once the page is quiet.
  const speeds = () => page.evaluate(() => JSON.parse(localStorage.getItem('modernbert-webgpu/speed') ?? '{}'));
  await expect
    .poll(async () => Object.keys(await speeds()), { timeout: 60_000 })
    .toEqual([expect.stringMatching(/^\.\/models\/nano \| f16 \| .*swiftshader/)]);
  const [kept] = Object.values<{ tokensPerSecond: number; by: string }>(await speeds());
  expect(kept.tokensPerSecond).toBeGreaterThan(10);
  expect(kept.by).toMatch(/^\d+\.\d+\.\d+ ([0-9a-f]{12}(-dirty)?$|unknown)/);

  // What is a week old is measured again after the next run.
  const old = { tokensPerSecond: 1, time: Date.now() - 8 * 24 * 3600 * 1000, by: kept.by };
  await page.evaluate((old) => {
    const key = 'modernbert-webgpu/speed';
    const names = Object.keys(JSON.parse(localStorage.getItem(key) ?? '{}'));
    localStorage.setItem(key, JSON.stringify(Object.fromEntries(names.map((name) => [name, old]))));
  }, old);
  await fillMasks(page, 'A [MASK].');
  await expect
    .poll(async () => Object.values<typeof old>(await speeds())[0].tokensPerSecond, { timeout: 60_000 })
    .toBeGreaterThan(10);

  await openDialog(page, 'fill-mask');
  // SwiftShader computes on the CPU, where only the smallest are quick enough.
  expect(await cardNames(page, 'fill-mask')).toEqual([
    'nano',
    'jhu-clsp/ettin-encoder-17m',
    'jhu-clsp/ettin-encoder-32m',
  ]);
  expect(await textOf(page, '#fill-mask .device')).toMatch(/swiftshader.*WebGPU runs on the CPU/i);
  const [nano, ettin] = await page.locator('#fill-mask .card').allInnerTexts();
  expect(nano).toMatch(/Comes with this page; made for English\..*Download\s+16\.4 MB.*Masked words right: 50\.8%/s);
  expect(nano).toMatch(/about [\d.,]+ (pages? per second|seconds? per page), measured/);
  expect(ettin).toMatch(/about [\d.,]+ (pages? per second|seconds? per page), estimated/);
  expect(ettin).toMatch(/Quality\s+not measured.*Licence\s+MIT/s);
  expect(await page.getByRole('button', { name: 'nano is in use' }).isDisabled()).toBe(true);
  await takePictures(page, 'picker-cards', '#fill-mask dialog');

  await page.selectOption('#fill-mask .language', 'de');
  expect(await cardNames(page, 'fill-mask')).toEqual([
    'jhu-clsp/mmBERT-small',
    'FacebookAI/xlm-roberta-base',
    'jhu-clsp/mmBERT-base',
  ]);
  await waitForText(page, '#fill-mask .card >> nth=0', 'Reads German');
  await page.keyboard.press('Escape');
  expect(await focused(page)).toBe('change');
  await page.waitForTimeout(400); // until the state is kept
  await page.reload();
  await openDialog(page, 'fill-mask');
  expect(await page.inputValue('#fill-mask .language')).toBe('de');
  expect(page.url()).not.toContain('language');
});

it('is used by the keyboard alone: another model is taken, found by its name, and in the address', async () => {
  const page = await open({
    path: '#embeddings',
    prepare: (page) => serveHub(page, { 'cl-nagoya/ruri-v3-30m': folder('nano-embed') }),
  });
  await page.focus('#embeddings .change');
  await page.keyboard.press('Enter');
  await page.waitForSelector('#embeddings .card');
  expect((await cardNames(page, 'embeddings')).slice(0, 2)).toEqual(['nano-embed-q4', 'all-MiniLM-L6-v2']);
  // From the language over the buttons of the two cards that can be taken to “More models”.
  for (let i = 0; i < 3; i++) await page.keyboard.press('Tab');
  await page.keyboard.press('Enter');
  await page.focus('#embeddings .filter');
  await page.keyboard.type('japanese apache');
  await waitForText(page, '#embeddings .known-count', '1 model found');
  expect(await page.locator('#embeddings .known li').innerText()).toMatch(
    /^cl-nagoya\/ruri-v3-30m\s+Japanese · 37 M parameters/,
  );
  await page.keyboard.press('Tab');
  expect(await page.evaluate(() => document.activeElement?.ariaLabel)).toBe('Use cl-nagoya/ruri-v3-30m');
  await expectAccessible(page, '#embeddings dialog');
  await page.keyboard.press('Enter');
  await waitForText(page, '#embeddings .model-name', 'cl-nagoya/ruri-v3-30m');
  expect(await focused(page)).toBe('change');
  await waitForText(page, '#embeddings .model-state', 'ready');
  await page.waitForURL(/model=cl-nagoya%2Fruri-v3-30m/);
});

it('shows what is kept on the device, and deletes one model, then everything, under a page that goes on', async () => {
  const page = await open({
    path: '#fill-mask?model=someone/nano',
    prepare: (page) => serveHub(page, { 'someone/nano': folder('nano') }),
  });
  expect((await fillMasks(page))[0][0]).toBe('Paris');
  await page.click('#storage');
  const dialog = page.locator('.storage-dialog');
  await dialog.getByText('someone/nano').waitFor();
  expect(await dialog.innerText()).toMatch(/someone\/nano\s+f16, 1[67]\.\d MB/);
  await takePictures(page, 'storage', '.storage-dialog');
  await dialog.getByRole('button', { name: 'Delete someone/nano, f16' }).click();
  await dialog.getByText('Deleted: someone/nano, f16.').waitFor();
  expect(await dialog.locator('.kept').innerText()).not.toContain('someone/nano');
  await page.keyboard.press('Escape');
  expect(await page.evaluate(() => document.activeElement?.id)).toBe('storage');

  // What was deleted is still in the GPU's memory.
  expect((await fillMasks(page, 'The capital of [MASK] is Tokyo.'))[0][0]).toBe('Japan');
  await page.waitForFunction(() => localStorage.getItem('modernbert-webgpu/tab/fill-mask')?.includes('Tokyo'));
  await page.click('#storage');
  await dialog.getByRole('button', { name: 'Delete all' }).click();
  const question = page.locator('.ask-dialog');
  expect(await question.innerText()).toMatch(/Delete the texts and choices of all tabs \(\d+ kB\)/);
  await expectAccessible(page, '.ask-dialog');
  await question.getByRole('button', { name: 'Cancel' }).click();
  expect(await page.evaluate(() => localStorage.length)).toBeGreaterThan(0);
  await dialog.getByRole('button', { name: 'Delete all' }).click();
  await question.getByRole('button', { name: 'Delete all' }).click();
  await dialog.getByText('Nothing yet.').waitFor();
  expect(await page.evaluate(() => localStorage.length)).toBe(0);
  await dialog.getByRole('button', { name: 'Close' }).click();
  expect((await fillMasks(page, 'The capital of France is [MASK].'))[0][0]).toBe('Paris');
});

it('deletes the search index under an open tab, which takes files again', async () => {
  const page = await open({ path: '#search?in=own' });
  const file = (name: string, text: string) => ({ name, mimeType: 'text/plain', buffer: Buffer.from(text) });
  await page.setInputFiles('#search input[type=file]:not([webkitdirectory])', [
    file('bread.txt', 'Bread is dear this year.'),
  ]);
  await waitForText(page, '#index-facts', /^1 file, 1 passage/);
  await page.click('#storage');
  const dialog = page.locator('.storage-dialog');
  await dialog.getByRole('button', { name: 'Delete: Search indexes' }).click();
  await page.locator('.ask-dialog').getByText('Delete 1 search index?').waitFor();
  await page.locator('.ask-dialog').getByRole('button', { name: 'Delete' }).click();
  await dialog.getByText('Deleted: Search indexes.').waitFor();
  const databases = () => page.evaluate(async () => (await indexedDB.databases()).map(({ name }) => name));
  expect(await databases()).not.toContain('modernbert-webgpu/search/demo');
  await page.keyboard.press('Escape');
  await page.setInputFiles('#search input[type=file]:not([webkitdirectory])', [
    file('ships.txt', 'A ship left the harbour.'),
  ]);
  await waitForText(page, '#index-facts', 'passage');
  await page.fill('#query', 'harbour');
  await waitForText(page, '#passages', 'A ship left the harbour.');
});

it("deletes the page's own copy for use offline", async () => {
  const page = await open({ serviceWorker: true });
  await waitForText(page, '#offline', 'work offline');
  await page.click('#storage');
  const dialog = page.locator('.storage-dialog');
  await dialog.getByText('This page, for use offline').waitFor();
  const size = Number.parseFloat((await dialog.locator('.kept').innerText()).match(/offline\s+([\d.]+) MB/)?.[1] ?? '');
  expect(size).toBeGreaterThan(16); // with nano
  await dialog.getByRole('button', { name: 'Delete: This page, for use offline' }).click();
  await dialog.getByText('Deleted: This page, for use offline.').waitFor();
  expect(await page.evaluate(async () => (await navigator.serviceWorker.getRegistrations()).length)).toBe(0);
  await page.locator('#offline').waitFor({ state: 'hidden' });
  await page.keyboard.press('Escape');
  await page.click('#tab-embeddings');
  await page.waitForSelector('#texts');
});

it('compares two models by the words they put under masks', async () => {
  const page = await open({ prepare: (page) => serveHub(page, { 'someone/nano': folder('nano') }) });
  await page.fill('#mask-text', 'He wrote a long [MASK] to his [MASK].');
  await page.click('#fill-mask .compare-models');
  await page.waitForSelector('#fill-mask .comparison button');
  await page.getByRole('button', { name: 'Ask both models' }).click();
  await waitForText(page, '#fill-mask .comparison .error', 'Both are the same model.');
  await page.click('#fill-mask .change >> nth=1');
  await page.waitForSelector('#fill-mask .card');
  const second = page.locator('#fill-mask dialog[open]');
  await second.locator('.more summary').click();
  await second.locator('.hub-id').fill('someone/nano');
  await page.keyboard.press('Enter');
  await page.waitForURL(/other=someone%2Fnano/);
  await page.getByRole('button', { name: 'Ask both models' }).click();
  // The same weights say the same.
  await waitForText(
    page,
    '#fill-mask .comparison-results',
    'The same first word under 2 of 2 masks. 16 of 16 candidates are shared.',
  );
  const words = (of: string) => page.locator(`#fill-mask section[aria-label="${of}"] .word-text`).allInnerTexts();
  expect((await words('nano, mask 1')).map((word) => word.split(/\s/)[0])).toEqual([
    'letter',
    'voice',
    'visit',
    'time',
    'pause',
    'answer',
    'way',
    'interval',
  ]);
  expect(await words('someone/nano, mask 2')).toEqual(await words('nano, mask 2'));
  expect(await textOf(page, '#fill-mask .comparison .status')).toMatch(
    /^nano: [\d.]+ m?s · someone\/nano: [\d.]+ m?s$/,
  );
  await takePictures(page, 'compare-masks', '#fill-mask .comparison');
  await page.click('#fill-mask .compare-models');
  expect(await page.locator('#fill-mask .comparison').isVisible()).toBe(false);
});

it('compares two models by the texts they find nearest', async () => {
  const page = await open({ path: '#embeddings?compare=yes' });
  await page.waitForSelector('#embeddings .comparison button');
  await page.getByRole('button', { name: 'Ask both models' }).click();
  await waitForText(
    page,
    '#embeddings .comparison-results',
    /The same nearest text for 6 of 6 texts\. .* agree by 0\.\d\d/,
  );
  const rows = await page.locator('#embeddings .comparison tbody tr').allInnerTexts();
  expect(rows[0]).toMatch(/^The ship left.*A vessel sailed.*A vessel sailed/s);
  expect(await textOf(page, '#embeddings .comparison thead')).toMatch(
    /Nearest by nano-embed-q4.*Nearest by all-MiniLM-L6-v2/s,
  );
  await takePictures(page, 'compare-embeddings', '#embeddings .comparison');
});
