// The part of Vitest's API that the GPU tests use, on Node's test runner: the pack has no Vitest.
import { after, before, describe as nodeDescribe, it as nodeIt } from 'node:test';
import { format } from 'node:util';
import { chai, JestAsymmetricMatchers, JestChaiExpect, JestExtend } from '@vitest/expect';

chai.use(JestExtend);
chai.use(JestChaiExpect);
chai.use(JestAsymmetricMatchers);

export const expect = chai.expect;
export const beforeAll = before;
export const afterAll = after;

/** Timeouts are for CI and ignored here. */
export const vi = { setConfig: () => {} };

/**
 * The name of a test.each row, as in Vitest: printf placeholders for arrays, $property for objects.
 * @param {string} name
 * @param {unknown} row
 */
const nameOf = (name, row) => {
  const values = Array.isArray(row) ? row : [row];
  const text = name.replace(/\$(\w+)/g, (whole, key) => {
    const value = /** @type {Record<string, unknown>} */ (values[0])?.[key];
    return value === undefined ? whole : String(value);
  });
  return /%[sdijfoO]/.test(text) ? format(text, ...values.slice(0, (text.match(/%[sdijfoO]/g) ?? []).length)) : text;
};

/** @typedef {(name: string, body: (...row: any[]) => unknown) => void} Each */

/**
 * @param {(name: string, body: () => any) => unknown} run
 * @returns {((name: string, body: () => any) => unknown) & { each: (rows: readonly unknown[]) => Each }}
 */
const withEach = (run) =>
  Object.assign((/** @type {string} */ name, /** @type {() => any} */ body) => run(name, body), {
    each:
      (/** @type {readonly unknown[]} */ rows) =>
      (/** @type {string} */ name, /** @type {(...row: any[]) => unknown} */ body) => {
        for (const row of rows) run(nameOf(name, row), () => (Array.isArray(row) ? body(...row) : body(row)));
      },
  });

export const describe = withEach((name, body) => nodeDescribe(name, body));
export const it = withEach((name, body) => nodeIt(name, async () => void (await body())));
export const test = it;
