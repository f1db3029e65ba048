import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { expect, it } from 'vitest';

const run = promisify(execFile);

it('no mutation of a file in 20 s hangs, takes much memory or throws an error without a name', async () => {
  const args = ['tools/run.mjs', 'fuzz/fuzz.ts', '--seconds', '20', '--seed', '1'];
  const env = { ...process.env, FUZZ_SLOW: '10' };
  const { stdout } = await run(process.execPath, args, { env }).catch((error: { stdout: string; stderr: string }) => {
    throw new Error(error.stdout + error.stderr);
  });
  expect(stdout).toMatch(/^tokenizer: \d+ mutations in .* s, 0 failed/m);
}, 600_000);
