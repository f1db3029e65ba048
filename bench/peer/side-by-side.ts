// npm run bench:peer without --node: this library and transformers.js in the same Chromium, with the same weights and texts, alternating.
import { readFileSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { type Browser, chromium, type Page } from 'playwright';
import { createTokenizer } from '../../src/tokenizer/tokenizer';
import { findChromium } from '../../tools/adapters.mjs';
import { bundle, ROOT } from '../../tools/bundle.mjs';
import { choose, count, parseFlags } from '../args';
import { nodeEnvironment } from '../environment';
import { barTable, columns } from '../print';
import { textOf } from '../texts';
import { UsageError } from '../usage-error';
import { PEER_CASES, type PeerCase } from './cases';
import { type Answer, CONTENDERS, type Contender, PATHS, type PeerPage } from './contenders';
import { leastCosine, type PeerReport, type PeerResult, peerBars, peerTable, summarised } from './results';
import { serve } from './server';

export const USAGE = `npm run bench:peer -- [options]        (or --node, with options of its own: --node --help)
  --contenders A,B   of ${CONTENDERS.join(', ')}
  --cases A,B        of ${PEER_CASES.map(({ name }) => name).join(', ')}
  --repeats N        timed runs per contender, alternating, after one warm-up; default 5
  --patience S       if a contender's warm-up takes more seconds than this, it counts as its only run; default 60
  --timeout S        a call that takes more seconds than this has failed; default 1200
  --gpu              use the machine's graphics card in a visible Chromium, instead of SwiftShader
  --json FILE        writes the results`;

const SOFTWARE = ['--use-webgpu-adapter=swiftshader', '--enable-unsafe-webgpu'];

function parseOptions() {
  const values = parseFlags(['contenders', 'cases', 'repeats', 'patience', 'timeout', 'json'], ['gpu', 'help']);
  const contenders = choose('--contenders', values.contenders, [...CONTENDERS]) ?? [...CONTENDERS];
  const names = choose(
    '--cases',
    values.cases,
    PEER_CASES.map(({ name }) => name),
  );
  return {
    contenders,
    cases: PEER_CASES.filter(({ name }) => !names || names.includes(name)),
    repeats: count('--repeats', values.repeats) ?? 5,
    patience: 1000 * (count('--patience', values.patience) ?? 60),
    timeout: 1000 * (count('--timeout', values.timeout) ?? 1200),
    gpu: values.gpu ?? false,
    json: values.json,
    help: values.help ?? false,
  };
}

type Options = ReturnType<typeof parseOptions>;

/** Bundles the page and the library's worker as an application would. */
async function build(): Promise<string> {
  const dir = join(ROOT, 'build/peer');
  await bundle({ name: 'page', file: 'bench/peer/page.ts', dir, platform: 'browser', minify: true });
  await bundle({ name: 'worker', file: 'src/worker.ts', dir, platform: 'browser', minify: true });
  return dir;
}

const errorText = (error: unknown): string =>
  (error instanceof Error ? error.message : String(error))
    .replace(/^page\.evaluate: /, '')
    .split('\n')[0]
    .slice(0, 200);

/** Resolves as `work` does; rejects if that takes more than `timeout` ms or the page crashes. */
async function within<T>(page: Page, timeout: number, work: Promise<T>): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`not done after ${timeout / 1000} s`)), timeout);
    page.once('crash', () => reject(new Error('the page crashed')));
  });
  try {
    return await Promise.race([work, late]);
  } finally {
    clearTimeout(timer);
  }
}

