// The part of Vitest that the GPU tests use, for runtimes without it. A test file that is bundled with it (test-bundle.mjs) runs its tests in
// order and writes a JSON object per line: first all { names }, then a Result as each test ends. Arguments: --list stops after the names,
// --without PATTERN leaves out the tests whose names the regular expression finds. The types are Vitest's as far as this module goes, so that
// checkGpuTests (test-bundle.mjs) finds what it has not.
import process from 'node:process';
import { format, parseArgs } from 'node:util';
import { chai, JestAsymmetricMatchers, JestChaiExpect, JestExtend } from '@vitest/expect';
import { fn, spyOn } from '@vitest/spy';

/**
 * @typedef {{ status: 'passed' | 'failed' | 'skipped', ms: number, note?: string }} Outcome `note`: the error's stack, or why it was skipped
 * @typedef {{ index: number } & Outcome} Result of the test with this index in `names`
 * @typedef {() => unknown} Hook
 * @typedef {{ skip: (condition?: boolean | string, note?: string) => void }} TestContext `skip` takes a condition, a note, or both
 * @typedef {(context: TestContext) => unknown} Body
 * @typedef {{ path: string[], before: Hook[], after: Hook[], afterEach: Hook[], entries: (Group | Test)[] }} Group
 * @typedef {{ path: string[], body: Body }} Test
 * @typedef {{
 *   <T extends any[] | [any]>(rows: readonly T[]): (name: string, body: (...row: T) => unknown) => void;
 *   <T>(rows: readonly T[]): (name: string, body: (row: T) => unknown) => void;
 * }} Each
 * @typedef {<T>(rows: readonly T[]) => (name: string, body: (row: T, context: TestContext) => unknown) => void} For
 */

chai.use(JestExtend);
chai.use(JestChaiExpect);
chai.use(JestAsymmetricMatchers);
export const expect = /** @type {import('@vitest/expect').ExpectStatic} */ (chai.expect);

/** @type {Map<string, PropertyDescriptor | undefined>} what stubGlobal replaced, by name */
const stubbed = new Map();
export const vi = {
  fn,
  spyOn,
  /** Sets timeouts: see `it`. @param {object} _config */
  setConfig: (_config) => {},
  /** @param {string} name @param {unknown} value */
  stubGlobal: (name, value) => {
    if (!stubbed.has(name)) stubbed.set(name, Object.getOwnPropertyDescriptor(globalThis, name));
    Object.defineProperty(globalThis, name, { value, configurable: true, writable: true });
  },
  unstubAllGlobals: () => {
    for (const [name, old] of stubbed) {
      if (old) Object.defineProperty(globalThis, name, old);
      else Reflect.deleteProperty(globalThis, name);
    }
    stubbed.clear();
  },
};

/** @param {string[]} path @returns {Group} */
const newGroup = (path) => ({ path, before: [], after: [], afterEach: [], entries: [] });
const root = newGroup([]);
let group = root;

/** @param {Hook} hook */
export const beforeAll = (hook) => void group.before.push(hook);
/** @param {Hook} hook */
export const afterAll = (hook) => void group.after.push(hook);
/** @param {Hook} hook */
export const afterEach = (hook) => void group.afterEach.push(hook);

/**
 * The name of a row of test.each, as in Vitest: printf placeholders for arrays, $property for objects.
 * @param {string} name @param {unknown} row
 */
const nameOf = (name, row) => {
  const values = Array.isArray(row) ? row : [row];
  const text = name.replace(/\$(\w+)/g, (whole, key) => {
    const value = /** @type {Record<string, unknown>} */ (values[0])?.[key];
    return value === undefined ? whole : String(value);
  });
  const placeholders = text.match(/%[sdijfoO]/g)?.length ?? 0;
  return placeholders > 0 ? format(text, ...values.slice(0, placeholders)) : text;
};

/**
 * Adds `each`, which spreads rows that are arrays, and `for`, which does not and passes the test's context.
 * @template {(name: string, body: any) => void} Add
 * @param {Add} add
 */
const withRows = (add) => {
  const each =
    (/** @type {readonly unknown[]} */ rows) =>
    (/** @type {string} */ name, /** @type {(...row: any[]) => unknown} */ body) => {
      for (const row of rows) add(nameOf(name, row), () => (Array.isArray(row) ? body(...row) : body(row)));
    };
  /** @type {For} */
  const withContext = (rows) => (name, body) => {
    for (const row of rows) add(nameOf(name, row), (/** @type {TestContext} */ context) => body(row, context));
  };
  return Object.assign(add, { each: /** @type {Each} */ (each), for: withContext });
};

export const it = withRows(
  // The timeout is the business of whoever starts this process.
  (/** @type {string} */ name, /** @type {Body} */ body, /** @type {number} */ _timeout = 0) =>
    void group.entries.push({ path: [...group.path, name], body }),
);
export const test = it;

class Skipped extends Error {}
/** @type {TestContext} */
const context = {
  skip: (condition, note) => {
    if (condition !== false) throw new Skipped(typeof condition === 'string' ? condition : note);
  },
};

export const describe = withRows((/** @type {string} */ name, /** @type {() => void} */ body) => {
  const outer = group;
  group = newGroup([...outer.path, name]);
  outer.entries.push(group);
  body();
  group = outer;
});

/** @param {() => unknown} work @returns {Promise<Outcome>} */
const outcomeOf = async (work) => {
  const start = performance.now();
  const ended = (/** @type {Outcome['status']} */ status, /** @type {string} */ note) => ({
    status,
    ms: Math.round(performance.now() - start),
    ...(note && { note }),
  });
  try {
    await work();
    return ended('passed', '');
  } catch (error) {
    if (error instanceof Skipped) return ended('skipped', error.message);
    return ended('failed', String((error instanceof Error && error.stack) || error));
  }
};

/** @param {{ path: string[] }} of */
const fullName = ({ path }) => path.join(' > ');

/** @param {Group} of @returns {Test[]} */
const testsOf = ({ entries }) => entries.flatMap((entry) => ('body' in entry ? [entry] : testsOf(entry)));

/** @param {object} line */
const write = (line) => process.stdout.write(`${JSON.stringify(line)}\n`);

/**
 * Runs what the file has declared. A failed beforeAll fails the tests of its group; a failed afterAll or
 * afterEach ends the process with its error.
 */
export const runTests = async () => {
  const { list, without } = parseArgs({ options: { list: { type: 'boolean' }, without: { type: 'string' } } }).values;
  const tests = testsOf(root).filter((test) => !without || !new RegExp(without).test(fullName(test)));
  write({ names: tests.map(fullName) });
  if (list) process.exit(0);
  /** @param {Group} group @param {Hook[]} outer the outer groups' afterEach @param {Outcome} [failed] */
  const run = async (group, outer, failed) => {
    const prepared = failed ?? (await outcomeOf(() => each(group.before)));
    const broken = prepared.status === 'passed' ? undefined : prepared;
    const hooks = [...group.afterEach, ...outer];
    for (const entry of group.entries) {
      if (!('body' in entry)) await run(entry, hooks, broken);
      else if (tests.includes(entry)) {
        write({ index: tests.indexOf(entry), ...(broken ?? (await outcomeOf(() => entry.body(context)))) });
        if (!broken) await each(hooks);
      }
    }
    await each(group.after);
  };
  await run(root, []);
  // A GPU device may keep the process alive.
  process.exit(0);
};

/** @param {Hook[]} hooks */
const each = async (hooks) => {
  for (const hook of hooks) await hook();
};
