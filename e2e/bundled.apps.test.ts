/**
 * The packed library in fresh apps of the bundlers that people use: each app embeds texts in Chromium, and checks the numbers against those
 * of sentence-transformers. `npm run test:apps` installs the bundlers, in e2e/bundlers and not at the root.
 */
import { execFileSync } from 'node:child_process';
import { cp, readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { execPath } from 'node:process';
import { build as viteBuild } from 'vite';
import { beforeAll, expect, test } from 'vitest';
import webpack from 'webpack';
import { blocksFor } from '../tools/doc-blocks';
import { MODEL, mainOf, PAGE, TOOLS, usePackages, visit, write } from './packed';

/** Parcel writes an import map into the page. */
const policy = (path: string) =>
  `default-src 'self'; worker-src 'self' blob:; img-src data:${path.startsWith('/parcel') ? "; script-src 'self' 'unsafe-inline'" : ''}`;
const packages = usePackages(policy);
const blocks = blocksFor('e2e/bundled.apps.test.ts');
const at = (...names: string[]) => packages.at(...names);

beforeAll(async () => {
  await cp(MODEL, at('site/models/minilm'), { recursive: true });
  // Parcel reads `exports`, which an entry beside the main one needs, only if the app's package.json asks for it.
  const asked = JSON.parse(blocks.take('docs/guide/install.md', 'packageExports'));
  await write(at('app'), { 'package.json': JSON.stringify({ type: 'module', ...asked }) });
});

/** Runs a script of an installed tool in an app's folder. */
const run = (app: string, script: string, ...args: string[]): string =>
  execFileSync(execPath, [join(TOOLS, script), ...args], { cwd: app, encoding: 'utf8', stdio: 'pipe' });

const vite = (version: string) => (app: string, out: string) =>
  run(app, `vite-${version}/bin/vite.js`, 'build', '--base=./', `--outDir=${out}`, '--emptyOutDir');

async function webpack5(app: string, path: string) {
  const compiler = webpack({
    mode: 'production',
    performance: { hints: false }, // the worker is in the script, so that is large
    context: app,
    entry: './main.js',
    output: { path, filename: 'main.js' },
  });
  const stats = await new Promise<webpack.Stats | undefined>((resolve, reject) =>
    compiler?.run((error, result) => (error ? reject(error) : resolve(result))),
  );
  const { errors, warnings } = stats?.toJson() ?? {};
  expect([errors, warnings]).toEqual([[], []]);
  await write(path, { 'index.html': PAGE });
}

async function rollup(app: string, out: string) {
  const resolve = join(TOOLS, '@rollup/plugin-node-resolve/dist/es/index.js');
  run(app, 'rollup/dist/bin/rollup', 'main.js', '--format=es', '--failAfterWarnings', '-p', resolve, '-d', out);
  await write(out, { 'index.html': PAGE });
}

async function esbuild(app: string, out: string) {
  run(app, 'esbuild/bin/esbuild', 'main.js', '--bundle', '--format=esm', `--outfile=${out}/main.js`);
  await write(out, { 'index.html': PAGE });
}

/** What the guide says of bundlers that copy no workers. */
async function esbuildWithCopies(app: string, out: string) {
  await esbuild(app, out);
  const dist = at('app/node_modules/modernbert-webgpu/dist');
  const workers = (await readdir(dist)).filter((file) => /^worker.*\.js$/.test(file));
  for (const file of workers) await cp(join(dist, file), join(out, file));
}

async function bun(app: string, out: string) {
  const platform = `${process.platform}-${process.arch}`.replace('win32', 'windows');
  const file = join(TOOLS, `@oven/bun-${platform}/bin/bun`);
  execFileSync(file, ['build', 'main.js', '--target=browser', `--outdir=${out}`], { cwd: app, stdio: 'pipe' });
  await write(out, { 'index.html': PAGE });
}

const parcel = (app: string, out: string) =>
  run(app, 'parcel/lib/bin.js', 'build', 'index.html', '--public-url=./', '--no-cache', `--dist-dir=${out}`);

const MAIN = 'modernbert-webgpu';
const INLINE = 'modernbert-webgpu/inline';

const BUILDS: [string, string, (app: string, out: string) => unknown][] = [
  ['Vite 5', MAIN, vite('5')],
  ['Vite 6', MAIN, vite('6')],
  ['Vite 7', MAIN, vite('7')],
  [
    'Vite 8',
    INLINE,
    (root, outDir) =>
      viteBuild({ root, configFile: false, logLevel: 'warn', base: './', build: { outDir, emptyOutDir: true } }),
  ],
  ['Vite 5', INLINE, vite('5')],
  ['webpack', INLINE, webpack5],
  ['esbuild', INLINE, esbuild],
  ['esbuild', MAIN, esbuildWithCopies],
  ['Rollup', INLINE, rollup],
  ['Bun', INLINE, bun],
  ['Parcel', INLINE, parcel],
];

test.each(BUILDS)('%s, %s', async (name, entry, build) => {
  const folder = `${name} ${entry}`.toLowerCase().replace(/\W+/g, '-');
  const [app, out] = [at('app', folder), at('site', folder)];
  await write(app, { 'index.html': PAGE, 'main.js': mainOf(entry) });
  await build(app, out);
  const fetched = await visit(packages, `/${folder}/`);
  // Everything in one script, but for what the page itself is.
  if (entry === INLINE) expect(fetched.filter((path) => /worker/.test(path))).toEqual([]);
  expect(await readFile(join(out, 'index.html'), 'utf8')).toContain('<script');
});

test('Parcel, modernbert-webgpu: an error that says what to import', async () => {
  const [app, out] = [at('app/parcel-main'), at('site/parcel-main')];
  await write(app, { 'index.html': PAGE, 'main.js': mainOf(MAIN) });
  await parcel(app, out);
  // Parcel makes scripts without exports of the files that the library names by their URLs.
  await visit(packages, '/parcel-main/', { title: /^WorkerError: .* has no exports.* modernbert-webgpu\/inline/ });
});

test('every block that is its own', () => expect(blocks.left()).toEqual([]));
