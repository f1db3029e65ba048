// npm run bench:shaders [-- --all]: compiles every shader variant of the library with every compiler that can be asked, and prints a table.
// Exits with status 1 if one is refused that IMPOSSIBLE does not list with its reason.
import { execFile } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs, promisify } from 'node:util';
import { ROOT } from '../../tools/bundle.mjs';
import { compileInDeno } from '../../tools/deno.mjs';
import { runOn, TARGETS, type Target } from '../static/targets.mjs';
import { type Compiled, type Impossible, type Outcome, problemsOf, table } from './report';
import { covering, shaderVariants, type Variant } from './variants';

const USAGE = `npm run bench:shaders              every variant by Tint and Naga; a selection by the compiler of an RX 7900 XTX
npm run bench:shaders -- --all     every variant by these, and by the compiler of an RTX 3090; writes bench/results/shaders.md`;

const SCRIPT = join(ROOT, 'tools/compile-wgsl.mjs');
const WORK = join(ROOT, 'build/run/bench-shaders');
const HEAD = `# Every shader variant, compiled

How many variants of each shader and tile compile: all dtypes, arithmetics, epilogues, activations and head_dims. Written by
\`npm run bench:shaders -- --all\`.

`;

type Source = { name: string; code: string };

/** Why some variants cannot be compiled. */
const IMPOSSIBLE: Impossible[] = [
  {
    compiler: 'Tint',
    error: /total use of workgroup storage \(\d+ bytes\) is larger than the maximum allowed \(16384 bytes\)/,
    reason: 'valid WGSL; the pipeline needs more than the 16 KiB of workgroup memory that the null backend has',
  },
  {
    compiler: 'Naga',
    lacks: 'subgroups',
    reason: 'wgpu does not have the WGSL extension subgroups yet',
  },
  {
    compiler: 'Naga',
    lacks: 'chromium-experimental-subgroup-matrix',
    reason: "subgroup matrices are Chromium's extension",
  },
  {
    compiler: 'ACO',
    error: /Subgroup matrix usage found which is not supported by the device/,
    reason: 'the card multiplies matrices of 16 × 16 × 16 in f16 only',
  },
  {
    compiler: 'NAK',
    lacks: 'shader-f16',
    reason: 'Dawn offers shader-f16 on NVIDIA cards only with a toggle',
  },
  {
    compiler: 'NAK',
    lacks: 'chromium-experimental-subgroup-matrix',
    reason: 'the driver has no cooperative matrices that Dawn accepts',
  },
];

/** What compile-wgsl.mjs found. */
interface Found {
  adapter: string;
  compiled: Outcome[];
}

interface Compiler {
  name: string;
  about: string;
  /** Compiles a selection unless all is asked for. */
  isSlow?: boolean;
  /** Only if all is asked for: needs root, and downloads a Debian on first use. */
  isRare?: boolean;
  compile(sources: Source[]): Promise<Found>;
}

/** The lines that compile-wgsl.mjs prints in Node. */
function foundIn(output: string): Found {
  const [head, ...compiled] = output
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line));
  return { ...head, compiled };
}

async function onNullBackend(sources: Source[]): Promise<Found> {
  const file = join(WORK, 'sources.json');
  writeFileSync(file, JSON.stringify(sources));
  const options = ['backend=null', 'enable-dawn-features=allow_unsafe_apis'];
  const { stdout } = await promisify(execFile)(process.execPath, [SCRIPT, file, ...options], { maxBuffer: 2 ** 26 });
  return foundIn(stdout);
}

/** Sources per process: pipelines keep their memory, of which the stand-in for the kernel driver has little. */
const PORTION = 500;

const onCard = (target: Target) => async (sources: Source[]) => {
  const args = target.toggles.map((toggle) => `enable-dawn-features=${toggle}`);
  const portions: Found[] = [];
  for (let i = 0; i < sources.length; i += PORTION) {
    const { output } = await runOn(target, SCRIPT, sources.slice(i, i + PORTION), { args, quiet: true });
    portions.push(foundIn(output));
  }
  return { adapter: portions[0].adapter, compiled: portions.flatMap(({ compiled }) => compiled) };
};

const { navi31, ga102 } = TARGETS;
const COMPILERS: Compiler[] = [
  { name: 'Tint', about: "Dawn's null backend, which checks WGSL and writes no code", compile: onNullBackend },
  { name: 'Naga', about: 'wgpu in Deno', compile: compileInDeno },
  { name: 'ACO', about: `Tint, then ${navi31.name}`, isSlow: true, compile: onCard(navi31) },
  { name: 'NAK', about: `Tint, then ${ga102.name}`, isSlow: true, isRare: true, compile: onCard(ga102) },
];

async function compiledBy({ name, compile }: Compiler, variants: Variant[]): Promise<Compiled> {
  const sources = variants.map(({ design, name, code }) => ({ name: name ? `${design}, ${name}` : design, code }));
  const { adapter, compiled } = await compile(sources);
  if (compiled.length !== variants.length)
    throw new Error(`${name} compiled ${compiled.length} of ${variants.length} variants.`);
  return { compiler: name, adapter, outcomes: variants.map(({ design }, i) => ({ design, outcome: compiled[i] })) };
}

/** One compiler after the other. */
async function inTurn(compilers: Compiler[], variants: Variant[]): Promise<Compiled[]> {
  const all: Compiled[] = [];
  for (const compiler of compilers) all.push(await compiledBy(compiler, variants));
  return all;
}

const described = ({ about }: Compiler, { compiler, adapter }: Compiled) =>
  `- **${compiler}**: ${about}${adapter && ` (${adapter})`}`;

const { values } = parseArgs({ options: { all: { type: 'boolean' }, help: { type: 'boolean' } } });
if (values.help) {
  console.log(USAGE);
  process.exit(0);
}
const { all = false } = values;
mkdirSync(WORK, { recursive: true });
const started = performance.now();
const variants = shaderVariants();
const quick = COMPILERS.filter(({ isSlow }) => !isSlow);
const slow = COMPILERS.filter(({ isSlow, isRare }) => isSlow && (all || !isRare));
const compiled = (
  await Promise.all([inTurn(quick, variants), inTurn(slow, all ? variants : covering(variants))])
).flat();
const list = [...quick, ...slow].map((compiler, i) => described(compiler, compiled[i])).join('\n');
const text = `${list}\n\n${table(compiled, IMPOSSIBLE)}`;
console.log(text);
console.log(`${variants.length} variants in ${Math.round((performance.now() - started) / 1000)} s`);
if (all) writeFileSync(join(ROOT, 'bench/results/shaders.md'), HEAD + text);
const problems = problemsOf(compiled, IMPOSSIBLE);
for (const problem of problems) console.error(problem);
process.exit(problems.length > 0 ? 1 : 0);
