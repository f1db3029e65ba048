import { spawnSync } from 'node:child_process';
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { execPath } from 'node:process';
import { afterAll, expect, it } from 'vitest';
import { ROOT } from './bundle.mjs';
import { blocksOf, PAGES } from './doc-blocks';
import { moduleOf } from './doc-programs';

/** In the project, so that packages are found. */
const folder = join(ROOT, 'build/guide-types');
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** Modules that only readers have: all that they export is of any type. */
const ELSEWHERE = "declare module '@langchain/classic/vectorstores/memory';\n";

it('the code of the documentation compiles under strict', () => {
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder, { recursive: true });
  let count = 0;
  // The examples of docs/api.md are of what the reader has.
  for (const page of PAGES.filter((page) => page !== 'docs/api.md')) {
    const blocks = blocksOf(page).flatMap(({ language, code }) => (language === 'ts' ? [code] : []));
    count += blocks.length;
    if (blocks.length > 0) writeFileSync(join(folder, `${page.replace(/\W/g, '-')}.ts`), moduleOf(blocks));
  }
  writeFileSync(join(folder, 'elsewhere.d.ts'), ELSEWHERE);
  const paths = { 'modernbert-webgpu': ['../../src/index.ts'], 'modernbert-webgpu/*': ['../../src/*.ts'] };
  const compilerOptions = { noUnusedLocals: false, noUnusedParameters: false, paths };
  const config = { extends: '../../tsconfig.json', compilerOptions, include: ['.'], exclude: [] };
  writeFileSync(join(folder, 'tsconfig.json'), JSON.stringify(config));
  const tsc = join(ROOT, 'node_modules/typescript/bin/tsc');
  const { stdout, status } = spawnSync(execPath, [tsc, '-p', folder], { encoding: 'utf8' });
  expect(stdout).toBe('');
  expect(status).toBe(0);
  expect(count).toBeGreaterThan(40);
});
