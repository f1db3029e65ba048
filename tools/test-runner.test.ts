import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';
import { expect, it } from 'vitest';
import { ROOT } from './bundle.mjs';
import { bundleTest } from './test-bundle.mjs';

/** Bundles the source of a test file and returns the script. */
async function bundled(source: string): Promise<string> {
  const dir = mkdtempSync(join(tmpdir(), 'test-runner-'));
  const path = join(dir, 'example.gpu.test.ts');
  writeFileSync(path, source);
  await bundleTest({ file: relative(ROOT, path), dir, root: ROOT, webgpu: 'tools/deno-webgpu.mjs' });
  return join(dir, 'example.js');
}

const linesOf = (script: string, ...args: string[]) =>
  execFileSync(process.execPath, [script, ...args], { encoding: 'utf8' })
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line));

const EXAMPLE = `
import { afterEach, beforeAll, describe, expect, it, vi } from 'vitest';
const ready = await Promise.resolve(1);
describe.each([{ size: 4 }, { size: 8 }])('$size wide', ({ size }) => {
  it('is four', () => expect(size).toBe(4));
  it.for([[1, 'one']])('%i is %s', ([number, name], { skip }) => skip(size === 8, \`not for this device: \${name}\`));
});
describe('broken', () => {
  beforeAll(() => { throw new Error('nothing to test'); });
  it('cannot run', () => {});
});
it.each([[2, 3]])('%i is less than %i', async (a, b) => expect(a - ready).toBeLessThan(b));
describe('spies', () => {
  const log = vi.spyOn(console, 'log').mockImplementation(() => {});
  afterEach(() => log.mockClear());
  it.each(['first', 'second'])('%s', (name) => {
    vi.stubGlobal('ready', ready);
    console.log(globalThis.ready);
    vi.unstubAllGlobals();
    expect(globalThis.ready).toBeUndefined();
    expect(log.mock.calls).toEqual([[1]]);
  });
});
`;

it('runs tests in order and reports each by name: passed, failed with its reason, skipped with its note', async () => {
  const script = await bundled(EXAMPLE);
  const [{ names }, ...results] = linesOf(script);
  expect(names).toEqual([
    '4 wide > is four',
    '4 wide > 1 is one',
    '8 wide > is four',
    '8 wide > 1 is one',
    'broken > cannot run',
    '2 is less than 3',
    'spies > first',
    'spies > second',
  ]);
  expect(results.map(({ index, status }) => [index, status])).toEqual([
    [0, 'passed'],
    [1, 'passed'],
    [2, 'failed'],
    [3, 'skipped'],
    [4, 'failed'],
    [5, 'passed'],
    [6, 'passed'],
    [7, 'passed'],
  ]);
  expect(results[2].note).toMatch(/expected 8 to be 4/);
  expect(results[3].note).toBe('not for this device: one');
  expect(results[4].note).toMatch(/nothing to test/);

  const listed = linesOf(script, '--list', '--without', '^\\d wide|spies');
  expect(listed).toEqual([{ names: ['broken > cannot run', '2 is less than 3'] }]);
});

it('fails as a process if what follows the tests fails', async () => {
  const script = await bundled(
    "import { afterAll, it } from 'vitest'; it('passes', () => {}); afterAll(() => { throw new Error('left open'); });",
  );
  const { status, stdout, stderr } = spawnSync(process.execPath, [script], { encoding: 'utf8' });
  expect(stdout).toContain('"status":"passed"');
  expect(status).not.toBe(0);
  expect(stderr).toContain('left open');
});
