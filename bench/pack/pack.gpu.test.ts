import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { ROOT } from '../../tools/bundle.mjs';
import { bundleTest } from '../../tools/test-bundle.mjs';

/** The pack is unpacked here: an empty folder that has nothing of the project or its packages above it. */
const folder = mkdtempSync(join(tmpdir(), 'bench-pack-'));
const pack = join(folder, 'bench-pack');
const results = join(folder, 'results');

beforeAll(() => {
  execFileSync(process.execPath, [join(ROOT, 'bench/pack/make.mjs'), '--quick'], { stdio: 'pipe' });
  execFileSync('tar', ['-xJf', join(ROOT, 'build/bench-pack.tar.xz'), '-C', folder]);
});
afterAll(() => rmSync(folder, { recursive: true }));

/** Runs stages with nothing of this process's environment but the driver: no Node is in PATH. */
function run(stages: string[], env: Record<string, string> = {}) {
  const { VK_ICD_FILENAMES = '', XDG_RUNTIME_DIR = folder } = process.env;
  const bare = { PATH: '/usr/bin:/bin', VK_ICD_FILENAMES, XDG_RUNTIME_DIR, OUT: results, GPU_UNROLL: '2', ...env };
  return spawnSync(join(pack, 'run.sh'), stages, { env: bare, encoding: 'utf8' });
}
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

it('keeps what a stage had measured when its time is up, and goes on with the next', () => {
  const { status, stdout } = run(['tune:25', 'probe'], { TUNE_ARGS: '--rows 16 --unroll 1' });
  expect(status).toBe(1);
  expect(stdout).toMatch(/tune was stopped after its 25 s.*\n.*== probe\n/s);
  const [where, ...found] = lines('tune.jsonl');
  expect(where).toMatchObject({ adapter: expect.stringContaining('llvmpipe') });
  expect(found[0]).toMatchObject({ gemm: 'Wqkv', dtype: 'f16', r16: expect.any(Number) });
});

it('says by name what a stage may be, and which tests there are', () => {
  expect(run(['tunes'])).toMatchObject({ status: 2, stderr: expect.stringContaining("Unknown stage 'tunes'") });
  expect(run(['tests'], { TEST_NAMES: 'gem' }).stderr).toMatch(/names are .*gemm.*, not gem/);
});

it.each([
  ["import { expectTypeOf, it } from 'vitest';\nit('x', () => void expectTypeOf(1));", /expectTypeOf/],
  [
    "import { it, vi } from 'vitest';\nit('x', () => void vi.fn());",
    /x\.gpu\.test\.ts uses vi\.fn, which .*test-runner/,
  ],
])('cannot be built with a test that uses more of Vitest than the stand-in has: %j', async (code, error) => {
  const file = join(folder, 'x.gpu.test.ts');
  writeFileSync(file, code);
  const built = bundleTest({ file, dir: folder, root: folder, webgpu: 'bench/pack/webgpu.mjs' });
  await expect(built).rejects.toThrow(error);
});
