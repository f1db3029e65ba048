// Runs the pack's GPU tests, each file in its own process: node run-tests.mjs OUT.jsonl [name …]
// OUT gets a line per test as it ends, and at the end one with the counts, so that a run which is stopped loses nothing.
import { spawn } from 'node:child_process';
import { appendFileSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';

/** The most telling first: whole models, then the kernels whose designs depend on the device. Others follow by name. */
const FIRST = [
  'golden',
  'golden-tasks',
  'golden-f16',
  'attention',
  'gemm',
  'gemm-tiers',
  'quantized',
  'norm',
  'head',
  'tasks',
  'shapes',
];
/** Tests to leave out: those whose names this regular expression finds. */
const WITHOUT = process.env.TEST_WITHOUT;

const here = dirname(fileURLToPath(import.meta.url));
const known = readdirSync(join(here, 'tests'))
  .filter((name) => name.endsWith('.js'))
  .map((name) => name.replace(/\.js$/, ''));
const [out, ...asked] = process.argv.slice(2);
const unknown = asked.filter((name) => !known.includes(name));
if (!out || unknown.length > 0) {
  console.error(
    `Usage: run-tests.mjs OUT.jsonl [name …]; names are ${known.join(', ')}${unknown.length > 0 ? `, not ${unknown.join(', ')}` : ''}`,
  );
  process.exit(2);
}
const rank = (/** @type {string} */ name) => (FIRST.includes(name) ? FIRST.indexOf(name) : FIRST.length);
const names = asked.length > 0 ? asked : known.sort((a, b) => rank(a) - rank(b) || a.localeCompare(b));

/** @param {object} line */
const report = (line) => appendFileSync(out, `${JSON.stringify(line)}\n`);
const counts = { passed: 0, failed: 0, 'not for this device': 0 };

/** @param {string} file @param {string} name @param {{ status: string, ms: number, note?: string }} outcome */
function add(file, name, { status, ms, note = '' }) {
  const isOther = status === 'skipped' && note.startsWith('not for this device');
  const counted = isOther ? 'not for this device' : status === 'passed' ? 'passed' : 'failed';
  counts[counted]++;
  report({ file, name, status: counted, ms, ...(note && { note: note.slice(0, 1000) }) });
  console.log(`${counted.padEnd(6)} ${String(ms).padStart(6)} ms  ${file}: ${name}`);
  if (counted === 'failed') console.log(note.replace(/^/gm, '    '));
}

/** @param {string} file */
async function runFile(file) {
  const args = [join(here, 'tests', `${file}.js`), ...(WITHOUT ? ['--without', WITHOUT] : [])];
  const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'pipe'] });
  let errors = '';
  child.stderr.setEncoding('utf8').on('data', (text) => {
    errors = (errors + text).slice(-2000);
  });
  const closed = new Promise((resolve) => child.on('close', (code, signal) => resolve(code ?? signal)));
  /** @type {string[]} */
  let all = [];
  let ended = 0;
  for await (const line of createInterface(child.stdout)) {
    if (!line.startsWith('{')) continue; // what a library prints
    const result = JSON.parse(line);
    if (result.names) all = result.names;
    else {
      ended++;
      add(file, all[result.index], result);
    }
  }
  const status = await closed;
  if (status !== 0 || ended < all.length || all.length === 0) {
    add(file, `ends (${ended} of ${all.length} tests did)`, {
      status: 'failed',
      ms: 0,
      note: `status ${status}: ${errors}`,
    });
  }
}

writeFileSync(out, '');
report({
  date: new Date().toISOString(),
  commit: readFileSync(join(here, 'COMMIT'), 'utf8').trim(),
  runtime: `Node ${process.versions.node}`,
  toggles: (process.env.DAWN_TOGGLES ?? '').split(',').filter(Boolean),
  profile: process.env.GPU_PROFILE ?? "the adapter's own",
  without: WITHOUT,
  'not in the pack': JSON.parse(readFileSync(join(here, 'tests/left-out.json'), 'utf8')),
});
for (const name of names) await runFile(name);
report(counts);
console.log(
  Object.entries(counts)
    .map(([what, count]) => `${count} ${what}`)
    .join(', '),
);
process.exit(counts.failed > 0 || counts.passed === 0 ? 1 : 0);
