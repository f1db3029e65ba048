// Builds the demo's service worker: demo/service-worker.ts with the list of the files that it caches.
import { createHash } from 'node:crypto';
import { readdir, readFile } from 'node:fs/promises';
import { join, relative, resolve, sep } from 'node:path';
import { bundle } from './bundle.mjs';

/** Bytes. Larger files (models, WebAssembly runtimes) and pdf.js's character maps are cached on first use or when the user asks for all. */
const LARGEST = 1_000_000;

/**
 * When the service worker caches a file.
 * @param {string} path relative to the page, with /
 * @param {number} bytes
 */
const keepOf = (path, bytes) => {
  if (/(^|\/)onnx\/|\/ort-|\/peer-worker-|^models\/nano-embed\//.test(path)) return 'used'; // for the race with transformers.js
  if (path.startsWith('models/nano/')) return 'now';
  return bytes > LARGEST || /^(models|samples)\/|\.bcmap$/.test(path) ? 'asked' : 'now';
};

/**
 * The files of the built page, except source maps, texts about it and the service worker itself.
 * @param {string} folder
 */
const pageFiles = async (folder) => {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  const paths = entries
    .filter((entry) => entry.isFile())
    .map((entry) => relative(folder, join(entry.parentPath, entry.name)).split(sep).join('/'))
    .filter((path) => !/\.(map|md)$|^THIRD-PARTY-LICENSES|\/LICENSE$/.test(path) && path !== 'service-worker.js')
    .sort();
  return Promise.all(
    paths.map(async (path) => {
      const content = await readFile(join(folder, path));
      const hash = createHash('sha256').update(content).digest('hex').slice(0, 16);
      return { path, hash, bytes: content.length, keep: keepOf(path, content.length) };
    }),
  );
};

/**
 * Writes the service worker of the page in `folder`, whose other files must be complete. Its name and place must not change.
 * @param {string} folder
 */
export const writeServiceWorker = async (folder) => {
  const define = { PAGE_FILES: JSON.stringify(await pageFiles(folder)) };
  const file = 'demo/service-worker.ts';
  await bundle({ name: 'service-worker', file, dir: folder, platform: 'browser', minify: true, define });
};

/**
 * Plugin for Vite's build.
 * @returns {import('vite').Plugin}
 */
export const offlinePage = () => {
  let folder = '';
  return {
    name: 'offline-page',
    apply: 'build',
    configResolved: (config) => {
      folder = resolve(config.root, config.build.outDir);
    },
    closeBundle: () => writeServiceWorker(folder),
  };
};
