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
 * Bundles one entry into `dir`, as ESM for ES2022. Dynamic imports stay in the file, or become chunks next to it (which two bundles in a
 * folder must not name alike), or parts of it.
 * @param {{ name: string, file: string, dir: string, platform: 'browser' | 'node', minify?: boolean, packages?: 'bundle' | 'leave', plugins?: import('rolldown').Plugin[], define?: Record<string, string>, external?: string[], split?: 'chunks' | 'parts' | 'never', shaders?: 'minified' | 'written', sourcemap?: boolean }} options
 *   `platform` 'node' keeps imports of node:* and of webgpu, an optional peer dependency; `packages` 'leave' keeps imports of all npm
 *   packages, `external` those of some; `define` replaces names by expressions.
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
    external = [],
    split = 'never',
    shaders = 'minified',
    sourcemap = true,
  } = options;
  const { output } = await build({
    cwd: ROOT,
    input: { [name]: file },
    platform,
    external: [...external, ...(platform === 'node' ? NODE_ONLY : []), ...(packages === 'leave' ? [PACKAGE] : [])],
    // Code shared by entry and chunk stays in the entry, to save a third file.
    preserveEntrySignatures: 'allow-extension',
    plugins: [
      wgsl(shaders === 'minified'),
      quotedUrls,
      ...(split === 'parts' ? [parts(name)] : []),
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
      chunkFileNames: split === 'parts' ? `${name}-[name].js` : '[name].js',
      ...(split === 'never' && { codeSplitting: false }),
      // Whatever the entry needs by itself is in its file, so that parts import nothing else.
      ...(split === 'parts' && {
        codeSplitting: { groups: [{ name: 'core', tags: ['$initial'] }], includeDependenciesRecursively: false },
      }),
      minify,
      sourcemap,
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
    filter: { id: /^\.\.?\/.*\.mjs$/ },
    handler(id, importer) {
      const file = resolve(dirname(importer ?? ROOT), id);
      return dirname(file) === resolve(ROOT, 'tools') ? { id: file, external: 'absolute' } : undefined;
    },
  },
};

/**
 * Bundlers find workers and other files by the text `new URL('./x.js', import.meta.url)`, and not all of them accept the template literals
 * that the minifier turns its strings into. The length stays the same, so the source map stays valid.
 * @type {import('rolldown').Plugin}
 */
const quotedUrls = {
  name: 'quoted-urls',
  generateBundle: (_options, files) => {
    for (const file of Object.values(files)) {
      if (file.type !== 'chunk') continue;
      const quoted = (/** @type {string} */ text) => text.replaceAll('`', "'");
      file.code = file.code
        .replace(/new (?:Shared)?Worker\(new URL\([^()]*\),\{[^{}]*\}\)/g, quoted)
        .replace(/new URL\(`[^`$]*`,import\.meta\.url\)/g, quoted);
    }
  },
};

/** Imports a part, which always has exports unless a bundler took them; the page turns the error's name into its WorkerError. */
const PART = `function __part(n){const u=globalThis.modernbertParts[n];return import(/* webpackIgnore: true *//* @vite-ignore */u).then(m=>{if(Object.keys(m).length)return m;throw Error("it has no exports")}).catch(cause=>{throw Object.assign(Error("A part of the library could not be loaded: "+u+" ("+cause.message+"). Serve it with the library's other files, as it is, and allow it in the content security policy (script-src); or import modernbert-webgpu/inline.",{cause}),{name:"WorkerError"})})}`;

/**
 * The chunks of a worker as parts, which work in every bundler: many of them, such as Vite before 8, cannot split a worker, but all leave a
 * file alone that `new URL('./x.js', import.meta.url)` names. The page names the parts and tells the worker where they are
 * (globalThis.modernbertParts); a part takes what it needs of the worker from globalThis.modernbertCore, and other parts from __part, not by
 * imports, because the files may have other names by then. Replaced code is padded, so that source maps stay valid.
 * @param {string} entry
 * @returns {import('rolldown').Plugin}
 */
const parts = (entry) => ({
  name: 'parts',
  generateBundle: (_options, files) => {
    const padded = (/** @type {string} */ from, /** @type {string} */ to) => to.padEnd(from.length);
    const renamed = (/** @type {string} */ names) => names.replace(/([\w$]+) as ([\w$]+)/g, '$1:$2');
    for (const file of Object.values(files)) {
      if (file.type !== 'chunk') continue;
      file.code = file.code.replace(/import\((["'`])\.\/[\w-]+?-([\w-]+)\.js\1\)/g, (text, _quote, part) =>
        padded(text, `__part("${part}")`),
      );
      if (file.isEntry) {
        file.code = file.code.replace(/export\{([^{}]*)\};?/, (_text, /** @type {string} */ names) => {
          const kept = names.replace(/([\w$]+)(?: as ([\w$]+))?/g, (_all, own, other = own) => `${other}:${own}`);
          return `globalThis.modernbertCore={${kept}};globalThis.__part=__part;${PART}`;
        });
      } else {
        const own = new RegExp(`import\\{([^{}]*)\\}from(["'\`])\\./${entry}\\.js\\2;?`);
        file.code = file.code.replace(own, (text, names) => padded(text, `const{${renamed(names)}}=modernbertCore;`));
      }
      const left = /(?:^|[;}])(?:import\s*[{*"'`]|export\s*\{)|\bimport\(["'`]/.exec(
        file.isEntry ? file.code : file.code.replace(/export\{[^{}]*\};?/, ''),
      );
      if (left) throw new Error(`${file.fileName} imports or exports what a part of ${entry} cannot: ${left[0]}.`);
    }
  },
});
