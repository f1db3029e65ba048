// Bundles GPU tests for runtimes that have neither Vitest nor the project's loader: the benchmark pack's Node, and Deno.
import { readdirSync } from 'node:fs';
import { basename, join, relative } from 'node:path';
import { bundle, ROOT } from './bundle.mjs';
import { vi } from './test-runner.mjs';

/**
 * The first checks which driver a Vitest project selects, the second runs the documentation's examples, the third watches the console and breaks
 * shaders by Vitest's own means.
 */
const LEFT_OUT = ['adapter.gpu.test.ts', 'guide.gpu.test.ts', 'self-check.gpu.test.ts'];

/** @returns {string[]} the GPU tests of the library, by path in the project */
export const gpuTests = () =>
  /** @type {string[]} */ (readdirSync(join(ROOT, 'src'), { recursive: true }))
    .filter((path) => /\.(gpu|base)\.test\.ts$/.test(path) && !LEFT_OUT.includes(basename(path)))
    .map((path) => join('src', path))
    .sort();

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
    filter: { code: "from 'webgpu'", id: { exclude: /webgpu\.mjs$/ } },
    handler: (code) => {
      const stand = JSON.stringify(join(ROOT, webgpu));
      return { code: code.replaceAll("from 'webgpu'", `from ${stand}`), map: null };
    },
  },
});

/**
 * Fails the build by name if a test uses more of `vi` than the stand-in has. Missing imports fail it by themselves.
 * @type {import('rolldown').Plugin}
 */
const heldAgainst = {
  name: 'held-against-the-stand-in',
  transform: {
    filter: { id: /\.test\.ts$/ },
    handler: (code, id) => {
      const unknown = [...code.matchAll(/\bvi\.(\w+)/g)].find(([, member]) => !(member in vi));
      if (unknown)
        throw new Error(`${relative(ROOT, id)} uses ${unknown[0]}, which tools/test-runner.mjs does not have.`);
      return null;
    },
  },
};

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
    plugins: [heldAgainst, inPlace(dir, root), standIns(webgpu), started(file)],
  });