/** One case: every contender warms up, then they alternate. One that fails drops out, and the others continue in a new browser. */
async function runCase(
  given: PeerCase,
  texts: string[],
  openPage: () => Promise<Page>,
  { contenders, repeats, patience, timeout }: Options,
): Promise<PeerResult[]> {
  const results = new Map<Contender, PeerResult>();
  const answers = new Map<Contender, Answer>();
  let page = await openPage();
  const loaded = new Set<Contender>();
  const call = async (contender: Contender): Promise<Answer | undefined> => {
    const result = results.get(contender)!;
    try {
      if (!loaded.has(contender)) {
        const { device } = await within(page, timeout, page.evaluate(loadIn, contender));
        result.device = device;
        loaded.add(contender);
      }
      return await within(page, timeout, page.evaluate(embedIn, { contender, texts }));
    } catch (error) {
      result.failure = errorText(error);
      console.error(`${given.name} ${contender}: ${result.failure}`);
      await close(page);
      page = await openPage();
      loaded.clear();
      return undefined;
    }
  };
  for (const contender of contenders) {
    const tokens = given.lengths.reduce((a, b) => a + b, 0);
    const { name, equal } = given;
    results.set(contender, { name, contender, device: '', documents: texts.length, tokens, equal, runs_ms: [] });
    const answer = await call(contender);
    if (!answer) continue;
    answers.set(contender, answer);
    console.error(`${name} ${contender}: warm-up ${Math.round(answer.ms)} ms`);
    if (answer.ms > patience) results.get(contender)!.runs_ms.push(answer.ms);
  }
  for (let i = 0; i < repeats; i++) {
    for (const [contender, result] of results) {
      if (result.failure || answers.get(contender)!.ms > patience) continue;
      if (!loaded.has(contender)) await call(contender); // new browser: warm up again
      const answer = result.failure ? undefined : await call(contender);
      if (answer) result.runs_ms.push(answer.ms);
    }
  }
  await close(page);
  const own = answers.get('modernbert-webgpu');
  return [...results].map(([contender, result]) => {
    const answer = answers.get(contender);
    const cosine = own && answer && answer !== own ? leastCosine(answer.data, own.data, own.dim) : undefined;
    return summarised({ ...result, ...(cosine === undefined ? {} : { cosine }) });
  });
}

/** Closes the whole browser: its GPU process would otherwise continue with the abandoned page's work, alongside the next page's. */
const close = async (page: Page): Promise<void> => page.context().browser()?.close();

// These two run in the page.
const loadIn = (contender: Contender) => (window as unknown as { peerPage: PeerPage }).peerPage.load(contender);
const embedIn = ({ contender, texts }: { contender: Contender; texts: string[] }) =>
  (window as unknown as { peerPage: PeerPage }).peerPage.embed(contender, texts);

export async function compareInBrowser(): Promise<void> {
  const options = parseOptions();
  if (options.help) return console.log(USAGE);
  const executablePath = findChromium();
  if (!executablePath)
    throw new UsageError('No Chromium, Chrome or Edge found. Run `npm run setup`, or set CHROME_PATH.');
  const models = join(ROOT, 'public/models');
  const tokenizer = createTokenizer(
    JSON.parse(readFileSync(join(models, 'nano-embed/tokenizer.json'), 'utf8')),
    undefined,
  );
  const { url, server } = await serve(
    {
      [PATHS.code]: await build(),
      [PATHS.models]: models,
      [PATHS.ort]: dirname(createRequire(import.meta.url).resolve('onnxruntime-web')),
    },
    `${PATHS.code}/page.js`,
  );
  let browser: Browser | undefined;
  const openPage = async () => {
    browser = await chromium.launch({
      executablePath,
      headless: !options.gpu,
      args: ['--no-sandbox', ...(options.gpu ? ['--enable-features=Vulkan'] : SOFTWARE)],
    });
    const page = await browser.newPage();
    page.setDefaultTimeout(0);
    await page.goto(url);
    await page.waitForFunction(() => 'peerPage' in window);
    return page;
  };
  try {
    const results: PeerResult[] = [];
    for (const given of options.cases) {
      const texts = [];
      for (const [i, length] of given.lengths.entries()) {
        texts.push(await textOf(length, i + 1, (text) => tokenizer.encode(text).ids.length));
      }
      results.push(...(await runCase(given, texts, openPage, options)));
    }
    const adapter = results.find(({ contender }) => contender === 'modernbert-webgpu')?.device ?? 'unknown';
    const bars = peerBars(results, /swiftshader/i.test(adapter));
    const { date, commit } = nodeEnvironment();
    const runtime = `Chromium ${browser?.version()}`;
    const peer = `transformers.js ${versionOf('@huggingface/transformers')}, onnxruntime-web ${versionOf('onnxruntime-web')}`;
    const report: PeerReport = { date, commit, runtime, adapter, peer, results, bars };
    console.log(`${runtime}, ${adapter}; ${peer}\n\n${columns(peerTable(results))}`);
    if (bars.length > 0) console.log(`\n${columns(barTable(bars))}`);
    if (options.json) writeFileSync(options.json, `${JSON.stringify(report, null, 1)}\n`);
  } finally {
    await browser?.close();
    server.close();
  }
}

const versionOf = (name: string): string =>
  JSON.parse(readFileSync(join(ROOT, 'node_modules', name, 'package.json'), 'utf8')).version;
