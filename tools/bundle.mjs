// Bundles TypeScript outside of Vite: the library (build.mjs) and scripts for Node (run.mjs).
import { dirname, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'rolldown';
import { wgsl } from './wgsl.mjs';

/** The project's folder. */
export const ROOT = fileURLToPath(new URL('..', import.meta.url));

const NODE_ONLY = [/^node:/, 'webgpu'];
/** The name of a package, with or without a path in it; not a relative path or `C:\…`. */
const PACKAGE = /^@?[\w-][\w.-]*(\/|$)/;

/**
 * Bundles one entry into `dir`, as ESM for ES2022. Dynamic imports become chunks next to it, unless it is to be a single file.
 * @param {{ name: string, file: string, dir: string, platform: 'browser' | 'node', minify?: boolean, packages?: 'bundle' | 'leave', plugins?: import('rolldown').Plugin[], define?: Record<string, string>, isSingle?: boolean, shaders?: 'minified' | 'written' }} options
 *   `platform` 'node' keeps imports of node:* and of webgpu, an optional peer dependency; `packages` 'leave' keeps imports of all npm
 *   packages; `define` replaces names by expressions.
 */
export const bundle = async (options) => {
  const {
    name,
    file,
    dir,
    platform,
    minify = false,
    packages = 'bundle',
    plugins = [],
    define = {},
    isSingle = false,
    shaders = 'minified',
  } = options;
  const { output } = await build({
    cwd: ROOT,
    input: { [name]: file },
    platform,
    external: [...(platform === 'node' ? NODE_ONLY : []), ...(packages === 'leave' ? [PACKAGE] : [])],
    // Code shared by entry and chunk stays in the entry, to save a third file.
    preserveEntrySignatures: 'allow-extension',
    plugins: [
      wgsl(shaders === 'minified'),
      quotedWorkerUrl,
      ...(packages === 'leave' ? [toolsInPlace] : []),
      ...plugins,
    ],
    transform: { target: 'es2022', define },
    // Rolldown only warns about an import that is not found.
    onLog: (level, log, handler) => handler(log.code === 'UNRESOLVED_IMPORT' ? 'error' : level, log),
    output: {
      dir,
      format: 'esm',
      entryFileNames: '[name].js',
      chunkFileNames: '[name].js',
      ...(isSingle && { codeSplitting: false }),
      minify,
      sourcemap: true,
    },
  });
  return output.filter((file) => file.type === 'chunk');
};

/**
 * Tools find the project by their own location, so a script that keeps its package imports imports them in place too.
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
 * Bundlers find workers by the text `new Worker(new URL('./x.js', import.meta.url), …)`, and not all of them accept the template
 * literals that the minifier turns its strings into. The length stays the same, so the source map stays valid.
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
