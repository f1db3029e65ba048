import { execFileSync, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { afterAll, beforeAll, expect, it, vi } from 'vitest';
import { ROOT } from '../../tools/bundle.mjs';
import { checkGpuTests } from '../../tools/test-bundle.mjs';

/** The pack is unpacked here: an empty folder that has nothing of the project or its packages above it. */
const folder = mkdtempSync(join(tmpdir(), 'bench-pack-'));
const pack = join(folder, 'bench-pack');
const results = join(folder, 'results');

beforeAll(() => {
  execFileSync(process.execPath, [join(ROOT, 'bench/pack/make.mjs'), '--quick'], { stdio: 'pipe' });
  execFileSync('tar', ['-xf', join(ROOT, 'build/bench-pack.tar'), '-C', folder]);
  rmSync(join(ROOT, 'build/bench-pack.tar'));
});
afterAll(() => rmSync(folder, { recursive: true }));

const { VK_ICD_FILENAMES = '', XDG_RUNTIME_DIR = folder } = process.env;
/** Nothing of this process's environment but the driver: no Node of the project is in PATH. */
const bare = { PATH: '/usr/bin:/bin', VK_ICD_FILENAMES, XDG_RUNTIME_DIR, OUT: results, GPU_UNROLL: '2' };
const run = (stages: string[], env: Record<string, string> = {}) =>
  spawnSync(join(pack, 'run.sh'), stages, { env: { ...bare, ...env }, encoding: 'utf8' });
const lines = (file: string): Record<string, unknown>[] =>
  readFileSync(join(results, file), 'utf8')
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line));

it('probes, and tests two kernels and a golden output', () => {
  const { status, stdout, stderr } = run(['probe', 'tests'], {
    TEST_NAMES: 'norm head golden',
    TEST_WITHOUT: 'golden: |small|nano|seqcls|tokcls|v5config|f16',
  });
  expect([status, stderr], stdout).toEqual([0, expect.any(String)]);
  expect(JSON.parse(readFileSync(join(results, 'probe.json'), 'utf8')).adapter.description).toMatch(/llvmpipe/);
  const tests = lines('tests.jsonl');
  expect(new Set(tests.flatMap(({ file }) => file ?? []))).toEqual(new Set(['norm', 'head', 'golden']));
  expect(tests.filter(({ name }) => String(name).includes('tiny-mlm'))).toHaveLength(1);
  const counts = tests[tests.length - 1];
  expect(counts).toEqual({ passed: tests.length - 2, failed: 0, 'not for this device': 0 });
});

it('runs a short benchmark', () => {
  const args = '--models nano --cases query-16 --tiers f16-storage --profile software --repeats 1 --queries 2';
  const { status, stdout } = run(['stock'], { BENCH_ARGS: args });
  expect(status, stdout).toBe(0);
  const report = JSON.parse(readFileSync(join(results, 'stock.json'), 'utf8'));
  expect(report).toMatchObject({ profile: 'software', queries: [{ model: 'nano', tokens: 16 }] });
  expect(report.queries[0].median_ms).toBeGreaterThan(0);
});

it('keeps what a stage had measured when its time is up, and goes on with the next', async () => {
  // The work takes minutes and the cap is an hour. The test itself sends the signal that `timeout` sends at the cap: a short cap would end
  // before the first result on a slow machine, and after the last on a fast one.
  const env = { ...bare, TUNE_ARGS: '--rows 64 --dtypes f32,f16,q8,q4,int8' };
  const child = spawn(join(pack, 'run.sh'), ['tune:3600', 'probe'], { env });
  const [stdout, stderr, ended] = [text(child.stdout), text(child.stderr), once(child, 'close')];
  const measured = () => (existsSync(join(results, 'tune.jsonl')) ? lines('tune.jsonl').slice(1) : []);
  await vi.waitFor(() => expect(measured()).not.toEqual([]), { timeout: 120_000, interval: 20 });
  const children = readFileSync(`/proc/${child.pid}/task/${child.pid}/children`, 'utf8').trim().split(' ');
  const cap = children.find((pid) => readFileSync(`/proc/${pid}/comm`, 'utf8') === 'timeout\n');
  process.kill(Number(cap), 'SIGALRM');
  expect(await ended, await stderr).toEqual([1, null]);
  expect(await stdout).toMatch(/tune was stopped after its 3600 s.*\n.*== probe\n/s);
  expect(measured()[0]).toMatchObject({ gemm: 'Wqkv', dtype: 'f32', r16: expect.any(Number) });
  expect(lines('tune.jsonl')[0]).toMatchObject({ adapter: expect.stringContaining('llvmpipe') });
});

it('says by name what a stage may be, and which tests there are', () => {
  for (const stage of ['tunes', 'tune:', 'tune:1m']) {
    const { status, stdout, stderr } = run(['probe', stage]);
    const named = expect.stringContaining(`Unknown stage '${stage}'; stages are probe`);
    expect([status, stdout, stderr]).toEqual([2, '', named]);
  }
  expect(run(['tests'], { TEST_NAMES: 'gem' }).stderr).toMatch(/names are .*gemm.*, not gem/);
});

it('starts every test file; those that read what the pack has not are left out by name', () => {
  const files = readdirSync(join(pack, 'tests')).filter((name) => name.endsWith('.js'));
  for (const file of files) {
    const args = [join(pack, 'tests', file), '--list'];
    const output = execFileSync(join(pack, 'bin/node'), args, { cwd: folder, env: bare, encoding: 'utf8' });
    expect(JSON.parse(output.slice(output.indexOf('{'))).names, file).not.toEqual([]);
  }
  const leftOut = JSON.parse(readFileSync(join(pack, 'tests/left-out.json'), 'utf8'));
  const native = 'it needs the package sharp, which has a native part';
  const model = 'it reads public/models/nano-embed, which the pack has not';
  expect(leftOut).toEqual({
    'src/classifier.gpu.test.ts': model,
    'src/fallback/fallback.gpu.test.ts': native,
    'src/model/nano-embed.gpu.test.ts': model,
    'src/search/search.gpu.test.ts': model,
    'src/session/idle.gpu.test.ts': model,
    'src/transformers/transformers.gpu.test.ts': native,
  });
});

it('cannot be built if a test uses more of Vitest than the stand-in has', async () => {
  // Inside the project, where the compiler finds the types of packages.
  const dir = mkdtempSync(join(ROOT, 'build/stand-in-'));
  const config = join(dir, 'tsconfig.json');
  writeFileSync(config, JSON.stringify({ extends: '../../tools/test-runner.tsconfig.json', include: ['*.ts'] }));
  const source =
    "import { expectTypeOf, it, vi } from 'vitest';\nit.skipIf(true)('x', () => expectTypeOf(vi.waitFor));\n";
  writeFileSync(join(dir, 'x.gpu.test.ts'), source);
  let message = '';
  try {
    checkGpuTests(config);
  } catch (error) {
    message = String(error);
  }
  rmSync(dir, { recursive: true });
  for (const name of ['expectTypeOf', 'skipIf', 'waitFor']) expect(message).toContain(`'${name}'`);
});
