/** The packed library's types for every compiler that people have, and what the linters of packages say. */
import { execFileSync, spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { execPath } from 'node:process';
import { beforeAll, expect, test } from 'vitest';
import { ROOT } from '../tools/bundle.mjs';
import { ENTRIES } from '../tools/library.mjs';
import { TOOLS, usePackages, write } from './packed';

const packages = usePackages(() => '');
const at = (...names: string[]) => packages.at(...names);

/** Entries that a script imports: the worker is none. */
const IMPORTED = ENTRIES.filter((name) => name !== 'worker');

beforeAll(async () => {
  const importOf = (name: string, i: number) =>
    `import * as entry${i} from 'modernbert-webgpu${name === 'index' ? '' : `/${name}`}';`;
  const source = `
${IMPORTED.map(importOf).join('\n')}
import { loadModel, type Embeddings } from 'modernbert-webgpu';
const model = await loadModel('a/b', { dtype: 'q8', gpu: navigator.gpu });
const embeddings: Embeddings = await model.embed(['x']);
const data: Float32Array = embeddings.data;
// @ts-expect-error: no such dtype
await loadModel('a/b', { dtype: 'q5' });
export const uses = [data, ${IMPORTED.map((_, i) => `entry${i}`).join(', ')}];
`;
  // Compilers before 6 know no navigator.gpu; whoever passes one has @webgpu/types.
  const old = source.replace(', gpu: navigator.gpu', '');
  await write(at('app/types'), { 'main.ts': source, 'old.ts': old });
});

const COMPILERS = [
  ['5.6', join(TOOLS, 'typescript-5.6/bin/tsc'), 'old.ts'],
  ['5.9', join(TOOLS, 'typescript-5.9/bin/tsc'), 'old.ts'],
  ['6', join(TOOLS, 'typescript-6/bin/tsc'), 'main.ts'],
  ['7', join(ROOT, 'node_modules/typescript/bin/tsc'), 'main.ts'],
];
const RESOLUTIONS = [
  ['esnext', 'bundler'],
  ['nodenext', 'nodenext'],
];

const CASES = COMPILERS.flatMap(([version, tsc, file]) =>
  RESOLUTIONS.map(([module, moduleResolution]) => ({ version, tsc, file, module, moduleResolution })),
);

test.each(CASES)('TypeScript $version, $moduleResolution', async ({ version, tsc, file, module, moduleResolution }) => {
  // Without skipLibCheck: the library's declarations are checked as the app's are.
  const lib = ['es2022', 'dom', 'dom.iterable'];
  const compilerOptions = { noEmit: true, strict: true, target: 'es2022', lib, types: [], module, moduleResolution };
  const config = `types/${version}-${moduleResolution}.json`;
  await write(at('app'), { [config]: JSON.stringify({ compilerOptions, files: [file] }) });
  const { status, stdout } = spawnSync(execPath, [tsc, '-p', config], { cwd: at('app'), encoding: 'utf8' });
  expect(stdout).toBe('');
  expect(status).toBe(0);
});

test('publint has nothing to say', () => {
  const out = execFileSync(
    execPath,
    [join(TOOLS, 'publint/src/cli.js'), '--strict', at('app/node_modules/modernbert-webgpu')],
    {
      encoding: 'utf8',
    },
  );
  expect(out).toContain('All good!');
});

test('arethetypeswrong finds nothing wrong for ES modules', () => {
  const attw = join(TOOLS, '@arethetypeswrong/cli/dist/index.js');
  const args = [at(packages.library.filename), '--profile', 'esm-only', '--no-emoji', '--format', 'ascii'];
  const { status, stdout } = spawnSync(execPath, [attw, ...args], { encoding: 'utf8' });
  expect(status, stdout).toBe(0);
  expect(stdout.match(/^node16 \(from ESM\): OK/gm), stdout).toHaveLength(ENTRIES.length + 1); // and package.json
  expect(stdout.match(/^bundler: OK/gm), stdout).toHaveLength(ENTRIES.length + 1);
});
