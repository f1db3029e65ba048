import { readFileSync, statSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { defineConfig } from 'vite';
import { commit } from './bench/environment.ts';
import { contentPolicy } from './tools/content-policy.mjs';
import { pageLicences } from './tools/licences.mjs';
import { offlinePage } from './tools/offline.mjs';
import { wgsl } from './tools/wgsl.mjs';

const path = (relative: string): string => fileURLToPath(new URL(relative, import.meta.url));

const licences = pageLicences();

const versionOf = (name: string): string =>
  JSON.parse(readFileSync(path(`./node_modules/${name}/package.json`), 'utf8')).version;

/** What a page or a worker needs at once is in one file, and only what it imports later has others. */
const WITH_ENTRY = { groups: [{ name: 'core', tags: ['$initial' as const] }], includeDependenciesRecursively: false };

/** The demo: `npm start` serves it, `npm run build` builds it into dist/demo. For tests see vitest.config.ts. */
export default defineConfig({
  root: path('./demo'),
  publicDir: path('./public'),
  // Relative URLs, so that the built page works under any path.
  base: './',
  plugins: [wgsl(), contentPolicy(), licences.write, offlinePage()],
  worker: {
    format: 'es',
    plugins: () => [wgsl(), licences.collect],
    rolldownOptions: { checks: { eval: false }, output: { codeSplitting: WITH_ENTRY } },
  },
  // The dev server does not find from the page what only workers import, and reloads the page when it finds a dependency late.
  optimizeDeps: {
    entries: ['index.html', '**/*worker.ts', '../src/worker.ts'],
  },
  define: {
    'import.meta.env.COMMIT': JSON.stringify(commit()),
    'import.meta.env.VERSION': JSON.stringify(JSON.parse(readFileSync(path('./package.json'), 'utf8')).version),
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
    // Browsers with WebGPU support modulepreload.
    modulePreload: { polyfill: false },
    rolldownOptions: {
      input: path('./demo/index.html'),
      checks: { eval: false },
      output: { codeSplitting: WITH_ENTRY },
    },
  },
});
