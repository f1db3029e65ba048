// How this project's TypeScript is bundled outside of Vite: the library (build.mjs) and scripts for Node (run.mjs).
import { dirname, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'rolldown';
import { wgsl } from './wgsl.mjs';

/** The project's folder. */
export const ROOT = fileURLToPath(new URL('..', import.meta.url));

const NODE_ONLY = [/^node:/, 'webgpu'];
/** A package's name, perhaps with a path in it; no relative path and no `C:\…`. */
const PACKAGE = /^@?[\w-][\w.-]*(\/|$)/;

/**
 * Bundles one entry into `dir`, as ESM for ES2022. What it imports dynamically becomes a chunk next to it.
 * @param {{ name: string, file: string, dir: string, platform: 'browser' | 'node', minify?: boolean, packages?: 'bundle' | 'leave', plugins?: import('rolldown').Plugin[], define?: Record<string, string> }} options
 *   `platform` 'node' leaves node:* and webgpu (an optional peer with a native part) to the user; `packages` 'leave'
 *   leaves all npm packages to node_modules; `define` puts expressions in place of names.
 */
export const bundle = async (options) => {
  const { name, file, dir, platform, minify = false, packages = 'bundle', plugins = [], define = {} } = options;
  const { output } = await build({
    cwd: ROOT,
    input: { [name]: file },
    platform,
    external: [...(platform === 'node' ? NODE_ONLY : []), ...(packages === 'leave' ? [PACKAGE] : [])],
    // What entry and chunk share stays in the entry, instead of in one more file to fetch.
    preserveEntrySignatures: 'allow-extension',
    plugins: [wgsl(), quotedWorkerUrl, ...(packages === 'leave' ? [toolsInPlace] : []), ...plugins],
    transform: { target: 'es2022', define },
    // An import that is not found is an error here, not a warning that leaves it to the user.
    onLog: (level, log, handler) => handler(log.code === 'UNRESOLVED_IMPORT' ? 'error' : level, log),
    output: {
      dir,
      format: 'esm',
      entryFileNames: '[name].js',
      chunkFileNames: '[name].js',
      minify,
      sourcemap: true,
    },
  });
  return output.filter((file) => file.type === 'chunk');
};

/**
 * Tools find the project from where they are themselves, so a script that leaves its packages leaves them too.
 * @type {import('rolldown').Plugin}
 */
const toolsInPlace = {
  name: 'tools-in-place',
  resolveId: {
    filter: { id: /^\.\.?\/(.*\/)?tools\/[\w-]+\.mjs$/ },
    handler: (id, importer) => ({ id: resolve(dirname(importer ?? ROOT), id), external: 'absolute' }),
  },
};

/**
 * Bundlers find workers by the text `new Worker(new URL('./x.js', import.meta.url), …)`. Not all of them read the template
 * literals that the minifier makes of its strings. The length stays, and so does the source map.
 * @type {import('rolldown').Plugin}
 */
const quotedWorkerUrl = {
  name: 'quoted-worker-url',
  generateBundle: (_options, files) => {
    for (const file of Object.values(files)) {
      if (file.type !== 'chunk') continue;
      file.code = file.code.replace(/new Worker\(new URL\([^()]*\),\{[^{}]*\}\)/g, (text) => text.replaceAll('`', "'"));
    }
  },
};
