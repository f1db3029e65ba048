// The built page's service worker: demo/service-worker.ts with a list of the files that it keeps.
import { createHash } from 'node:crypto';
import { readdir, readFile } from 'node:fs/promises';
import { join, relative, resolve, sep } from 'node:path';
import { bundle } from './bundle.mjs';

/** Larger files (databases, WebAssembly runtimes) and pdf.js's character maps are kept when the user asks for all, or with their first use. */
const LARGEST = 1_000_000;

/**
 * When a file is kept. `path` is relative to the page, with /.
 * @param {string} path
 * @param {number} bytes
 */
const keepOf = (path, bytes) => {
  if (/(^|\/)onnx\/|\/ort-|\/peer-worker-/.test(path)) return 'used'; // for the race with transformers.js
  if (path.startsWith('models/nano/')) return 'now';
  return bytes > LARGEST || /^(models|samples)\/|\.bcmap$/.test(path) ? 'asked' : 'now';
};

/**
 * The files of the built page, but source maps and the service worker itself.
 * @param {string} folder
 */
const pageFiles = async (folder) => {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  const paths = entries
    .filter((entry) => entry.isFile())
    .map((entry) => relative(folder, join(entry.parentPath, entry.name)).split(sep).join('/'))
    .filter((path) => !/\.(map|md)$/.test(path) && path !== 'service-worker.js')
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
 * Writes the service worker of the page in `folder`, once all else is there. It must keep its name and lie beside the page.
 * @param {string} folder
 */
export const writeServiceWorker = async (folder) => {
  const define = { PAGE_FILES: JSON.stringify(await pageFiles(folder)) };
  const file = 'demo/service-worker.ts';
  await bundle({ name: 'service-worker', file, dir: folder, platform: 'browser', minify: true, define });
};

/**
 * A plugin for Vite's build.
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
