import { readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, expect, it } from 'vitest';
import { tinyModel } from '../src/tasks/fixtures';
import { fillMasks, longTasks, textOf, useDemo, waitForText, watchLongTasks } from './demo-page';

const open = useDemo();

/** So small that 8192 tokens take seconds on a CPU. */
const folder = tinyModel('mlm', { max_position_embeddings: 8192, local_attention: 128 });
afterAll(() => rmSync(folder, { recursive: true }));

const openWithSmallModel = () =>
  open({
    prepare: async (page) => {
      for (const name of ['config.json', 'model.safetensors']) {
        const body = readFileSync(join(folder, name));
        await page.route(`**/models/nano/${name}`, (route) => route.fulfill({ body }));
      }
    },
  });

/** [CLS], a mask, words of one token each, [SEP]. */
const textOfTokens = (tokens: number) => `[MASK]${' the'.repeat(tokens - 3)}`;

it('can be stopped, fills a mask in 8192 tokens while the page stays responsive, and says how much too long a text is', async () => {
  const page = await openWithSmallModel();
  await waitForText(page, '#fill-mask .status', /\d tokens/); // from here only the next text can run
  await page.fill('#mask-text', textOfTokens(8192));
  await waitForText(page, '#fill', 'Stop'); // runs without a click
  await page.waitForTimeout(100); // until the call is in the worker
  await page.click('#fill');
  await waitForText(page, '#fill-mask .status', 'Stopped.');
  expect(await fillMasks(page, 'Only a [MASK].')).toHaveLength(1);

  await watchLongTasks(page);
  const [words] = await fillMasks(page, textOfTokens(8192));
  expect(words).toHaveLength(8);
  expect(await textOf(page, '#fill-mask .status')).toContain('8,192 tokens');
  expect(await longTasks(page, 100)).toEqual([]);

  await page.fill('#mask-text', textOfTokens(8195));
  await waitForText(page, '#mask-count', '8,195 / 8,192 tokens: 3 tokens too many. Shorten the text');
  expect(await page.isDisabled('#fill')).toBe(true);
  await expect.poll(() => textOf(page, '#fill-mask .status')).toBe('');
});
