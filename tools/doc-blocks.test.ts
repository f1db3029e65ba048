/** Every code block of the documentation has a test, or a reason why it has none. */
import { existsSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { expect, it } from 'vitest';
import { ROOT } from './bundle.mjs';
import { type Block, blocksOf, NPM, PAGES, RUN_BY, testOf } from './doc-blocks';

const blocks = PAGES.flatMap(blocksOf);
const nameOf = ({ page, language, code }: Block) => `${page}, ${language}: ${code.split('\n')[0]}`;

it('every block is run by a test that says so, or listed with a reason', () => {
  expect(
    blocks.filter((block) => !testOf(block)).map(nameOf),
    'name the test, or why there is none, in RUN_BY of tools/doc-blocks.ts',
  ).toEqual([]);
  for (const test of new Set(blocks.map(testOf))) {
    if (typeof test !== 'string' || test === NPM) continue;
    const source = readFileSync(join(ROOT, test), 'utf8');
    // `left` of blocksFor is what makes a test fail that leaves one out.
    expect(source, test).toMatch(/\.left\(\)\)\.toEqual\(\[\]\)/);
  }
});

it('no fence is of a kind that is not read', () => {
  for (const page of PAGES.filter((page) => page !== 'docs/api.md')) {
    const fences = readFileSync(join(ROOT, page), 'utf8').match(/^\s*(```|~~~)/gm) ?? [];
    expect(fences, page).toHaveLength(2 * blocksOf(page).length);
  }
});

it('every line of the table is of one block', () => {
  for (const [page, named] of Object.entries(RUN_BY)) {
    expect(PAGES).toContain(page);
    const own = blocks.filter((block) => block.page === page);
    for (const text of Object.keys(named)) {
      if (text === '*') continue;
      expect(own.filter(({ code }) => code.includes(text)).map(nameOf), `${page}: ${text}`).toHaveLength(1);
    }
  }
});

it("npm's commands: the scripts and the packages are there", () => {
  const packageOf = (folder: string) => JSON.parse(readFileSync(join(ROOT, folder, 'package.json'), 'utf8'));
  const root = packageOf('.');
  const known = [root, packageOf('cli')];
  const packages = known.flatMap((one) => [
    one.name,
    ...Object.keys({ ...one.peerDependencies, ...one.dependencies, ...one.devDependencies }),
  ]);
  let checked = 0;
  for (const { page, language, code } of blocks) {
    if (language !== 'sh') continue;
    let folder = existsSync(join(ROOT, dirname(page), 'package.json')) ? dirname(page) : '.';
    const lines = code.replace(/ *#.*/g, '').split(/\n| && /);
    for (const line of lines) {
      const [command, action, ...args] = line.trim().split(/ +/);
      if (command === 'cd') folder = join(dirname(page), action);
      if (command !== 'npm') continue;
      checked++;
      if (action === 'install') {
        for (const name of args) expect(packages, `${page}: ${line}`).toContain(name.replace(/(.)@.*/, '$1'));
      } else if (action !== 'ci') {
        const script = action === 'run' ? args[0] : action;
        expect(Object.keys(packageOf(folder).scripts ?? {}), `${page}: ${line}`).toContain(script);
      }
    }
  }
  expect(checked).toBeGreaterThan(15);
});
