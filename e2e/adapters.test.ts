/** LoRA adapters in the worker, in Chromium: by the page's relative addresses, changed while the model stays. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Browser, chromium } from 'playwright';
import { afterAll, beforeAll, expect, inject, it } from 'vitest';
import { folderOf } from '../src/reference/calls';
import { FLAGS } from './demo-page';
import { useLibraryPage } from './library-page';

declare const library: typeof import('../src/index');

const FOLDER = folderOf('peft-lora-encoder');
const { calls } = JSON.parse(readFileSync(join(FOLDER, 'expected.json'), 'utf8')) as {
  calls: { ids: number[][]; rows: number[][]; values: number[][][] }[];
};
const asked: string[] = [];
const originOf = useLibraryPage({
  fileOf: (path) => join(FOLDER, path.replace('/models/', '')),
  onRequest: (path) => asked.push(path) > 0,
});

let browser: Browser;
beforeAll(async () => {
  browser = await chromium.launch({ executablePath: inject('chromiumPath'), args: FLAGS });
});
afterAll(() => browser?.close());

it('each gives what peft computes, and changing loads no file', async () => {
  const page = await browser.newPage();
  await page.goto(originOf());
  const found = await page.evaluate(
    async ({ ids, rows }) => {
      const options = { dtype: 'f32', arithmetic: 'f32', autotune: false, selfCheck: false } as const;
      const adapters = { one: './models/adapter', two: new URL('models/adapter-2', document.baseURI) };
      const model = await library.loadModel('./models/base', { ...options, adapters, adapter: 'one' });
      const batch = { inputIds: Uint32Array.from(ids), lengths: Uint32Array.of(ids.length) };
      const hidden = async () => {
        const { last_hidden_state } = await model.forward(batch, { outputs: ['last_hidden_state'], rows });
        return [...last_hidden_state!.data];
      };
      const one = await hidden();
      const { loraAdapter, loraAdapters } = await model.setAdapter('two');
      const two = await hidden();
      await model.setAdapter('one');
      const again = await hidden();
      await model.dispose();
      const named = await library.loadModel('./models/adapter', options); // its base is beside it
      const { task } = named.info;
      await named.dispose();
      return { one, two, again, names: [loraAdapter, loraAdapters, task] };
    },
    { ids: calls[0].ids[1], rows: calls[0].rows[1] },
  );
  expect(found.names).toEqual(['two', ['one', 'two'], 'encoder']);
  for (const [key, call] of [
    ['one', 0],
    ['two', 1],
  ] as const) {
    const want = calls[call].values[1].flat();
    expect(Math.max(...want.map((x, i) => Math.abs(x - found[key][i])))).toBeLessThan(5e-5);
  }
  expect(found.again).toEqual(found.one);
  expect(asked.filter((path) => path === '/models/base/model.safetensors')).toHaveLength(2); // of two loads
});
