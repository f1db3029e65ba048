// npm run bench:second-load: what a second load costs in Chromium, beside a plain read of the same bytes.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { chromium, type Page } from 'playwright';
import type { Dtype } from '../src/api/types';
import { findChromium } from '../tools/adapters.mjs';
import { bundleLibrary } from '../tools/library.mjs';
import { choose, count, parseFlags, runCommand } from './args';
import { nodeEnvironment } from './environment';
import { type BenchModel, benchModels } from './models';
import { serve } from './peer/server';
import { columns, markdownTable } from './print';
import { median } from './statistics';

const USAGE = `npm run bench:second-load -- [options]
  --models A,B    of nano, base; default base
  --dtypes A,B    of f32, f16, q8, q4; default f16,q8
  --repeats N     pairs of a read and a load; default 15
  --gpu           use the machine's graphics card in a visible Chromium, instead of SwiftShader
  --out DIR       writes second-load.json and second-load.md`;

/** Times in milliseconds; reads and loads without kernels are medians. */
interface Row {
  model: string;
  dtype: Dtype;
  bytes: number;
  /** From the server, including conversion and storing. */
  first_load: number;
  /** The stored weights, read to the end from the origin-private file system (OPFS). */
  plain_read: number;
  /** A whole load except for its kernels: worker, adapter and device, files, checks, uploads. */
  second_load_without_kernels: number;
  /** Kernels compile while the weights are read. */
  second_load: number;
}

/** A global of the page. */
declare const library: typeof import('../src/index');

/** Served next to the library: the page's script, and a worker that compiles nothing. */
const SCRIPTS = {
  'main.js': "import * as library from '/page/library/index.js'; window.library = library;",
  'no-kernels.js': 'GPUDevice.prototype.createComputePipelineAsync = async () => ({});',
  'worker-without-kernels.js': "import './no-kernels.js'; import './library/worker.js';",
};

/** Loads in a worker, as applications do. Returns milliseconds. */
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

/** Reads the stored weights. Returns milliseconds and bytes. */
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
    if (i === 0) continue; // warm-up
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

- plain read: the stored \`model.safetensors\`, its \`stream()\` read to the end from the origin-private file system. The bar: a second load
  reaches half its rate. The library's worker reads through its own handle, which is faster.
- load: a whole second load except for its kernels: worker, device, files, the check that all numbers are finite, uploads. Medians; loads and
  reads alternate.
- first load: the same from a server on this machine, including conversion and storing.
- with kernels: one second load with its kernels, which compile while the weights are read. A software GPU compiles on the CPU that
  reads, and slowly.

${markdownTable([HEADER, ...rows.map(cells)], 2)}
`;

async function main(): Promise<void> {
  const values = parseFlags(['models', 'dtypes', 'repeats', 'out'], ['gpu', 'help']);
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

runCommand(main, USAGE);
