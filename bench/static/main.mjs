// npm run bench:static [-- options]: compiles every kernel with the compilers of real graphics cards, without the cards.
// Writes bench/results/compile-*.md and .json; exits with status 1 if a kernel spills or a row is missing.
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { parseArgs } from 'node:util';
import { bundle, ROOT } from '../../tools/bundle.mjs';
import { minifyWgsl } from '../../tools/wgsl.mjs';
import { hotLoopListing } from './nak.mjs';
import { markdown, sorted, table } from './report.mjs';
import { missingRows, rowsOf, titleOf } from './rows.mjs';
import { runOn, TARGETS } from './targets.mjs';

const USAGE = `npm run bench:static                              all kernels, both targets; writes to bench/results
npm run bench:static -- --only "Wqkv base f32"    prints the rows that match all of these words (shader, kernel, model, tier)
npm run bench:static -- --listing "gemm Wi nano"  prints the hot loop's instructions of the first match (ga102)
npm run bench:static -- --target navi31           one target
npm run bench:static -- --check                   all kernels; writes nothing, exits with status 1 on spills or a missing row`;

const RESULTS = join(ROOT, 'bench/results');
const KERNELS = join(ROOT, 'src/kernels');

const readJson = (/** @type {string} */ path) => JSON.parse(readFileSync(join(ROOT, path), 'utf8'));

/** Shared sources that precede a design's own: gemm.wgsl before gemm_split_k.wgsl, as in src/kernels. */
const COMMON = ['gemm', 'attention', 'layer_norm'];

/** Every kernel's source by file stem. */
function shaderSources() {
  const read = (/** @type {string} */ stem) => minifyWgsl(readFileSync(join(KERNELS, `${stem}.wgsl`), 'utf8'));
  const stems = readdirSync(KERNELS)
    .filter((name) => name.endsWith('.wgsl'))
    .map((name) => basename(name, '.wgsl'));
  const sourceOf = (/** @type {string} */ stem) => {
    const common = COMMON.find((name) => stem.startsWith(`${name}_`));
    return common ? `${read(common)}\n${read(stem)}` : read(stem);
  };
  return Object.fromEntries(stems.filter((stem) => !COMMON.includes(stem)).map((stem) => [stem, sourceOf(stem)]));
}

/** @param {string} words @returns {import('./job').Job} without toggles, which the target adds */
const jobFor = (words) => ({
  toggles: [],
  models: [
    { name: 'nano', config: readJson('public/models/nano/config.json') },
    { name: 'base', config: readJson('bench/shapes/base.json').config },
    { name: 'large', config: readJson('bench/shapes/large.json').config },
  ],
  shaders: shaderSources(),
  only: words.split(/\s+/).filter((word) => word !== ''),
});

/** @param {string} text @returns {never} */
const usage = (text) => {
  console.error(`${text}\n\n${USAGE}`);
  process.exit(2);
};

const parse = () => {
  try {
    return parseArgs({
      options: {
        only: { type: 'string' },
        listing: { type: 'string' },
        target: { type: 'string' },
        check: { type: 'boolean' },
        help: { type: 'boolean' },
      },
    }).values;
  } catch (error) {
    return usage(error instanceof Error ? error.message : String(error));
  }
};

const { only, listing, target: asked, check, help } = parse();
if (help) {
  console.log(USAGE);
  process.exit(0);
}
if ([only, listing, check].filter((option) => option !== undefined).length > 1)
  usage('--only, --listing and --check are mutually exclusive.');
const known = Object.keys(TARGETS);
if (asked !== undefined && !known.includes(asked)) usage(`--target: unknown '${asked}'; expected ${known.join(', ')}.`);
const names = /** @type {(keyof typeof TARGETS)[]} */ (
  listing !== undefined ? ['ga102'] : known.filter((name) => asked === undefined || name === asked)
);

const dir = join(ROOT, 'build/run/bench-static');
await bundle({
  name: 'pipelines',
  file: join(ROOT, 'bench/static/pipelines.ts'),
  dir,
  platform: 'node',
  packages: 'leave',
});
const job = jobFor(only ?? listing ?? '');
mkdirSync(RESULTS, { recursive: true });

/** @param {keyof typeof TARGETS} name @returns {Promise<string[]>} problems */
const report = async (name) => {
  const target = TARGETS[name];
  const { log } = await runOn(target, join(dir, 'pipelines.js'), { ...job, toggles: target.toggles });
  const compiled = rowsOf(log, target);
  const { adapter, outputs, problems } = compiled;
  const rows = sorted(compiled.rows);
  if (rows.length === 0 && problems.length === 0)
    return [`no pipeline matches all of the words '${job.only.join(' ')}'`];
  if (listing !== undefined) {
    const [row, ...others] = rows;
    if (row) console.log(`${titleOf(row)}\n\n${hotLoopListing(outputs.get(row) ?? '')}`);
    if (others.length > 0) console.error(`\n${others.length} more match: ${others.map(titleOf).join('; ')}`);
  } else if (only !== undefined) {
    console.log(`\n${target.name}\n${table(name, rows)}`);
  } else {
    const models = job.models.map((model) => model.name);
    problems.push(...missingRows(rows, { shaders: Object.keys(job.shaders), models, tiers: target.tiers }));
    if (check) {
      console.log(`${name}: ${rows.length} rows, ${problems.length} problems`);
      return problems;
    }
    const path = join(RESULTS, `compile-${name}`);
    const { description: driver, features } = adapter;
    const head = { target: target.name, driver, features, toggles: target.toggles, problems };
    // One line per row, for small diffs.
    const lines = rows.map(({ numbers, ...rest }) => JSON.stringify({ ...rest, ...numbers })).join(',\n');
    writeFileSync(`${path}.json`, `${JSON.stringify(head).slice(0, -1)},"rows":[\n${lines}\n]}\n`);
    writeFileSync(`${path}.md`, markdown(name, target.name, { ...compiled, rows }));
    console.log(`${name}: ${rows.length} rows in bench/results/compile-${name}.md`);
  }
  return problems;
};

for (const name of names) {
  /** @type {string[]} */
  let problems;
  try {
    problems = await report(name);
  } catch (error) {
    problems = [error instanceof Error ? error.message : String(error)];
  }
  for (const problem of problems) console.error(`${name}: ${problem}`);
  if (problems.length > 0) process.exitCode = 1;
}
