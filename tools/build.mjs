// `npm run build`: the library (dist/*.js, dist/types) and the demo site (dist/demo).
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { brotliCompressSync, gzipSync } from 'node:zlib';
import { build as buildSite } from 'vite';
import { ROOT } from './bundle.mjs';
import { bundleLibrary, emitTypes } from './library.mjs';

const dist = join(ROOT, 'dist');
/** What a page fetches. */
const PAGE = ['index.js', 'worker.js'];

await rm(dist, { recursive: true, force: true });
const chunks = await bundleLibrary(dist);
await emitTypes(join(dist, 'types'));
await buildSite({ configFile: join(ROOT, 'vite.config.ts'), logLevel: 'warn' });

printSizes();

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
