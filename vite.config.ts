import { readFileSync, statSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { defineConfig } from 'vite';
import { commit } from './bench/environment.ts';
import { contentPolicy } from './tools/content-policy.mjs';
import { offlinePage } from './tools/offline.mjs';
import { wgsl } from './tools/wgsl.mjs';

const path = (relative: string): string => fileURLToPath(new URL(relative, import.meta.url));

const versionOf = (name: string): string =>
  JSON.parse(readFileSync(path(`./node_modules/${name}/package.json`), 'utf8')).version;

/** The demo page: `npm start` serves it, `npm run build` makes dist/demo. Tests are set up in vitest.config.ts. */
export default defineConfig({
  root: path('./demo'),
  publicDir: path('./public'),
  // Relative addresses, so that the built page works under any path.
  base: './',
  plugins: [wgsl(), contentPolicy(), offlinePage()],
  // Emscripten's code for PGlite has an eval that is never called.
  worker: { format: 'es', plugins: () => [wgsl()], rolldownOptions: { checks: { eval: false } } },
  // What only workers import is not found from the page; found late it would make the dev server reload the page.
  optimizeDeps: {
    entries: ['index.html', '**/*worker.ts', '../src/worker.ts'],
    // They find their WebAssembly beside themselves.
    exclude: ['@electric-sql/pglite', '@electric-sql/pglite-pgvector'],
  },
  define: {
    'import.meta.env.COMMIT': JSON.stringify(commit()),
    'import.meta.env.PEER_VERSIONS': JSON.stringify(
      `${versionOf('@huggingface/transformers')}, onnxruntime-web ${versionOf('onnxruntime-web')}`,
    ),
    'import.meta.env.RACE_BYTES': String(
      statSync(path('./node_modules/onnxruntime-web/dist/ort-wasm-simd-threaded.asyncify.wasm')).size,
    ),
  },
  build: {
    outDir: path('./dist/demo'),
    emptyOutDir: true,
    target: 'es2022',
    sourcemap: true,
    // Browsers with WebGPU know modulepreload.
    modulePreload: { polyfill: false },
    rolldownOptions: { input: path('./demo/index.html'), checks: { eval: false } },
  },
});
