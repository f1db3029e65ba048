import { readFileSync } from 'node:fs';
import { mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';
import { makeCheckpoint } from '../tools/make-checkpoint.mjs';
import { expectAccessible } from './accessible';
import { textOf, useDemo, waitForText } from './demo-page';

const open = useDemo();

it('trains a head on examples, tells how good it is, classifies with it, and takes it back from its file', async () => {
  const page = await open({ path: '#classify' });
  const csv = `label,text\n${['sea,a ship', 'sea,a boat', 'food,bread', 'food,cheese'].join('\n')}\n`;
  await page.setInputFiles('#csv-drop input', { name: 'small.csv', mimeType: 'text/csv', buffer: Buffer.from(csv) });
  await page.getByRole('button', { name: 'Use these rows' }).click();
  expect(
    await page.locator('.class-name').evaluateAll((fields) => fields.map((field) => (field as HTMLInputElement).value)),
  ).toEqual(['sea', 'food']);
  await page.fill('#try-texts', 'a ship\nbread');
  await page.click('#train');
  await page.waitForSelector('#try-results li');
  expect(await textOf(page, '#training .accuracy')).toMatch(/^\d+% right in 2-fold cross-validation/);
  const cells = (await page.locator('.confusion tbody td').allInnerTexts()).map(Number);
  expect(cells[0] + cells[1]).toBe(2);
  expect(cells[2] + cells[3]).toBe(2);
  const best = page.locator('.label-bars li:first-child .label');
  expect(await best.allInnerTexts()).toEqual(['sea', 'food']);
  const shares = await page.locator('.label-bars .count').allInnerTexts();

  const downloading = page.waitForEvent('download');
  await page.click('#export-head');
  const head = JSON.parse(readFileSync(await (await downloading).path(), 'utf8'));
  expect(head).toMatchObject({ model: 'nano-embed', dim: 256, labels: ['sea', 'food'], training: { examples: 4 } });

  const give = (name: string, content: object) =>
    page.setInputFiles('#import-head', { name, mimeType: '', buffer: Buffer.from(JSON.stringify(content)) });
  await give('other.json', { ...head, model: 'someone/other' });
  await waitForText(page, '#few-form .error', 'trained on embeddings of someone/other');
  await give('renamed.json', { ...head, labels: ['water', 'meal'] });
  await waitForText(page, '#try-results', 'water');
  expect(await best.allInnerTexts()).toEqual(['water', 'meal']);
  expect(await page.locator('.label-bars .count').allInnerTexts()).toEqual(shares);

  for (const [width, colorScheme] of [
    [1280, 'light'],
    [390, 'dark'],
  ] as const) {
    await page.setViewportSize({ width, height: 900 });
    await page.emulateMedia({ colorScheme });
    await expectAccessible(page, '#classify');
    expect(await page.evaluate(() => document.documentElement.scrollWidth - innerWidth)).toBe(0);
    await page.screenshot({ path: `test-results/classify-${width}.png`, fullPage: true });
  }
});

it('classifies by labels alone with an NLI model from the Hub', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'nli-'));
  const config = {
    architectures: ['ModernBertForSequenceClassification'],
    vocab_size: 16384,
    hidden_size: 64,
    intermediate_size: 96,
    num_hidden_layers: 2,
    num_attention_heads: 2,
    max_position_embeddings: 128,
    local_attention: 16,
    num_labels: 2,
    id2label: { 0: 'entailment', 1: 'not_entailment' },
    label2id: { entailment: 0, not_entailment: 1 },
  };
  makeCheckpoint({ seed: 5, task: 'seqcls', config }, folder);
  const nano = fileURLToPath(new URL('../public/models/nano/', import.meta.url));
  const page = await open({
    path: '#classify?by=labels',
    prepare: (page) =>
      page.route('https://huggingface.co/**', async (route) => {
        const name = route.request().url().split('/').at(-1) ?? '';
        const from = {
          'config.json': folder,
          'model.safetensors': folder,
          'tokenizer.json': nano,
          'tokenizer_config.json': nano,
        }[name];
        const headers = { 'access-control-allow-origin': '*' };
        await (from
          ? route.fulfill({ body: readFileSync(join(from, name)), headers })
          : route.fulfill({ status: 404, headers }));
      }),
  });
  await page.click('#zero-run');
  await page.waitForSelector('#zero-results li');
  expect(await page.locator('#zero-results .subject').count()).toBe(2);
  for (const list of await page.locator('#zero-results .label-bars').all()) {
    expect((await list.locator('.label').allInnerTexts()).toSorted()).toEqual(['economy', 'travel', 'weather']);
    const shares = (await list.locator('.count').allInnerTexts()).map(Number.parseFloat);
    expect(shares.reduce((sum, share) => sum + share, 0)).toBeCloseTo(100, 0);
  }
  await expectAccessible(page, '#classify');
});
