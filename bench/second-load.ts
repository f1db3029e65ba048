// What a second load costs in Chromium, beside a plain read of the same bytes: npm run bench:second-load -- [options]. USAGE is below.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { chromium, type Page } from 'playwright';
import type { Dtype } from '../src/api/types';
import { findChromium } from '../tools/adapters.mjs';
import { bundleLibrary } from '../tools/library.mjs';
import { choose, count } from './args';
import { nodeEnvironment } from './environment';
import { type BenchModel, benchModels } from './models';
import { serve } from './peer/server';
import { columns } from './print';
import { median } from './statistics';
import { UsageError } from './usage-error';

const USAGE = `npm run bench:second-load -- [options]
  --models A,B    of nano, base; by default base
  --dtypes A,B    of f32, f16, q8, q4; by default f16, q8
  --repeats N     reads and loads, in turn; by default 15
  --gpu           the machine's graphics card in a visible Chromium, instead of SwiftShader
  --out DIR       writes second-load.json and second-load.md`;

/** Times in milliseconds, each the median of the repeats. */
interface Row {
  model: string;
  dtype: Dtype;
  bytes: number;
  /** From the server, converted and stored. */
  first_load: number;
  /** The stored weights, read to their end from the origin's private file system. */
  plain_read: number;
  /** All of a load but for its kernels: worker, adapter and device, files, checks, uploads. */
  second_load_without_kernels: number;
  /** Compiling goes on while the weights are read. */
  second_load: number;
}

/** What the page has in `window`. */
declare const library: typeof import('../src/index');

/** Beside the library: the page's script, and a worker that compiles nothing. */
const SCRIPTS = {
  'main.js': "import * as library from '/page/library/index.js'; window.library = library;",
  'no-kernels.js': 'GPUDevice.prototype.createComputePipelineAsync = async () => ({});',
  'worker-without-kernels.js': "import './no-kernels.js'; import './library/worker.js';",
};

/** Loads in a worker, as applications do. Gives milliseconds. */
const load = (page: Page, dtype: Dtype, state: 'stored' | 'hit', kernels: boolean) =>
  page.evaluate(
    async ({ dtype, state, kernels }) => {
      const start = performance.now();
      const worker = kernels || new Worker('/page/worker-without-kernels.js', { type: 'module' });
      const model = await library.loadModel('/model/', { dtype, cache: 'always', worker, autotune: false });
      const took = performance.now() - start;
      const { cache } = model.info;
      await model.dispose();
      if (cache.state !== state) throw new Error(`cache: ${cache.state} ${cache.reason}, expected: ${state}`);
      return took;
    },
    { dtype, state, kernels },
  );

/** Milliseconds and bytes. */
const read = (page: Page, dtype: Dtype) =>
  page.evaluate(async (dtype) => {
    const { id } = (await library.listCached()).find((entry) => entry.dtype === dtype)!;
    const root = await navigator.storage.getDirectory();
    const folder = await (await root.getDirectoryHandle('modernbert-webgpu')).getDirectoryHandle(id);
    const start = performance.now();
    const file = await (await folder.getFileHandle('model.safetensors')).getFile();
    const reader = file.stream().getReader();
    let bytes = 0;
    for (let part = await reader.read(); !part.done; part = await reader.read()) bytes += part.value.length;
    return { took: performance.now() - start, bytes };
  }, dtype);

async function measure(page: Page, { name: model }: BenchModel, dtype: Dtype, repeats: number): Promise<Row> {
  const first_load = await load(page, dtype, 'stored', false);
  const reads: number[] = [];
  const loads: number[] = [];
  let bytes = 0;
  for (let i = 0; i <= repeats; i++) {
    const plain = await read(page, dtype);
    const took = await load(page, dtype, 'hit', false);
    bytes = plain.bytes;
    if (i === 0) continue; // both codes are cold
    reads.push(plain.took);
    loads.push(took);
  }
  const second_load = await load(page, dtype, 'hit', true);
  const medians = { plain_read: median(reads), second_load_without_kernels: median(loads) };
  return { model, dtype, bytes, first_load, ...medians, second_load };
}

const HEADER = ['model', 'dtype', 'MB', 'plain read', 'load', 'read : load', 'first load', 'with kernels'];

