import { expect, test } from 'vitest';
import { checkFile, importsOf, LAYERS, partOf } from './layers.mjs';

test('finds every kind of import with its line', () => {
  const source = `import type { A } from './a';
import text from './x.wgsl?raw';
export { b } from './b';
export * from './c';
export type { D } from './d';
type E = import('./e').E;
const f = await import('./f');
// import './comment';
const s = "import './string'";`;
  expect(importsOf('src/x.ts', source)).toEqual([
    { line: 1, specifier: './a', kind: 'type' },
    { line: 2, specifier: './x.wgsl?raw', kind: 'value' },
    { line: 3, specifier: './b', kind: 'value' },
    { line: 4, specifier: './c', kind: 'value' },
    { line: 5, specifier: './d', kind: 'type' },
    { line: 6, specifier: './e', kind: 'type' },
    { line: 7, specifier: './f', kind: 'value' },
  ]);
});

test('parts are folders and top-level files', () => {
  expect(partOf('src/kernels/gemm.ts')).toBe('kernels');
  expect(partOf('src/similarity')).toBe('similarity');
  expect(partOf('demo/main.ts')).toBe('demo');
});

test('imports to the right in the table pass, others are named with file, line and rule', () => {
  expect(checkFile('src/model/families/modernbert.ts', "import { gemm } from '../../kernels/gemm';")).toEqual([]);
  expect(checkFile('src/gpu/device.ts', "\nimport { gemm } from '../kernels/gemm';")).toEqual([
    "src/gpu/device.ts:2: import of '../kernels/gemm': gpu may import only: api.",
  ]);
  expect(checkFile('demo/main.ts', "import { loadModel } from '../src/index';")).toEqual([]);
  expect(checkFile('demo/main.ts', "import { openModel } from '../src/session/open';")).toHaveLength(1);
  expect(checkFile('cli/model.ts', "import { loadModel } from '../src/node';")).toHaveLength(1);
});

test('Node only where the library is for Node', () => {
  const node = "import { join } from 'node:path';";
  expect(checkFile('src/sources/folder.ts', node)).toEqual([]);
  expect(checkFile('src/node.ts', node)).toEqual([]);
  expect(checkFile('src/sources/hub.ts', node)).toHaveLength(1);
  expect(checkFile('src/sources/hub.test.ts', node)).toEqual([]);
  expect(checkFile('demo/main.ts', node)).toHaveLength(1);
});

test('tests and references are for tests', () => {
  expect(checkFile('src/kernels/gemm.gpu.test.ts', "import { gemm } from './reference';")).toEqual([]);
  expect(checkFile('src/kernels/gemm.ts', "import { gemm } from './reference';")).toHaveLength(1);
});

test('a part that is not in the table is an error', () => {
  expect(checkFile('src/novel/a.ts', "import { b } from '../api/errors';")[0]).toMatch(/LAYERS/);
});

test('the table has no circles', () => {
  const reach = (part: string, path: string[] = []): void => {
    expect(path, [...path, part].join(' → ')).not.toContain(part);
    for (const next of LAYERS[part]?.imports ?? []) if (next !== 'tools') reach(next, [...path, part]);
  };
  for (const part of Object.keys(LAYERS)) reach(part);
});
