// Counts tests for CI. As a reporter of Vitest (--reporter=./tools/count-tests.mjs) it writes build/test-counts.json, or the file that TEST_COUNTS
// names; as a program it prints the sums of the files it is given: 'N passed, N failed', and before it how many tests were not for this device or
// need what could not be fetched, with the reasons. Any other test that did not run is named, and the exit status is 1.
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const FILE = process.env.TEST_COUNTS || fileURLToPath(new URL('../build/test-counts.json', import.meta.url));
/** How the note of a skipped test begins if the device lacks what it tests, or there is no registry to fetch it from. */
const NOT_HERE = ['not for this device', 'not fetched'];

/**
 * @typedef {{ name: string, state: string, note?: string }} Test `state`: passed, failed, skipped or pending
 * @typedef {{ passed: number, failed: number, notHere: Record<string, number>, notRun: string[] }} Counts `notHere`: tests by note
 * @param {Test[]} tests
 * @param {number} brokenFiles files that failed outside their tests, for example on import: each counts as a failed test
 * @returns {Counts}
 */
export const countTests = (tests, brokenFiles) => {
  const of = (/** @type {string} */ state) => tests.filter((test) => test.state === state).length;
  /** @type {Record<string, number>} */
  const notHere = {};
  const notRun = [];
  for (const { name, state, note = '' } of tests) {
    if (state === 'passed' || state === 'failed') continue;
    if (NOT_HERE.some((start) => note.startsWith(start))) notHere[note] = (notHere[note] ?? 0) + 1;
    else notRun.push(name);
  }
  return { passed: of('passed'), failed: of('failed') + brokenFiles, notHere, notRun };
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
  const files = process.argv.length > 2 ? process.argv.slice(2) : [FILE];
  /** @type {Counts[]} */
  const counts = files.map((file) => JSON.parse(readFileSync(file, 'utf8')));
  for (const { notHere } of counts)
    for (const [note, count] of Object.entries(notHere)) console.log(`${count} ${note}`);
  const notRun = counts.flatMap((one) => one.notRun);
  for (const name of notRun) console.log(`Not run: ${name}`);
  const sum = (/** @type {'passed' | 'failed'} */ state) => counts.reduce((total, one) => total + one[state], 0);
  console.log(`${sum('passed')} passed, ${sum('failed')} failed`);
  if (notRun.length > 0) process.exitCode = 1;
}
