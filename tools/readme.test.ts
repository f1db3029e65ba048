import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { ROOT } from './bundle.mjs';
import { blocksFor, blocksOf } from './doc-blocks';
import { withSizes } from './size-docs.mjs';

const read = (name: string) => readFileSync(join(ROOT, name), 'utf8');

test("README's examples are those of the quick start, which tests run", () => {
  const start = blocksOf('docs/guide/start.md').map(({ code }) => code);
  const own = blocksFor('tools/readme.test.ts');
  for (const code of own.takeRest('README.md')) expect(start).toContain(code);
  expect(own.left()).toEqual([]);
});

test('the table of sizes sums up files, and names one that is missing', () => {
  const readme = 'a\n<!-- Written by `npm run docs`. -->\nold\n<!-- End of the sizes. -->\nb\n';
  const names = [...read('tools/size-docs.mjs').matchAll(/'([a-z][a-z-]+)'/g)].map(([, name]) => name);
  const chunks = names.map((name) => ({ fileName: `${name}.js`, code: 'x'.repeat(100) }));
  const table = withSizes(readme, chunks);
  expect(table.startsWith('a\n<!-- Written')).toBe(true);
  expect(table.endsWith('-->\nb\n')).toBe(true);
  expect(table).not.toContain('old');
  expect(table).toContain('| `/classifier` | 0.0 |');
  const without = chunks.filter(({ fileName }) => fileName !== 'search.js');
  expect(() => withSizes(readme, without)).toThrow('the library has no search.js');
  expect(() => withSizes('a', chunks)).toThrow('README.md must have one line');
});
