import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { textOf, useDemo, waitForText } from './demo-page';

const open = useDemo();

const TEXTS = [
  'The capital of [MASK] is Tokyo.',
  'She opened the [MASK] and walked into the [MASK].',
  'It was the best of times, it was the worst of times.',
];
/** Cosines of the mean-pooled outputs of the Hugging Face implementation with the same weights. */
const GOLDEN = [
  [1, 0.336, 0.4011],
  [0.336, 1, 0.7338],
  [0.4011, 0.7338, 1],
];

it('draws the similarities that the published implementation gives', async () => {
  const page = await open({ path: '#embeddings' });
  await page.fill('#texts', `${TEXTS.join('\n')}\n\n`);
  await page.click('#compare');
  await page.waitForSelector('.heatmap');
  expect(await textOf(page, '#texts-count')).toMatch(/^3 texts, \d+ tokens; the longest \d+ \/ 8,192 tokens$/);
  expect(await page.locator('.heatmap tbody th').allInnerTexts()).toEqual(TEXTS.map((text, i) => `${i + 1}\n${text}`));
  const cells = (await page.locator('.heatmap tbody td').allInnerTexts()).map(Number);
  expect(cells).toHaveLength(9);
  GOLDEN.flat().forEach((cosine, i) => {
    expect(Math.abs(cells[i] - cosine)).toBeLessThan(0.0051); // two digits are shown
  });
});

it('gives the embeddings as JSON', async () => {
  const page = await open({ path: '#embeddings' });
  await page.fill('#texts', TEXTS.join('\n'));
  await page.click('#compare');
  await page.waitForSelector('.heatmap');
  const downloading = page.waitForEvent('download');
  await page.click('#download-json');
  const path = await (await downloading).path();
  const { model, dim, texts, embeddings } = JSON.parse(readFileSync(path, 'utf8'));
  expect({ model, dim, texts }).toEqual({ model: 'nano-embed', dim: 256, texts: TEXTS });
  const dot = (a: number[], b: number[]) => a.reduce((sum, value, k) => sum + value * b[k], 0);
  TEXTS.forEach((_, i) => {
    TEXTS.forEach((_, j) => {
      expect(dot(embeddings[i], embeddings[j])).toBeCloseTo(GOLDEN[i][j], 3);
    });
  });

  await page.context().grantPermissions(['clipboard-read', 'clipboard-write']);
  await page.click('#copy-json');
  await waitForText(page, '#json-note', 'Copied.');
  expect(JSON.parse(await page.evaluate(() => navigator.clipboard.readText()))).toEqual({
    model,
    dim,
    texts,
    embeddings,
  });
});