function cells(row: Row): string[] {
  const rate = (ms: number) => `${(ms / 1000).toFixed(2)} s, ${(row.bytes / 1e3 / ms).toFixed(0)} MB/s`;
  const { plain_read, second_load_without_kernels: second } = row;
  return [
    row.model,
    row.dtype,
    (row.bytes / 1e6).toFixed(1),
    rate(plain_read),
    rate(second),
    (plain_read / second).toFixed(2),
    `${(row.first_load / 1000).toFixed(1)} s`,
    `${(row.second_load / 1000).toFixed(1)} s`,
  ];
}

const markdown = (where: string, rows: Row[]): string => `# A second load, beside a plain read of the same bytes

${where}. Written by \`npm run bench:second-load -- --out bench/results\`.

- plain read: the stored \`model.safetensors\`, its \`stream()\` read to its end from the origin's private file system; the bar: a second load has
  half its rate. The library's worker reads by a handle of its own, which is faster.
- load: a whole second load but for its kernels: worker, device, files, the check that all numbers are finite, uploads. Medians, in turn with
  the reads.
- first load: the same from a server on this machine, converted and stored.
- with kernels: one second load with its kernels, which compile while the weights are read. A software GPU compiles on the processor that
  reads, and with a slow compiler.

${[HEADER, HEADER.map((_, i) => (i < 2 ? '---' : '---:')), ...rows.map(cells)].map((row) => `| ${row.join(' | ')} |`).join('\n')}
`;

function parseOptions() {
  const text = { type: 'string' } as const;
  const flag = { type: 'boolean' } as const;
  try {
    const options = { models: text, dtypes: text, repeats: text, out: text, gpu: flag, help: flag };
    return parseArgs({ options }).values;
  } catch (error) {
    throw new UsageError(error instanceof Error ? error.message : String(error));
  }
}

async function main(): Promise<void> {
  const values = parseOptions();
  if (values.help) return console.log(USAGE);
  const models = benchModels(choose('--models', values.models, ['nano', 'base']) ?? ['base'], undefined);
  const dtypes: Dtype[] = choose('--dtypes', values.dtypes, ['f32', 'f16', 'q8', 'q4']) ?? ['f16', 'q8'];
  const repeats = count('--repeats', values.repeats) ?? 15;

  const dir = resolve('build/second-load');
  await bundleLibrary(join(dir, 'library'));
  for (const [name, text] of Object.entries(SCRIPTS)) writeFileSync(join(dir, name), text);
  const profile = mkdtempSync(join(tmpdir(), 'second-load-'));
  const rows: Row[] = [];
  let where = '';
  try {
    for (const model of models) {
      const { url, server } = await serve({ page: dir, model: String(model.source) }, 'page/main.js');
      const browser = await chromium.launchPersistentContext(profile, {
        executablePath: findChromium(),
        headless: !values.gpu,
        args: ['--no-sandbox', '--enable-unsafe-webgpu', ...(values.gpu ? [] : ['--use-webgpu-adapter=swiftshader'])],
      });
      const page = await browser.newPage();
      await page.goto(url);
      await page.waitForFunction(() => 'library' in window);
      const adapter = await page.evaluate(async () => {
        const { vendor, architecture } = (await navigator.gpu.requestAdapter())!.info;
        return `${vendor} ${architecture}`;
      });
      where = `${adapter}, Chromium ${browser.browser()?.version()}`;
      for (const dtype of dtypes) {
        rows.push(await measure(page, model, dtype, repeats));
        console.error(`${model.name} ${dtype}: done`);
      }
      await browser.close();
      server.close();
    }
  } finally {
    rmSync(profile, { recursive: true, force: true });
  }
  console.log(columns([HEADER, ...rows.map(cells)]));
  if (!values.out) return;
  const { date, commit } = nodeEnvironment();
  const report = { where, date, commit, rows };
  writeFileSync(join(values.out, 'second-load.json'), `${JSON.stringify(report, null, 1)}\n`);
  writeFileSync(join(values.out, 'second-load.md'), markdown(where, rows));
}

main().then(
  () => process.exit(0),
  (error: unknown) => {
    console.error(error instanceof UsageError ? error.message : error);
    process.exit(error instanceof UsageError ? 2 : 1);
  },
);
