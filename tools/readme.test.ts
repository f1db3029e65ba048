import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { ROOT } from './bundle.mjs';
import { withSizes } from './size-docs.mjs';

const read = (name: string) => readFileSync(join(ROOT, name), 'utf8');
const blocks = (text: string) => [...text.matchAll(/^```(?:ts|html)\n[\s\S]*?^```$/gm)].map(([block]) => block);

test("README's examples are those of the quick start, which tests run", () => {
  const start = blocks(read('docs/guide/start.md'));
  const own = blocks(read('README.md'));
  expect(own).toHaveLength(2);
  for (const block of own) expect(start).toContain(block);
});

test('the table of sizes sums up files, and names one that is missing', () => {
  const readme = 'a\n<!-- Written by `npm run docs`. -->\nold\n<!-- End of the sizes. -->\nb\n';
  const names = [...read('tools/size-docs.mjs').matchAll(/'([a-z][a-z-]+)'/g)].map(([, name]) => name);
  const chunks = names.map((name) => ({ fileName: `${name}.js`, code: 'x'.repeat(100) }));
  const table = withSizes(readme, chunks);
  expect(table.startsWith('a\n<!-- Written')).toBe(true);
  expect(table.endsWith('-->\nb\n')).toBe(true);
  expect(table).not.toContain('old');
  expect(table).toContain('| `/search` | 0.0 |');
  const without = chunks.filter(({ fileName }) => fileName !== 'search.js');
  expect(() => withSizes(readme, without)).toThrow('the library has no search.js');
  expect(() => withSizes('a', chunks)).toThrow('README.md must have one line');
});
