// npm run bench:load: where the time goes from `loadModel` to the first embedding, of a first visit and of a later one.
import { execFile } from 'node:child_process';
import { cpSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { promisify } from 'node:util';
import { chromium } from 'playwright';
import { findChromium } from '../tools/adapters.mjs';
import { bundle } from '../tools/bundle.mjs';
import { bundleLibrary } from '../tools/library.mjs';
import { choose, count, parseFlags, runCommand } from './args';
import type { Load, Row, Timeline } from './load/timeline';
import { timelineTable } from './load/timeline';
import { benchModels } from './models';
import { serve } from './peer/server';
import { columns } from './print';

const PLACES = ['null', 'adapter', 'chromium', 'memory'] as const;

const USAGE = `npm run bench:load -- [options]        (ADAPTER=lavapipe|swiftshader|system)
  --models A,B      of nano, base; default both
  --tokenizer DIR   a folder whose tokenizer.json base gets; default nano's
  --where A,B       of ${PLACES.join(', ')}; default all. null and adapter: in Node, on Dawn's null backend (without self-check) and
                    on the adapter; chromium: in a worker, on SwiftShader;
                    memory: as null, but with garbage collected every 8 MB, so that only what is held counts and no times
  --repeats N       loads of each kind, each in a process or page of its own; default 3
  --out FILE        writes the timelines as JSON`;

/** A global of the page. */
declare const library: typeof import('../src/index');

/** A folder with base's weights and a tokenizer. */
function withTokenizer(base: string, tokenizer: string, folder: string): string {
  for (const name of ['config.json', 'model.safetensors']) symlinkSync(join(base, name), join(folder, name));
  cpSync(join(tokenizer, 'tokenizer.json'), join(folder, 'tokenizer.json'));
  return folder;
}

/** One load in Node, of an empty store first and then of what the first has stored. */
async function inNode(script: string, source: string, where: 'null' | 'adapter' | 'memory'): Promise<Timeline[]> {
  const cacheFolder = mkdtempSync(join(tmpdir(), 'bench-load-'));
  // What is found out about the device is stored there too.
  const env = { ...process.env, XDG_CACHE_HOME: cacheFolder };
  const load: Load = { source, backend: where === 'adapter' ? 'adapter' : 'null', cacheFolder };
  const flags = where === 'memory' ? ['--expose-gc'] : [];
  const timelines: Timeline[] = [];
  try {
    for (const _ of ['cold', 'warm']) {
      const { stdout } = await promisify(execFile)(process.execPath, [...flags, script, JSON.stringify(load)], { env });
      timelines.push(JSON.parse(stdout));
    }
    return timelines;
  } finally {
    rmSync(cacheFolder, { recursive: true });
  }
}

/** The same in Chromium: a profile of its own for each pair of loads. */
async function inChromium(url: string): Promise<Timeline[]> {
  const profile = mkdtempSync(join(tmpdir(), 'bench-load-'));
  const timelines: Timeline[] = [];
  const browser = await chromium.launchPersistentContext(profile, {
    executablePath: findChromium(),
    args: ['--no-sandbox', '--enable-unsafe-webgpu', '--use-webgpu-adapter=swiftshader'],
  });
  try {
    for (const _ of ['cold', 'warm']) {
      const page = await browser.newPage();
      await page.goto(url);
      await page.waitForFunction(() => 'library' in window);
      const timeline = await page.evaluate(async (): Promise<Timeline> => {
        const now = () => performance.timeOrigin + performance.now();
        const channel = new BroadcastChannel('load-probe');
        const start = now();
        const worker = new Worker('/page/probed.js', { type: 'module' });
        const model = await library.loadModel('/model/', { dtype: 'f16', cache: 'always', worker });
        const loaded = now();
        const marks = await new Promise<Timeline>((resolve) => {
          channel.onmessage = ({ data }) => resolve(data);
          channel.postMessage('marks?');
        });
        const asked = now();
        await model.embed('A short query.');
        const embedded = loaded + now() - asked;
        channel.close();
        const { state } = model.info.cache;
        await model.dispose();
        return { ...marks, start, loaded, embedded, state };
      });
      timelines.push(timeline);
      await page.close();
    }
  } finally {
    await browser.close();
    rmSync(profile, { recursive: true, force: true });
  }
  return timelines;
}

async function main(): Promise<void> {
  const values = parseFlags(['models', 'tokenizer', 'where', 'repeats', 'out'], ['help']);
  if (values.help) return console.log(USAGE);
  const places = choose('--where', values.where, [...PLACES]) ?? PLACES;
  const models = benchModels(choose('--models', values.models, ['nano', 'base']), undefined);
  const repeats = count('--repeats', values.repeats) ?? 3;
  const tokenizer = resolve(values.tokenizer ?? 'public/models/nano');

  const dir = resolve('build/load');
  await bundle({ name: 'in-node', file: 'bench/load/in-node.ts', dir, platform: 'node', packages: 'leave' });
  await bundle({ name: 'probe', file: 'bench/load/worker.ts', dir, platform: 'browser' });
  await bundleLibrary(join(dir, 'library'));
  writeFileSync(join(dir, 'main.js'), "import * as library from '/page/library/index.js'; window.library = library;");
  writeFileSync(join(dir, 'probed.js'), "import './probe.js'; import './library/worker.js';");

  const rows: Row[] = [];
  for (const { name: model, source } of models) {
    const made = mkdtempSync(join(tmpdir(), 'bench-load-'));
    const folder = model === 'base' ? withTokenizer(String(source), tokenizer, made) : String(source);
    const { url, server } = await serve({ page: dir, model: folder }, 'page/main.js');
    try {
      for (let i = 0; i < repeats; i++) {
        for (const where of places) {
          const pair = await (where === 'chromium'
            ? inChromium(url)
            : inNode(join(dir, 'in-node.js'), `${url}model/`, where));
          const [cold, warm] = pair.map((timeline, w): Row => {
            const way = w === 0 ? 'cold' : 'warm';
            if (timeline.state !== (w === 0 ? 'stored' : 'hit')) throw new Error(`The store: ${timeline.state}`);
            return { model, where, way, ...timeline };
          });
          rows.push(cold, warm);
          console.error(`${model}, ${where}: done`);
        }
      }
    } finally {
      server.close();
      rmSync(made, { recursive: true });
    }
  }
  const order = (row: Row) => `${row.model} ${places.indexOf(row.where as never)} ${row.way}`;
  rows.sort((a, b) => order(a).localeCompare(order(b)));
  console.log('Milliseconds since loadModel was called; busy: of the thread that loads.');
  console.log(columns(timelineTable(rows)));
  if (values.out) writeFileSync(values.out, `${JSON.stringify(rows, null, 1)}\n`);
}

runCommand(main, USAGE);
