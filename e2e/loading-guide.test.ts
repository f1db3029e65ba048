/** The code of docs/guide/loading.md as it stands, in a page that has the policy and the headers that the page says, with small models at the Hub. */
import { cp, mkdtemp, readFile, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Browser, chromium } from 'playwright';
import { afterAll, beforeAll, expect, inject, it } from 'vitest';
import { ROOT } from '../tools/bundle.mjs';
import { blocksFor } from '../tools/doc-blocks';
import { programOf } from '../tools/doc-programs';
import { FLAGS, serveHub } from './demo-page';
import { useLibraryPage } from './library-page';

const blocks = blocksFor('e2e/loading-guide.test.ts');
const PAGE = 'docs/guide/loading.md';
const FIXTURE = join(ROOT, 'src/reference/fixtures/peft-lora-encoder');
const BASE = 'answerdotai/ModernBERT-base';
const COMMIT = '8949b909ec900327062f0ebf497f51aef5e6f0c8';

/** What a header's lines are in an answer. */
const headersOf = (lines: string) =>
  Object.fromEntries(
    lines
      .trim()
      .split('\n')
      .map((line) => line.toLowerCase().split(': ')),
  );
const policy = blocks.take(PAGE, 'default-src').trim();

let browser: Browser;
/** An adapter whose base is the one that the guide names. */
let adapter: string;
beforeAll(async () => {
  browser = await chromium.launch({ executablePath: inject('chromiumPath'), args: FLAGS });
  adapter = await mkdtemp(join(tmpdir(), 'adapter-'));
  await cp(join(FIXTURE, 'adapter'), adapter, { recursive: true });
  const config = JSON.parse(await readFile(join(adapter, 'adapter_config.json'), 'utf8'));
  await writeFile(join(adapter, 'adapter_config.json'), JSON.stringify({ ...config, base_model_name_or_path: BASE }));
});
afterAll(() => browser.close());

const originOf = useLibraryPage({
  fileOf: (path) => path.replace('/adapters/legal', adapter),
  headers: { 'content-security-policy': `${policy}; img-src data:` }, // for the page's icon
});

const EMBEDS = "(await model.embed('A ship.')).data[0].toFixed(5)";
/** What a reader does with what a block made; text of the block → code. */
const USES: Record<string, string> = {
  "createElement('progress')": 'console.log("bar", bar.value, line.textContent);',
  "locale: 'de'":
    "onProgress({ file: 'model.safetensors', loaded: 12e6, total: 160e6 }); onProgress({ file: 'model.safetensors', loaded: 160e6, total: 160e6 });",
  "loadModel('org/adapter')": `console.log('adapter', ${EMBEDS}, ${EMBEDS.replace('model', 'other')});`,
  'adapters = {': `console.log('base', ${EMBEDS}, model.info.loraAdapters.join());`,
  'deleteCached(':
    'console.log("freed", freed, (await listCached()).filter(({ source }) => source === "answerdotai/ModernBERT-base").length);',
  visibilitychange: `
Object.defineProperty(document, 'hidden', { value: true });
document.dispatchEvent(new Event('visibilitychange'));
while (model.memory().weights > 0) await new Promise((resolve) => setTimeout(resolve, 20));`,
  'model.warm()': `
while (model.memory().weights === 0) await new Promise((resolve) => setTimeout(resolve, 20));
console.log("warm");`,
  'info.replaced': 'console.log("replaced", model.info.replaced.length);',
};

it('the page', async () => {
  const context = await browser.newContext();
  const headers = { ...headersOf(blocks.take(PAGE, 'Access-Control')), 'x-repo-commit': COMMIT };
  const models = { [BASE]: join(FIXTURE, 'base'), 'org/adapter': adapter, 'org/medical': join(FIXTURE, 'adapter-2') };
  await serveHub(context, models, headers);
  const page = await context.newPage();
  const printed: string[] = [];
  const complaints: string[] = [];
  page.on('pageerror', ({ message }) => complaints.push(message));
  page.on('console', async (message) => {
    const isMissing = message.text().includes('status of 404'); // files that a checkpoint may lack
    if (message.type() === 'log') printed.push(message.text());
    else if (!isMissing) complaints.push(message.text());
  });
  await page.goto(originOf());
  await page.waitForFunction(() => 'library' in window);
  const code = blocks.takeRest(PAGE).map((block) => {
    const uses = Object.entries(USES).filter(([text]) => block.includes(text));
    return block + uses.map(([, use]) => use).join('\n');
  });
  const program = await programOf(code);
  await page.evaluate(
    `(${program})((name) => import(name.replace(/^modernbert-webgpu$/, '/library/index.js').replace(/^modernbert-webgpu(.*)$/, '/library$1.js')))`,
  );
  expect(complaints).toEqual([]);
  const all = printed.join('\n');
  const [files, ...rest] = all.split(`\n${COMMIT} `);
  expect(files).toMatch(/^config\.json 0 undefined\n[\s\S]*model\.safetensors (\d+) \1\n/);
  expect(rest.join('\n')).toMatch(
    /^\{state: stored, store: opfs, bytes: \d{5,}\}\nbar 1 \d+ kB\n12 von 160 MB\n160 MB\nadapter /,
  );
  const [, adapted, other] = /^adapter (\S+) (\S+)$/m.exec(all) ?? [];
  const [, base] = /^base (\S+) legal,medical$/m.exec(all) ?? [];
  expect(other).toBe(adapted);
  expect(Number(base)).not.toBeCloseTo(Number(adapted), 3);
  expect(all.match(/^(answerdotai|org)\/\S+ 8949b909.*$/gm)).toHaveLength(4);
  const freed = all.match(/(?<=^answerdotai\/\S+ \S+ \w+ )\d+/gm)!.reduce((sum, bytes) => sum + Number(bytes), 0);
  expect(all).toMatch(new RegExp(`\nfreed ${freed} 0\nwarm\nreplaced 0$`));
  await context.close();
});

it('every block that is its own', () => expect(blocks.left()).toEqual([]));
