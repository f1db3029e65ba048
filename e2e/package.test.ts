/** Both npm packages as users get them: what is in them, and that they work in Node and in the pages of two bundlers. */
import { execFileSync, spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { cp, readdir, readFile, stat } from 'node:fs/promises';
import { homedir } from 'node:os';
import { dirname, isAbsolute, join, relative } from 'node:path';
import { execPath } from 'node:process';
import { build as viteBuild } from 'vite';
import { beforeAll, expect, it } from 'vitest';
import webpack from 'webpack';
import { apiReference } from '../tools/api-docs.mjs';
import { ROOT } from '../tools/bundle.mjs';
import { checkpointTable } from '../tools/checkpoint-docs.mjs';
import { blocksFor } from '../tools/doc-blocks';
import { withSizes } from '../tools/size-docs.mjs';
import { install, PAGE, type Packed, usePackages, visit, write } from './packed';

const MAIN = `
import { loadModel } from 'modernbert-webgpu';
const model = await loadModel('/models/nano');
const [{ candidates }] = await model.fillMask('The capital of France is [MASK].');
document.title = candidates[0].token.trim();
`;

/** No other origins and no WebAssembly; below /trusted-… also no untrusted address of a script. */
const POLICY = "default-src 'self'; img-src data:";
const TRUSTED = `${POLICY}; require-trusted-types-for 'script'; trusted-types modernbert-webgpu`;

const blocks = blocksFor('e2e/package.test.ts');
/** Besides what it says: cli-app/ has both packages. */
const packages = usePackages((path) => (path.startsWith('/trusted-') ? TRUSTED : POLICY));
const at = (...names: string[]) => packages.at(...names);
const visitParis = (path: string) => visit(packages, path, { title: /^Paris$/ });

beforeAll(async () => {
  // Offline, so the dependencies are this project's.
  const modules = ['webgpu', 'papaparse'].map((name) => join(ROOT, 'node_modules', name));
  await install(at('cli-app'), at(packages.library.filename), at(packages.cli.filename), ...modules);
  await cp(join(ROOT, 'public/models/nano'), at('site/models/nano'), { recursive: true });
});

/** The folder of a source's package, as source maps name it, and the package. */
const PACKAGE = /(node_modules\/(?:.*\/node_modules\/)?((?:@[^/]+\/)?[^/]+))\//;

/** All files below a folder, relative to it. */
const filesOf = async (folder: string): Promise<string[]> =>
  (await readdir(folder, { recursive: true, withFileTypes: true }))
    .filter((entry) => entry.isFile())
    .map((entry) => relative(folder, join(entry.parentPath, entry.name)));

const sizeOf = async (...names: string[]) => (await stat(at(...names))).size;

const build = (root: string, out: string) =>
  viteBuild({ root, configFile: false, logLevel: 'warn', base: './', build: { outDir: out, emptyOutDir: true } });

/** The page's scripts are small, and those of the worker smaller than it is: it has the most, and fetches its parts after it. */
async function checkScripts(fetched: string[]) {
  const scripts = fetched.filter((name) => name.endsWith('.js'));
  const sizes = await Promise.all(scripts.map((name) => sizeOf('site', name)));
  const worker = sizes.findIndex((size) => size > 100_000);
  expect(sizes.slice(0, worker).reduce((a, b) => a + b, 0)).toBeLessThan(30_000);
  const parts = sizes.slice(worker + 1);
  expect(parts).toHaveLength(PARTS.length);
  for (const size of parts) {
    expect(size).toBeLessThan(50_000);
    expect(size).toBeGreaterThan(4096); // Vite would write smaller ones into the script, where a content security policy forbids them
  }
}

/** What a first load of a masked language model, and its call, need of the worker's parts. */
const PARTS = ['every-load', 'first-load', 'http', 'modernbert', 'more-calls'];

it('a Vite app', async () => {
  await write(at(), { 'app/vite/index.html': PAGE, 'app/vite/main.js': MAIN });
  await build(at('app/vite'), at('site/vite'));
  await checkScripts(await visitParis('/vite/'));
});

/** Builds a webpack app in app/`name` to site/`name`. */
async function pack5(name: string, output: webpack.Configuration['output'] = {}, main = MAIN) {
  await write(at(), { [`app/${name}/main.js`]: main, [`site/${name}/index.html`]: PAGE });
  const compiler = webpack({
    mode: 'production',
    context: at('app', name),
    entry: './main.js',
    output: { path: at('site', name), filename: 'main.js', ...output },
  });
  const stats = await new Promise<webpack.Stats | undefined>((resolve, reject) =>
    compiler?.run((error, stats) => (error ? reject(error) : resolve(stats))),
  );
  const { errors, warnings } = stats?.toJson() ?? {};
  expect([errors, warnings]).toEqual([[], []]);
}

it('a webpack 5 app', async () => {
  await pack5('webpack');
  await checkScripts(await visitParis('/webpack/'));
});

it('a Vite app and a webpack 5 app whose tabs have their model in a shared worker', async () => {
  const main = `${MAIN.replace("'modernbert-webgpu'", "'modernbert-webgpu/shared'")}document.title += ' ' + model.sharedBy;\n`;
  await write(at(), { 'app/shared-vite/index.html': PAGE, 'app/shared-vite/main.js': main });
  await build(at('app/shared-vite'), at('site/shared-vite'));
  await pack5('shared-webpack', {}, main);
  for (const path of ['/shared-vite/', '/shared-webpack/']) {
    const context = await packages.browser.newContext();
    const open = async () => {
      const page = await context.newPage();
      await page.goto(packages.origin + path);
      await page.waitForFunction(() => document.title !== '', undefined, { timeout: 120_000 });
      return page.title();
    };
    expect([await open(), await open()], path).toEqual(['Paris worker', 'Paris worker']);
    await context.close();
  }
});

it('Trusted Types: a webpack 5 app with output.trustedTypes, and a Vite app that makes the worker', async () => {
  await pack5('trusted-webpack', { trustedTypes: 'modernbert-webgpu' });
  await checkScripts(await visitParis('/trusted-webpack/'));

  const guide = blocks
    .take('docs/guide/loading.md', 'createPolicy')
    .replace('answerdotai/ModernBERT-base', '/models/nano');
  expect(guide).toContain("loadModel('/models/nano', { worker })");
  const main = MAIN.replace(/const model = .*\n/, guide);
  await write(at(), { 'app/trusted-vite/index.html': PAGE, 'app/trusted-vite/main.js': main });
  await build(at('app/trusted-vite'), at('site/trusted-vite'));
  await checkScripts(await visitParis('/trusted-vite/'));
});

it('a plain page that imports the file', async () => {
  await cp(at('app/node_modules/modernbert-webgpu/dist'), at('site/plain/modernbert-webgpu'), { recursive: true });
  await write(at(), {
    'site/plain/index.html': PAGE,
    'site/plain/main.js': MAIN.replace("'modernbert-webgpu'", "'./modernbert-webgpu/index.js'"),
  });
  const [page, main, index, worker, ...parts] = await visitParis('/plain/');
  expect([page, main]).toEqual(['/plain/', '/plain/main.js']);
  const file = (name: string) => `/plain/modernbert-webgpu/${name}.js`;
  expect([index, worker]).toEqual([file('index'), file('worker')]);
  expect(parts.sort()).toEqual(PARTS.map((part) => file(`worker-${part}`)));
});

it('a page that embeds with a BERT fetches the other architectures, and no call but embed', async () => {
  await write(at(), {
    'site/bert/index.html': PAGE,
    'site/bert/main.js': `
import { loadModel } from '/plain/modernbert-webgpu/index.js';
const model = await loadModel('/models/bert', { dtype: 'f32', arithmetic: 'f32' });
const { calls: [{ texts, values }] } = await (await fetch('/models/bert/expected.json')).json();
const { data } = await model.embed(texts[0], { truncate: true });
document.title = data.every((x, i) => Math.abs(x - values[0][i]) < 2e-5) ? 'Paris' : 'wrong';`,
  });
  await cp(join(ROOT, 'src/reference/fixtures/st-minilm'), at('site/models/bert'), { recursive: true });
  const fetched = await visitParis('/bert/');
  const parts = fetched.flatMap((name) => /\/worker-([\w-]+)\.js$/.exec(name)?.[1] ?? []);
  expect(parts.sort()).toEqual(['every-load', 'first-load', 'http', 'more-families']);
});

it('an app bundles only what it uses', async () => {
  await write(at(), {
    'app/shaken/index.html': PAGE,
    'app/shaken/main.js': `
import { similarity } from 'modernbert-webgpu';
const rows = { data: new Float32Array([1, 0]), rows: 1, dim: 2, row: () => rows.data };
console.log(similarity(rows, rows));`,
    'app/unused/index.html': PAGE,
    'app/unused/main.js': "import 'modernbert-webgpu';\nconsole.log('x');",
  });
  for (const [name, most] of [
    ['shaken', 6000],
    ['unused', 1000],
  ] as const) {
    await build(at('app', name), at('site', name));
    const html = await readFile(at('site', name, 'index.html'), 'utf8');
    const scripts = [...html.matchAll(/"\.\/(assets\/[\w.-]+\.js)"/g)].map(([, path]) => path);
    expect(scripts).toHaveLength(1);
    const code = await readFile(at('site', name, scripts[0]), 'utf8');
    expect(code).not.toContain('Worker(');
    expect(code.length, name).toBeLessThan(most);
  }
});

it('types resolve for bundlers and for Node', async () => {
  const source = `
import { loadModel, type Embeddings } from 'modernbert-webgpu';
import { convertModel, loadModel as loadInNode } from 'modernbert-webgpu/node';
const embeddings: Embeddings = await (await loadModel('a/b', { dtype: 'q8' })).embed(['x']);
const data: Float32Array = embeddings.data;
// @ts-expect-error: no such dtype
await loadModel('a/b', { dtype: 'q5' });
await convertModel('a/b', './c', { dtype: 'q4' });
export const uses = [data, loadInNode];
`;
  await write(at(), { 'app/types/main.ts': source });
  for (const [module, moduleResolution] of [
    ['esnext', 'bundler'],
    ['node16', 'node16'],
  ]) {
    const flags = ['--noEmit', '--strict', '--target', 'es2022', '--module', module];
    const args = [...flags, '--moduleResolution', moduleResolution, 'types/main.ts'];
    const tsc = join(ROOT, 'node_modules/typescript/bin/tsc');
    execFileSync(execPath, [tsc, ...args], { cwd: at('app'), stdio: 'pipe', encoding: 'utf8' });
  }
});

it('Node: the entry, with and without the package webgpu', async () => {
  const script = (source: string) => `
import { loadModel } from 'modernbert-webgpu/node';
await loadModel(${JSON.stringify(source)}).catch(({ name, message }) => console.log(name, message));`;
  await write(at(), {
    'app/main.mjs': script(join(ROOT, 'public/models/nano')),
    'cli-app/main.mjs': script('./nowhere'),
  });
  const run = (app: string) => execFileSync(execPath, ['main.mjs'], { cwd: at(app), encoding: 'utf8' }).trim();
  expect(run('app')).toBe(
    'WebGPUUnavailableError WebGPU in Node comes from the npm package webgpu: npm install webgpu',
  );
  expect(run('cli-app')).toMatch(/^ModelFileError .*nowhere/);
});

it('the library alone brings nothing of the command line, which works beside it', async () => {
  expect(await readdir(at('app/node_modules'))).toEqual(['.package-lock.json', 'modernbert-webgpu']);
  expect((await readdir(at('cli-app/node_modules'))).filter((name) => !name.startsWith('.'))).toEqual([
    'modernbert-webgpu',
    'modernbert-webgpu-cli',
    'papaparse',
    'webgpu',
  ]);
  const run = (...args: string[]) =>
    spawnSync('npx', ['--offline', 'modernbert-webgpu-cli', ...args], { cwd: at('cli-app'), encoding: 'utf8' });
  expect(run('--help')).toMatchObject({ status: 0, stdout: expect.stringMatching(/^modernbert-webgpu COMMAND/) });
  const convert = run('convert', './nowhere', 'out', '--dtype', 'q8');
  expect(convert).toMatchObject({ status: 1, stderr: expect.stringMatching(/^modernbert-webgpu: .*nowhere/) });
});

it('the packages hold what they should and nothing else', () => {
  const names = ({ files }: Packed) => files.map(({ path }) => path);
  const expected = [
    'LICENSE',
    'README.md',
    'CHANGELOG.md',
    'SECURITY.md',
    'docs/README.md',
    'dist/THIRD-PARTY-LICENSES.txt',
    'dist/index.js',
    'dist/worker.js',
    'dist/shared-worker.js',
    'dist/node.js',
  ];
  expect(names(packages.library)).toEqual(expect.arrayContaining(expected));
  const allowed =
    /^(LICENSE|(README|CHANGELOG|SECURITY)\.md|package\.json|docs\/.*\.(md|svg)|dist\/([\w-]+\.js(\.map)?|types\/.*\.d\.ts|THIRD-PARTY-LICENSES\.txt))$/;
  expect(names(packages.library).filter((name) => !allowed.test(name) || /test|fixtures|cli\.js/.test(name))).toEqual(
    [],
  );
  expect(packages.library.size).toBeLessThan(3_500_000);

  expect(names(packages.cli).sort()).toEqual([
    'README.md',
    'dist/LICENSE',
    'dist/THIRD-PARTY-LICENSES.txt',
    'dist/main.js',
    'dist/main.js.map',
    'package.json',
  ]);
  expect(packages.cli.size).toBeLessThan(170_000); // the library is not bundled in
});

it('source maps, code and types name no folder of the machine that built them', async () => {
  const places = [ROOT, at(), `${homedir()}/`];
  for (const name of ['library', 'cli']) {
    for (const file of await filesOf(at(name, 'dist'))) {
      let text = await readFile(at(name, 'dist', file), 'utf8');
      if (file.endsWith('.map')) {
        const { sources, sourceRoot, ...rest } = JSON.parse(text);
        // Relative to the map: in dist they lead no further up than to the project.
        const outside = (source: string) =>
          isAbsolute(source) || relative(ROOT, at(name, 'dist', source)).startsWith('..');
        expect(sources.filter(outside), file).toEqual([]);
        expect(sourceRoot, file).toBeUndefined();
        text = JSON.stringify(rest);
      }
      expect(
        places.filter((place) => text.includes(place)),
        file,
      ).toEqual([]);
    }
  }
});

it('the licence of every package in the library, the command line and the demo is beside its code', async () => {
  const dists = ['modernbert-webgpu', 'modernbert-webgpu-cli'].map((name) => at('cli-app/node_modules', name, 'dist'));
  const found = await Promise.all(
    [...dists, join(ROOT, 'dist/demo')].map(async (dist) => {
      // The source maps know what is in the bundles, whatever the build says.
      const maps = (await filesOf(dist)).filter((file) => file.endsWith('.map'));
      const sources = await Promise.all(
        maps.map(async (file): Promise<string[]> => JSON.parse(await readFile(join(dist, file), 'utf8')).sources),
      );
      const lines = (await readFile(join(dist, 'THIRD-PARTY-LICENSES.txt'), 'utf8')).split('\n');
      const packages = new Map(
        sources.flat().flatMap((source) => {
          const [, folder, name] = PACKAGE.exec(source) ?? [];
          return folder ? [[folder, name] as const] : [];
        }),
      );
      for (const [folder, name] of packages) {
        const { version } = JSON.parse(await readFile(join(ROOT, folder, 'package.json'), 'utf8'));
        expect(
          lines.find((line) => line.startsWith(`${name} ${version} (`)),
          folder,
        ).toBeDefined();
      }
      return packages.values();
    }),
  );
  const [library, cli, demo] = found.map((packages) => [...packages]);
  expect(library).toEqual(expect.arrayContaining(['comlink', 'idb-keyval', '@huggingface/tokenizers']));
  expect(cli).toEqual([]);
  // Of the page, of one of its workers, and of a worker that only loads a file without a licence of its own.
  expect(demo).toEqual(expect.arrayContaining(['comlink', 'papaparse', 'pdfjs-dist']));
});

it('docs/api.md is what `npm run docs` writes', async () => {
  const committed = await readFile(at('library/docs/api.md'), 'utf8');
  expect(committed, 'docs/api.md is out of date: run `npm run docs`').toBe(apiReference());
});

it("README's table of sizes is what `npm run docs` writes", async () => {
  const dist = at('library/dist');
  const files = (await readdir(dist)).filter((file) => file.endsWith('.js'));
  const chunks = files.map(async (fileName) => ({ fileName, code: await readFile(join(dist, fileName), 'utf8') }));
  const readme = await readFile(join(ROOT, 'README.md'), 'utf8');
  expect(readme, 'README.md is out of date: run `npm run docs`').toBe(withSizes(readme, await Promise.all(chunks)));
});

it('docs/checkpoints.md is what `npm run docs` writes', async () => {
  const committed = await readFile(at('library/docs/checkpoints.md'), 'utf8');
  expect(committed, 'docs/checkpoints.md is out of date: run `npm run docs`').toBe(checkpointTable());
});

/** The relative links of a Markdown file. */
const linksOf = async (path: string): Promise<string[]> =>
  [...(await readFile(path, 'utf8')).matchAll(/\]\((?!https?:|#)([^)#\s]+)/g)].map(([, target]) => target);

it('relative links in the documentation lead to existing files, also in the packages', async () => {
  const docs = packages.library.files.map(({ path }) => path).filter((path) => path.startsWith('docs/'));
  const pages = ['README.md', 'SECURITY.md', 'CONTRIBUTING.md', 'CHANGELOG.md', 'cli/README.md', ...docs];
  const packed = (await filesOf(at('cli-app/node_modules/modernbert-webgpu'))).filter((file) => file.endsWith('.md'));
  const folders = [
    ...pages.map((page) => join(ROOT, page)),
    ...packed.map((page) => at('cli-app/node_modules/modernbert-webgpu', page)),
    at('cli-app/node_modules/modernbert-webgpu-cli/README.md'),
  ];
  let links = 0;
  for (const page of folders.filter((path) => path.endsWith('.md'))) {
    for (const target of await linksOf(page)) {
      links++;
      expect(existsSync(join(dirname(page), target)), `${page} links to ${target}`).toBe(true);
    }
  }
  expect(links).toBeGreaterThan(100);
});

it('every block that is its own', () => expect(blocks.left()).toEqual([]));
