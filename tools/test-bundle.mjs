// Bundles GPU tests for runtimes that have neither Vitest nor the project's loader: the benchmark pack's Node, and Deno.
import { spawnSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { basename, dirname, join, relative, resolve } from 'node:path';
import { bundle, ROOT } from './bundle.mjs';

/** @returns {string[]} the GPU tests of the library, by path in the project */
export const gpuTests = () =>
  /** @type {string[]} */ (readdirSync(join(ROOT, 'src'), { recursive: true }))
    .filter((path) => /\.(gpu|base)\.test\.ts$/.test(path))
    .map((path) => join('src', path))
    .sort();

/**
 * Fails with the compiler's messages if a GPU test uses more of Vitest than test-runner.mjs has, for example vi.fn or it.skipIf.
 * @param {string} config
 */
export const checkGpuTests = (config = join(ROOT, 'tools/test-runner.tsconfig.json')) => {
  const compiler = dirname(createRequire(import.meta.url).resolve('typescript/package.json'));
  const { status, stdout } = spawnSync(process.execPath, [join(compiler, 'bin/tsc'), '-p', config], {
    encoding: 'utf8',
  });
  if (status !== 0) throw new Error(`GPU tests use more of Vitest than tools/test-runner.mjs has:\n${stdout}`);
};

/**
 * The files and folders of the project that a test file names: by new URL('…', import.meta.url), or a trained model by publicModel('…').
 * @param {string} file by path in the project
 * @returns {string[]} paths in the project
 */
export const filesNamedIn = (file) => {
  const code = readFileSync(join(ROOT, file), 'utf8');
  const all = (/** @type {RegExp} */ pattern) => [...code.matchAll(pattern)].map(([, name]) => name);
  const paths = all(/new URL\('([^']+)', import\.meta\.url\)/g).map((path) => resolve(ROOT, dirname(file), path));
  const models = all(/publicModel\('([\w-]+)'\)/g).map((name) => `public/models/${name}`);
  return [...new Set([...paths.map((path) => relative(ROOT, path)), ...models])];
};

/** A test's name in its runtime: gemm for gemm.gpu.test.ts, golden-base.base for golden-base.base.test.ts. @param {string} file */
export const testName = (file) =>
  basename(file).replace(/\.(gpu|base)\.test\.ts$/, (_, kind) => (kind === 'base' ? '.base' : ''));

/**
 * Sources locate their data relative to themselves: in the bundle, import.meta.url must be the path of the source, not of the bundle.
 * @param {string} dir the bundle's folder
 * @param {string} root the folder where the data lie at the same paths as in the project
 * @returns {import('rolldown').Plugin}
 */
export const inPlace = (dir, root) => ({
  name: 'in-place',
  transform: {
    filter: { code: 'import.meta.url', id: { exclude: /node_modules/ } },
    handler: (code, id) => {
      const path = join(relative(dir, root) || '.', relative(ROOT, id));
      return { code: code.replaceAll('import.meta.url', `new URL('${path}', import.meta.url).href`), map: null };
    },
  },
});

const RUNNER = join(ROOT, 'tools/test-runner.mjs');

/**
 * Replaces Vitest by test-runner.mjs, and the package webgpu (which is external before plugins can resolve it) by a module of the project.
 * @param {string} webgpu
 * @returns {import('rolldown').Plugin}
 */
const standIns = (webgpu) => ({
  name: 'stand-ins',
  resolveId: { filter: { id: /^vitest$/ }, handler: () => RUNNER },
  transform: {
    filter: { code: "'webgpu'", id: { exclude: /webgpu\.mjs$/ } },
    handler: (code) => {
      const stand = JSON.stringify(join(ROOT, webgpu));
      const replaced = code
        .replaceAll("from 'webgpu'", `from ${stand}`)
        .replaceAll("import('webgpu')", 'Promise.resolve(standIn)');
      return { code: `import * as standIn from ${stand};\n${replaced}`, map: null };
    },
  },
});

/**
 * Adds the call that runs the tests to the test file: it must come after all that the file declares.
 * @param {string} file
 * @returns {import('rolldown').Plugin}
 */
const started = (file) => ({
  name: 'started',
  transform: {
    filter: { id: join(ROOT, file) },
    handler: (code) => ({ code: `import { runTests } from 'vitest';\n${code}\nawait runTests();`, map: null }),
  },
});

/**
 * Bundles one test file into `dir`, as testName.js, to be run with test-runner.mjs.
 * @param {{ file: string, dir: string, root: string, webgpu: string }} options `root`: as in inPlace; `webgpu`: the module of the project that
 *   stands in for the package
 */
export const bundleTest = ({ file, dir, root, webgpu }) =>
  bundle({
    name: testName(file),
    file,
    dir,
    platform: 'node',
    // Tests that change shaders look for pieces of them as they are written.
    shaders: /\bwith(Shaders|Matrices)\b/.test(readFileSync(resolve(ROOT, file), 'utf8')) ? 'written' : 'minified',
    plugins: [inPlace(dir, root), standIns(webgpu), started(file)],
  });
