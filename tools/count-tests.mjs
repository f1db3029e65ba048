// Counts tests for CI. As a reporter of Vitest (--reporter=./tools/count-tests.mjs) it writes build/test-counts.json; as a program it prints that
// file: 'N passed, N failed', and before it how many tests were not for this device, with the reasons. Any other test that did not run is named,
// and the exit status is 1.
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const FILE = fileURLToPath(new URL('../build/test-counts.json', import.meta.url));
/** How the note of a skipped test begins if the device lacks what it tests. */
const OTHER_DEVICE = 'not for this device';

/**
 * @typedef {{ name: string, state: string, note?: string }} Test `state`: passed, failed, skipped or pending
 * @typedef {{ passed: number, failed: number, otherDevice: Record<string, number>, notRun: string[] }} Counts `otherDevice`: tests by note
 * @param {Test[]} tests
 * @param {number} brokenFiles files that failed outside their tests, for example on import: each counts as a failed test
 * @returns {Counts}
 */
export const countTests = (tests, brokenFiles) => {
  const of = (/** @type {string} */ state) => tests.filter((test) => test.state === state).length;
  /** @type {Record<string, number>} */
  const otherDevice = {};
  const notRun = [];
  for (const { name, state, note = '' } of tests) {
    if (state === 'passed' || state === 'failed') continue;
    if (note.startsWith(OTHER_DEVICE)) otherDevice[note] = (otherDevice[note] ?? 0) + 1;
    else notRun.push(name);
  }
  return { passed: of('passed'), failed: of('failed') + brokenFiles, otherDevice, notRun };
};

export default class CountReporter {
  /** @param {readonly import('vitest/node').TestModule[]} modules */
  onTestRunEnd(modules) {
    /** @type {Test[]} */
    const tests = [];
    let brokenFiles = 0;
    for (const module of modules) {
      const own = [...module.children.allTests()].map((test) => {
        const result = test.result();
        const note = result.state === 'skipped' ? result.note : undefined;
        return {
          name: `${module.project.name} ${module.relativeModuleId} > ${test.fullName}`,
          state: result.state,
          note,
        };
      });
      if (module.state() === 'failed' && !own.some(({ state }) => state === 'failed')) brokenFiles++;
      tests.push(...own);
    }
    mkdirSync(fileURLToPath(new URL('../build', import.meta.url)), { recursive: true });
    writeFileSync(FILE, `${JSON.stringify(countTests(tests, brokenFiles), null, 1)}\n`);
  }
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  /** @type {Counts} */
  const { passed, failed, otherDevice, notRun } = JSON.parse(readFileSync(FILE, 'utf8'));
  for (const [note, count] of Object.entries(otherDevice)) console.log(`${count} ${note}`);
  for (const name of notRun) console.log(`Not run: ${name}`);
  console.log(`${passed} passed, ${failed} failed`);
  if (notRun.length > 0) process.exitCode = 1;
}
