import { spawnSync } from 'node:child_process';
import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { execPath } from 'node:process';
import { afterAll, expect, it } from 'vitest';
import { ROOT } from './bundle.mjs';

const guides = join(ROOT, 'docs/guide');
/** In the project, so that packages are found. */
const folder = join(ROOT, 'build/guide-types');
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** Modules that only readers have: all that they export is of any type. */
const ELSEWHERE = "declare module '@langchain/classic/vectorstores/memory';\n";

/** A block's imports as declarations in its own scope, so that two blocks of a page can import the same. */
const inScope = (block: string): string =>
  block
    .replace(/^import type \{([^}]*)\}/gm, (_text, names) => `import {${names.replace(/\w+/g, 'type $&')}}`)
    .replace(/^import (?:(\w+)|(?:\* as (\w+))|\{([^}]*)\}) from ('[^']*');$/gm, (_text, whole, all, names, from) => {
      if (whole) return `const { default: ${whole} } = await import(${from});`;
      if (all) return `const ${all} = await import(${from});`;
      const [types, values] = [true, false].map((isType) =>
        (names as string)
          .split(',')
          .map((name) => name.trim())
          .filter((name) => name && name.startsWith('type ') === isType),
      );
      return [
        ...types.map((name) => `type ${name.slice(5)} = import(${from}).${name.slice(5)};`),
        ...(values.length > 0
          ? [`const { ${values.join(', ').replaceAll(' as ', ': ')} } = await import(${from});`]
          : []),
      ].join(' ');
    });

/** Each block sees what those before it declared, and may declare it anew. */
const moduleOf = (blocks: string[]): string =>
  `export async function page() {
const { loadModel } = await import('modernbert-webgpu');
${blocks.reduceRight((rest, block) => `await (async () => {\n${inScope(block)}\n${rest}})();\n`, '')}}
`;

it('the code of the guides compiles under strict', () => {
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder, { recursive: true });
  let count = 0;
  for (const page of readdirSync(guides)) {
    const text = readFileSync(join(guides, page), 'utf8');
    const blocks = [...text.matchAll(/^```ts\n([\s\S]*?)^```$/gm)].map(([, block]) => block);
    count += blocks.length;
    if (blocks.length > 0) writeFileSync(join(folder, `${basename(page, '.md')}.ts`), moduleOf(blocks));
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
