// Prints 'N passed, N failed' for a file written by Vitest's JSON reporter: node tools/count-tests.mjs FILE
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

/**
 * @typedef {{ testResults: { status: string, assertionResults: { status: string }[] }[] }} Report
 * @param {Report} report
 * @returns {{ passed: number, failed: number, other: number }} `other`: skipped and todo
 */
export const countTests = ({ testResults }) => {
  const statuses = testResults.flatMap(({ status, assertionResults }) => {
    const own = assertionResults.map((test) => test.status);
    // A file that failed outside its tests, for example on import, counts as one failed test.
    return status === 'failed' && !own.includes('failed') ? [...own, 'failed'] : own;
  });
  const passed = statuses.filter((status) => status === 'passed').length;
  const failed = statuses.filter((status) => status === 'failed').length;
  return { passed, failed, other: statuses.length - passed - failed };
};

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const { passed, failed, other } = countTests(JSON.parse(readFileSync(process.argv[2], 'utf8')));
  if (other > 0) console.log(`${other} not run`);
  console.log(`${passed} passed, ${failed} failed`);
}
