// The two packages as they are published. Tests of the packages and of the command line build them too.
import { execFileSync } from 'node:child_process';
import { copyFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { bundle, ROOT } from './bundle.mjs';
import { LICENCES_FILE, licencesText } from './licences.mjs';
import { copyTypes } from './types.mjs';

const ENTRIES = /** @type {const} */ (['index', 'worker', 'node']);
/** How the client names its worker; users' bundlers look for exactly this text. */
const WORKER_URL = "new URL('./worker.js',import.meta.url)";

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
  const chunks = [...index, ...worker, ...node];
  checkChunks(chunks);
  await writeLicences(chunks, dir);
  return chunks;
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
  await copyTypes({ from: emitted, to: dir, entries: [...ENTRIES] });
};

/**
 * Properties users rely on that a change of the sources or the bundler could break without a test noticing.
 * @param {import('rolldown').OutputChunk[]} chunks
 */
const checkChunks = (chunks) => {
  const names = chunks.map((chunk) => chunk.fileName);
  const twice = names.find((name, i) => names.indexOf(name) !== i);
  if (twice) throw new Error(`Two bundles write dist/${twice}; the second replaces the first.`);
  for (const { fileName, moduleIds, code } of chunks) {
    const model = moduleIds.find((id) => /\/src\/(session\/open|model|kernels|gpu)\b/.test(id));
    if (fileName === 'index.js' && model)
      throw new Error(`dist/index.js must be the client only, but contains ${model}.`);
    if (fileName === 'index.js' && !code.includes(WORKER_URL)) throw new Error(`dist/index.js lacks ${WORKER_URL}.`);
  }
};
