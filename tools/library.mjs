// The two packages as they are published. Tests of the packages and of the command line build them too.
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { copyFile, rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { bundle, ROOT } from './bundle.mjs';
import { LICENCES_FILE, licencesText } from './licences.mjs';
import { copyTypes } from './types.mjs';

/** The entries that package.json exports: `src/NAME.ts` becomes dist/NAME.js. */
export const ENTRIES = Object.keys(JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8')).exports)
  .filter((path) => !path.endsWith('.json'))
  .map((path) => (path === '.' ? 'index' : path.slice(2)));
/** Files of their own that an entry imports when it needs them, and most pages do not load: dist/NAME.js. */
const SELDOM = { 'fallback-open': 'src/fallback/open.ts', 'search-gpu': 'src/search/gpu-rows.ts' };
/** Entries that are bundled in ways of their own; the others are a file each, which imports index.js if it needs it. */
const OWN_WAY = ['index', 'worker', 'node', 'thread', 'inline', 'fallback'];
/** How the pages name their workers; users' bundlers look for exactly these texts. */
const WORKER_URLS = {
  'index.js': ["new Worker(new URL('./worker.js',import.meta.url)"],
  'shared.js': ['Worker', 'SharedWorker'].map((kind) => `new ${kind}(new URL('./shared-worker.js',import.meta.url)`),
};

/**
 * Bundles the library's entries into `dir`.
 * @param {string} dir
 * @returns {Promise<import('rolldown').OutputChunk[]>}
 */
export const bundleLibrary = async (dir) => {
  const of = (/** @type {string} */ name) => ({ name, file: `src/${name}.ts`, dir, minify: true });
  const worker = await bundle({ ...of('worker'), platform: 'browser', split: 'parts' });
  const urls = worker
    .filter(({ isEntry }) => !isEntry)
    .map(({ name, fileName }) => `"${name}":new URL("./${fileName}",import.meta.url).href`);
  /** @type {import('rolldown').Plugin} */
  const named = {
    name: 'worker-parts',
    load: {
      filter: { id: /src\/worker-parts\.ts$/ },
      handler: () => `export const workerParts=()=>({${urls.join(',')}})`,
    },
  };
  const index = await bundle({ ...of('index'), platform: 'browser', split: 'chunks', plugins: [named] });
  const node = await bundle({ ...of('node'), platform: 'node' });
  const thread = await bundle({ ...of('thread'), platform: 'browser' });
  const inline = await bundle({
    ...of('inline'),
    platform: 'browser',
    plugins: [indexOutside, await workerInside()],
    sourcemap: false, // nearly all of it is a text
  });
  const shared = await bundle({ ...of('shared-worker'), platform: 'browser', plugins: [workerOutside] });
  const chunks = [...index, ...worker, ...node, ...thread, ...inline, ...shared];
  const fallback = await bundle({ ...of('fallback'), platform: 'browser', plugins: [indexOutside, seldomOutside] });
  chunks.push(...fallback);
  for (const [name, file] of Object.entries(SELDOM)) {
    const plugins = [indexOutside, errorsOfIndex];
    const external = ['@huggingface/transformers'];
    chunks.push(...(await bundle({ ...of(name), file, platform: 'browser', external, plugins })));
  }
  const plugins = [indexOutside, seldomOutside, sharedByVersion([...worker, ...shared])];
  for (const name of ENTRIES.filter((entry) => !OWN_WAY.includes(entry))) {
    for (const chunk of await bundle({ ...of(name), platform: 'browser', plugins })) chunks.push(chunk);
  }
  checkChunks(chunks);
  await writeLicences(chunks, dir);
  return chunks;
};

/**
 * Imports of src/index.ts stay imports of index.js, so that its classes and functions exist once.
 * @type {import('rolldown').Plugin}
 */
const indexOutside = {
  name: 'index-outside',
  resolveId: {
    filter: { id: /^(\.\.?\/)+index$/ },
    handler: () => ({ id: './index.js', external: true }),
  },
};

/**
 * Dynamic imports of what is in SELDOM.
 * @type {import('rolldown').Plugin}
 */
const seldomOutside = {
  name: 'seldom-outside',
  resolveId: {
    order: 'pre',
    filter: { id: /^\.\// },
    handler: (id, importer) => {
      const file = importer && `${join(dirname(importer), id)}.ts`;
      const name = Object.entries(SELDOM).find(([, path]) => join(ROOT, path) === file)?.[0];
      return name && { id: `./${name}.js`, external: true };
    },
  },
};

/**
 * Errors are of the classes that index.js exports.
 * @type {import('rolldown').Plugin}
 */
const errorsOfIndex = {
  name: 'errors-of-index',
  load: {
    filter: { id: /src\/api\/errors\.ts$/ },
    handler: (id) => {
      /** @type {string[]} */
      const names = [];
      const rest = readFileSync(id, 'utf8').replace(/^export class (\w+) extends Error \{[^{}]*\}/gm, (_text, name) => {
        names.push(name);
        return '';
      });
      if (names.length === 0) throw new Error('src/api/errors.ts has no classes that index.js could have.');
      return `import { ${names} } from '../index';\nexport { ${names} };\n${rest}`;
    },
  },
};

/**
 * The shared worker imports worker.js, so that both have the same parts, and takes what that exports from where parts find it.
 * @type {import('rolldown').Plugin}
 */
const workerOutside = {
  name: 'worker-outside',
  resolveId: {
    filter: { id: /^\.\/worker\.js$/ },
    handler: () => ({ id: './worker.js', external: true }),
  },
  load: {
    filter: { id: /src\/worker\.ts$/ },
    handler: () => "import './worker.js';export const{load}=globalThis.modernbertCore;",
  },
};

/**
 * Tabs of two versions of a site must not share a worker, also where its file has the same name in both.
 * @param {import('rolldown').OutputChunk[]} scripts
 * @returns {import('rolldown').Plugin}
 */
const sharedByVersion = (scripts) => {
  const hash = createHash('sha256');
  for (const { code } of scripts) hash.update(code);
  const version = hash.digest('hex').slice(0, 16);
  return {
    name: 'shared-by-version',
    load: {
      filter: { id: /src\/start-shared-worker\.ts$/ },
      handler: (id) => readFileSync(id, 'utf8').replace("'modernbert-webgpu'", `'modernbert-webgpu ${version}'`),
    },
  };
};

/**
 * Replaces src/inline-worker.ts: the worker with all its parts as a text, started from a Blob.
 * @returns {Promise<import('rolldown').Plugin>}
 */
const workerInside = async () => {
  const dir = join(ROOT, 'build/inline');
  const [{ code }] = await bundle({ name: 'worker', file: 'src/worker.ts', dir, platform: 'browser', minify: true });
  const text = JSON.stringify(code.replace(/\n\/\/# sourceMappingURL=.*\s*$/, ''));
  return {
    name: 'worker-inside',
    load: {
      filter: { id: /src\/inline-worker\.ts$/ },
      handler: () =>
        `let url;export const inlineWorker=()=>new Worker(url??=URL.createObjectURL(new Blob([${text}],{type:"text/javascript"})),{type:"module",name:"modernbert-webgpu"})`,
    },
  };
};

/**
 * Bundles the command line into `dir`; the library and all other packages stay imports.
 * @param {string} dir
 * @returns {Promise<import('rolldown').OutputChunk[]>}
 */
export const bundleCli = async (dir) => {
  const options = /** @type {const} */ ({ platform: 'node', minify: true, packages: 'leave', split: 'chunks' });
  const chunks = await bundle({ name: 'main', file: 'cli/main.ts', dir, ...options });
  await copyFile(join(ROOT, 'LICENSE'), join(dir, 'LICENSE'));
  await writeLicences(chunks, dir);
  return chunks;
};

/**
 * @param {import('rolldown').OutputChunk[]} chunks
 * @param {string} dir
 */
const writeLicences = (chunks, dir) =>
  writeFile(join(dir, LICENCES_FILE), licencesText(chunks.flatMap((chunk) => chunk.moduleIds)));

/**
 * Writes the type declarations reachable from the entries into `dir`.
 * @param {string} dir
 */
export const emitTypes = async (dir) => {
  const emitted = join(ROOT, 'build/types');
  await rm(emitted, { recursive: true, force: true });
  const tsc = join(ROOT, 'node_modules/typescript/bin/tsc');
  execFileSync(process.execPath, [tsc, '-p', join(ROOT, 'tsconfig.build.json')], { stdio: 'inherit' });
  await copyTypes({ from: emitted, to: dir, entries: ENTRIES });
};

/**
 * Properties users rely on that a change of the sources or the bundler could break without a test noticing.
 * @param {import('rolldown').OutputChunk[]} chunks
 */
const checkChunks = (chunks) => {
  const names = chunks.map((chunk) => chunk.fileName);
  const twice = names.find((name, i) => names.indexOf(name) !== i);
  if (twice) throw new Error(`Two bundles write dist/${twice}; the second replaces the first.`);
  for (const { fileName, moduleIds } of chunks) {
    const model = moduleIds.find((id) => /\/src\/(session\/open|model|kernels|gpu)\b/.test(id));
    if (fileName === 'index.js' && model)
      throw new Error(`dist/index.js must be the client only, but contains ${model}.`);
  }
  for (const [file, texts] of Object.entries(WORKER_URLS)) {
    const { code = '' } = chunks.find(({ fileName }) => fileName === file) ?? {};
    for (const text of texts) if (!code.includes(text)) throw new Error(`dist/${file} lacks ${text}.`);
  }
};
