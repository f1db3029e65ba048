// Runs the pack's GPU tests one file at a time and writes the results: node run-tests.mjs OUT.json [name …]
import { execFileSync } from 'node:child_process';
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { run } from 'node:test';
import { spec } from 'node:test/reporters';
import { fileURLToPath } from 'node:url';

const here = dirname(fileURLToPath(import.meta.url));
const [out, ...names] = process.argv.slice(2);
const files = readdirSync(join(here, 'tests'))
  .filter((name) => name.endsWith('.js') && (names.length === 0 || names.includes(name.replace(/\.js$/, ''))))
  .map((name) => join(here, 'tests', name));
if (!out || files.length === 0) {
  console.error(`Usage: run-tests.mjs OUT.json [name …]; names are ${readdirSync(join(here, 'tests')).join(', ')}`);
  process.exit(2);
}

/** @type {{ file: string, name: string, passed: boolean, ms: number, error?: string }[]} */
const tests = [];
let failed = 0;
const stream = run({ files, concurrency: 1, forceExit: true });
stream.on('test:pass', (event) => add(event, true));
stream.on('test:fail', (event) => add(event, false));

/** @param {any} event @param {boolean} passed */
function add({ file, name, nesting, details }, passed) {
  if (details.type === 'suite' || files.includes(name)) {
    if (!passed && nesting === 0) failed++; // a file that did not even start
    return;
  }
  const cause = details.error?.cause ?? details.error;
  const error = passed ? {} : { error: String(cause?.message ?? cause).slice(0, 500) };
  tests.push({ file: basename(file ?? ''), name, passed, ms: Math.round(details.duration_ms), ...error });
  if (!passed) failed++;
}

stream.compose(new spec()).pipe(process.stdout);
stream.on('end', () => {
  // In a separate process: this one must not hold the GPU while the tests use it.
  const probe = `import('webgpu').then(async ({ create }) => {
    const toggles = (process.env.DAWN_TOGGLES ?? '').split(',').filter(Boolean).map((name) => 'enable-dawn-features=' + name);
    const adapter = await create(toggles).requestAdapter({ powerPreference: 'high-performance' });
    const { vendor, architecture, device, description } = adapter?.info ?? {};
    console.log(JSON.stringify({ vendor, architecture, device, description, features: [...(adapter?.features ?? [])].sort() }));
    process.exit(0);
  })`;
  const adapter = JSON.parse(execFileSync(process.execPath, ['-e', probe], { cwd: here, encoding: 'utf8' }));
  const report = {
    date: new Date().toISOString(),
    commit: readFileSync(join(here, 'COMMIT'), 'utf8').trim(),
    runtime: `Node ${process.versions.node}`,
    toggles: (process.env.DAWN_TOGGLES ?? '').split(',').filter(Boolean),
    adapter,
    passed: tests.filter(({ passed }) => passed).length,
    failed,
    tests,
  };
  writeFileSync(out, `${JSON.stringify(report, null, 1)}\n`);
  console.log(`${report.passed} tests passed, ${failed} failed, on ${adapter.device} (${adapter.description})`);
  process.exit(failed > 0 || tests.length === 0 ? 1 : 0);
});
