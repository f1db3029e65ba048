import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { pickManifest } from './adapters.mjs';
import { bundle } from './bundle.mjs';
import { countTests } from './count-tests.mjs';
import { copyTypes, withExtensions } from './types.mjs';
import { minifyWgsl } from './wgsl.mjs';

const inFolder = async (run: (folder: string) => Promise<void>): Promise<void> => {
  const folder = await mkdtemp(join(tmpdir(), 'build-'));
  try {
    await run(folder);
  } finally {
    await rm(folder, { recursive: true });
  }
};

test('minifyWgsl removes comments, indentation, blank lines and unneeded spaces', () => {
  const source = `// head
enable f16;

/* block /* nested */ still */
fn main() {\t
    let x = 4 / 2; // note */ /*
    let y = x/**/* 2;
    if (x - -y == 3 && y > 1) { z += vec4<u32>(1, 2); }
    let v: vec4<u32> = w;
    for (var k_unroll = 0u; k_unroll < K; k_unroll++) {
}`;
  expect(minifyWgsl(source)).toBe(
    `enable f16;
fn main(){
let x=4/2;
let y=x*2;
if(x - -y==3&&y > 1){z+=vec4<u32>(1,2);}
let v:vec4<u32> = w;
for (var k_unroll = 0u; k_unroll < K; k_unroll++) {
}`,
  );
});

test('a bundle contains its shaders, and the worker URL in the form that bundlers look for', () =>
  inFolder(async (folder) => {
    await writeFile(join(folder, 'a.wgsl'), '// gone\nfn kept() {}\n');
    await writeFile(
      join(folder, 'a.ts'),
      `import text from './a.wgsl?raw';
export const start = () => [text, new Worker(new URL('./worker.js', import.meta.url), { type: 'module' })];`,
    );
    const out = join(folder, 'out');
    const chunks = await bundle({ name: 'a', file: join(folder, 'a.ts'), dir: out, platform: 'browser', minify: true });
    expect(chunks.map((chunk) => chunk.fileName)).toEqual(['a.js']);
    const code = await readFile(join(out, 'a.js'), 'utf8');
    expect(code).toContain('fn kept(){}');
    expect(code).not.toContain('gone');
    expect(code).toContain("new Worker(new URL('./worker.js',import.meta.url),{type:'module'})");
  }));

test('a missing import fails the bundle', () =>
  inFolder(async (folder) => {
    await writeFile(join(folder, 'a.ts'), "import './missing';");
    const options = { name: 'a', file: join(folder, 'a.ts'), dir: join(folder, 'out'), platform: 'browser' } as const;
    await expect(bundle(options)).rejects.toThrow(/missing/);
  }));

test('declarations import full file names, and only those that entries reach are copied', () =>
  inFolder(async (folder) => {
    await writeFile(join(folder, 'index.d.ts'), "export type { A } from './a';\nexport type B = import('./b').B;\n");
    await writeFile(join(folder, 'a.d.ts'), "import type { X } from 'comlink';\nimport './b';\nexport type A = X;\n");
    await writeFile(join(folder, 'b.d.ts'), 'export type B = 1;\n');
    await writeFile(join(folder, 'inner.d.ts'), 'export {};\n');
    const to = join(folder, 'to');
    expect(await copyTypes({ from: folder, to, entries: ['index'] })).toEqual(['index.d.ts', 'a.d.ts', 'b.d.ts']);
    expect(await readFile(join(to, 'index.d.ts'), 'utf8')).toBe(
      "export type { A } from './a.js';\nexport type B = import('./b.js').B;\n",
    );
    expect(withExtensions("import type { X } from 'comlink';").imports).toEqual([]);
  }));

test('counts tests by state, files that break as failed, and apart those that cannot run here', () => {
  const note = 'not for this device: it needs subgroups';
  const absent = 'not fetched: all-MiniLM-L6-v2 was not tested (no registry)';
  const tests = [
    { name: 'a', state: 'passed' },
    { name: 'b', state: 'failed' },
    { name: 'c', state: 'skipped', note },
    { name: 'd', state: 'skipped', note },
    { name: 'e', state: 'skipped', note: 'later' },
    { name: 'f', state: 'pending' },
    { name: 'g', state: 'skipped', note: absent },
  ];
  expect(countTests(tests, 2)).toEqual({
    passed: 1,
    failed: 3,
    notHere: { [note]: 2, [absent]: 1 },
    notRun: ['e', 'f'],
  });
});

test('picks the manifest of lavapipe for this architecture', () => {
  expect(pickManifest('lvp', ['intel_icd.json', 'lvp_icd.json'], 'x86_64')).toBe('lvp_icd.json');
  expect(pickManifest('lvp', ['lvp_icd.i686.json', 'lvp_icd.x86_64.json'], 'x86_64')).toBe('lvp_icd.x86_64.json');
  expect(pickManifest('lvp', ['lvp_icd.i686.json'], 'x86_64')).toBeUndefined();
});
