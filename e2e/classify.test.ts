import { rmSync } from 'node:fs';
import { afterAll, expect, it } from 'vitest';
import { labelsOf, tinyModel } from '../src/tasks/fixtures';
import { exported, serveHub, textOf, useDemo, waitForText } from './demo-page';
import { takePictures } from './pictures';

const open = useDemo();

/** An NLI model with random weights. */
const folder = tinyModel('seqcls', labelsOf(['entailment', 'not_entailment']));
afterAll(() => rmSync(folder, { recursive: true }));

it('trains a head on examples, shows its accuracy, classifies with it, exports and imports it', async () => {
  const page = await open({ path: '#classify' });
  const names = () =>
    page.locator('.class-name').evaluateAll((fields) => fields.map((field) => (field as HTMLInputElement).value));
  const csv = `label,text\n${['sea,a ship', 'sea,a boat', 'food,bread', 'food,cheese', 'sea,'].join('\n')}\n`;
  await page.setInputFiles('#csv-drop input', { name: 'small.csv', mimeType: 'text/csv', buffer: Buffer.from(csv) });
  await page.getByRole('button', { name: 'Use these rows' }).click();
  expect(await textOf(page, '#columns')).toBe('4 examples taken, 1 of 5 rows lacked a text or a class.');
  expect(await names()).toEqual(['sea', 'food']);
  await page.click('#undo-classes');
  expect(await names()).toEqual(['weather', 'money', 'travel']);
  for (let i = 0; i < 2; i++) await page.click('.class-card button');
  await page.click('#train');
  await waitForText(page, '#few-form .error', 'at least two classes');
  await page.fill('.class-name', 'food');
  await page.fill('.class-texts', 'bread\ncheese');
  await page.click('#add-class');
  await page.keyboard.type('sea');
  await page.keyboard.press('Tab');
  await page.keyboard.type('a ship\na boat');

  await page.click('#train');
  await page.waitForSelector('#try-results li');
  expect(await textOf(page, '#training .accuracy')).toMatch(/^\d+% right in 2-fold cross-validation/);
  const cells = (await page.locator('.confusion .cell').allInnerTexts()).map(Number);
  expect(cells[0] + cells[1]).toBe(2);
  expect(cells[2] + cells[3]).toBe(2);
  const best = page.locator('#try-results .label-bars li:first-child .label');
  const shares = page.locator('#try-results .label-bars .count');
  await page.fill('#try-texts', 'a ship\nbread');
  await waitForText(page, '#try-results li:nth-child(2) .subject', /^bread$/);
  expect(await best.allInnerTexts()).toEqual(['sea', 'food']);
  const before = await shares.allInnerTexts();

  const head = JSON.parse((await exported(page, '#classify', 'Trained classifier')).bytes.toString());
  expect(head).toMatchObject({
    model: 'nano-embed-q4',
    dim: 256,
    labels: ['food', 'sea'],
    evaluation: { folds: 2, tested: 4 },
  });
  await takePictures(page, 'classify-examples', '#classify');

  const give = (name: string, content: object) =>
    page.setInputFiles('#import-head', { name, mimeType: '', buffer: Buffer.from(JSON.stringify(content)) });
  await give('other.json', { ...head, model: 'someone/other' });
  await waitForText(page, '#few-form .error', 'trained on embeddings of someone/other');
  await give('renamed.json', { ...head, labels: ['meal', 'water'] });
  await waitForText(page, '#try-results', 'water');
  expect(await best.allInnerTexts()).toEqual(['water', 'meal']);
  expect(await shares.allInnerTexts()).toEqual(before);

  // What this page exported at first, and what it never did.
  const rows = [Array(256).fill(0), Array(256).fill(0)];
  const { format, model, dim } = head;
  const first = { format, version: 1, model, dtype: 'f16', dim, labels: ['old', 'older'], weights: rows, bias: [1, 0] };
  await give('first.json', first);
  await waitForText(page, '#try-results', 'older');
  expect((await shares.allInnerTexts()).map(Number.parseFloat)).toEqual([73.1, 26.9, 73.1, 26.9]);
  await give('damaged.json', { ...first, bias: [1] });
  await waitForText(page, '#few-form .error', '"bias" must be a number per label');
});

it('a head stays with its model: its results are out of date under another, its code names its own; a link in an open page is read', async () => {
  const page = await open({ path: '#classify' });
  const names = () =>
    page.locator('.class-name').evaluateAll((fields) => fields.map((field) => (field as HTMLInputElement).value));
  const classes = encodeURIComponent(
    JSON.stringify([
      { label: 'sea, "salt"', texts: 'a ship\na boat' },
      { label: 'food', texts: 'bread\ncheese' },
    ]),
  );
  const goTo = (hash: string) =>
    page.evaluate((hash) => {
      location.hash = hash;
    }, hash);
  await waitForText(page, '#tab-classify', 'Classify');
  await page.waitForSelector('.class-card');
  await goTo(`#classify?classes=${classes}&try=a+boat`);
  await expect.poll(names).toEqual(['sea, "salt"', 'food']);
  expect(await page.inputValue('#try-texts')).toBe('a boat');
  await page.click('#train');
  await page.waitForSelector('#try-results li');
  await page.locator('#few-form .take-away').getByRole('button', { name: 'Code', exact: true }).click();
  await waitForText(page, '#few-form .snippet', 'models/nano-embed-q4"');
  await goTo('#classify?model=all-MiniLM-L6-v2');
  await waitForText(page, '#few-form .stale-note', 'Out of date');
  expect(await textOf(page, '#few-form .snippet')).toContain('models/nano-embed-q4"');

  // An export under the user's hand is not exchanged while something changes.
  const row = page.locator('#few-form .take-away');
  await row.getByRole('button', { name: 'Link', exact: true }).click();
  await goTo('#classify');
  await page.focus('#few-form .link-row input');
  expect(await page.inputValue('#few-form .link-row input')).toMatch(/#classify$/);
});

it('classifies by labels with an NLI model from the Hub', async () => {
  const page = await open({
    path: '#classify?by=labels&texts=The+ship+left.%0ABread+is+dear.',
    prepare: (page) => serveHub(page, { 'MoritzLaurer/ModernBERT-base-zeroshot-v2.0': folder }),
  });
  await waitForText(page, '#zero-model .model-facts', '150 M parameters');
  await page.click('#zero-run');
  await page.waitForSelector('#zero-results li');
  expect(await page.locator('#zero-results .subject').allInnerTexts()).toEqual(['The ship left.', 'Bread is dear.']);
  for (const list of await page.locator('#zero-results .label-bars').all()) {
    expect((await list.locator('.label').allInnerTexts()).toSorted()).toEqual(['economy', 'travel', 'weather']);
    const shares = (await list.locator('.count').allInnerTexts()).map(Number.parseFloat);
    expect(shares.reduce((sum, share) => sum + share, 0)).toBeCloseTo(100, 0);
  }
  await takePictures(page, 'classify-labels', '#classify');
});
