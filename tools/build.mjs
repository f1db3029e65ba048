// `npm run build`: the library (dist/*.js, dist/types) and the demo site (dist/demo).
import { execFileSync } from 'node:child_process';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { brotliCompressSync, gzipSync } from 'node:zlib';
import { build as buildSite } from 'vite';
import { bundle, ROOT } from './bundle.mjs';
import { copyTypes } from './types.mjs';

const dist = join(ROOT, 'dist');
const emittedTypes = join(ROOT, 'build/types');
const ENTRIES = /** @type {const} */ ({ index: 'browser', worker: 'browser', node: 'node' });
/** The client starts the worker by this text, which bundlers of users look for. */
const WORKER_URL = "new URL('./worker.js',import.meta.url)";
/** What a page fetches. */
const PAGE = ['index.js', 'worker.js'];

await rm(dist, { recursive: true, force: true });
await rm(emittedTypes, { recursive: true, force: true });

/** @type {import('rolldown').OutputChunk[]} */
const chunks = [];
for (const [name, platform] of Object.entries(ENTRIES)) {
  chunks.push(...(await bundle({ name, file: `src/${name}.ts`, dir: dist, platform, minify: true })));
}
checkChunks();

execFileSync(
  process.execPath,
  [join(ROOT, 'node_modules/typescript/bin/tsc'), '-p', join(ROOT, 'tsconfig.build.json')],
  {
    stdio: 'inherit',
  },
);
await copyTypes({ from: emittedTypes, to: join(dist, 'types'), entries: Object.keys(ENTRIES) });

await buildSite({ configFile: join(ROOT, 'vite.config.ts'), logLevel: 'warn' });

printSizes();

/** What users rely on and a change of the sources or of the bundler could break without a test noticing. */
function checkChunks() {
  const names = chunks.map((chunk) => chunk.fileName);
  const twice = names.find((name, i) => names.indexOf(name) !== i);
  if (twice) throw new Error(`Two bundles write dist/${twice}; the second replaced the first.`);
  for (const { fileName, imports, dynamicImports, moduleIds, code } of chunks) {
    const model = moduleIds.find((id) => /\/(shaders|src\/(encoder|model|kernels|gpu))\b/.test(id));
    if (fileName === 'index.js' && model) throw new Error(`dist/index.js must be the client only, but holds ${model}.`);
    if (fileName === 'index.js' && !code.includes(WORKER_URL)) throw new Error(`dist/index.js lacks ${WORKER_URL}.`);
    if (fileName === 'worker.js' && imports.length + dynamicImports.length > 0) {
      throw new Error(`dist/worker.js must be one file, but imports ${[...imports, ...dynamicImports].join(', ')}.`);
    }
  }
}

function printSizes() {
  const rows = chunks.map(({ fileName, code }) => {
    const bytes = Buffer.from(code);
    return {
      name: fileName,
      sizes: [bytes.length, gzipSync(bytes, { level: 9 }).length, brotliCompressSync(bytes).length],
    };
  });
  const page = rows.filter(({ name }) => PAGE.includes(name));
  const sizes = [0, 1, 2].map((i) => page.reduce((sum, row) => sum + row.sizes[i], 0));
  const print = (/** @type {string} */ name, /** @type {unknown[]} */ cells) =>
    console.log(name.padEnd(20) + cells.map((cell) => String(cell).padStart(10)).join(''));
  print('bytes', ['raw', 'gzip', 'brotli']);
  for (const row of rows) print(row.name, row.sizes);
  print(PAGE.join(' + '), sizes);
}
