// Part of `npm run docs`: the table of sizes in README.md, from a build. A test checks that it is current.
import { readFileSync, writeFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { brotliCompressSync } from 'node:zlib';
import { ROOT } from './bundle.mjs';
import { bundleLibrary } from './library.mjs';

/** What is fetched, and the files; names of parts are those without `worker-`. */
const ROWS = /** @type {[string, string[]][]} */ ([
  ['`modernbert-webgpu`: page and worker', ['index', 'worker']],
  ['… each load: tokenizer, sentence-transformers’ files', ['worker-every-load']],
  ['… a download, and the first load on a device: self-check and tuning', ['worker-http', 'worker-first-load']],
  ['… the architecture: ModernBERT', ['worker-modernbert']],
  ['… or all others together', ['worker-more-families']],
  ['… calls beside embed and classify', ['worker-more-calls']],
  ['`/inline`, with the worker and all its parts', ['index', 'inline']],
  ['`/thread`, without a worker', ['thread']],
  ['`/search`; and from 10,000 passages on, where there is a GPU', ['search', '+', 'search-gpu']],
  ['`/classifier`', ['classifier']],
  ['`/transformers`', ['transformers']],
  ['`/shared`', ['shared', 'shared-worker']],
  ['`/progress`', ['progress']],
  ['`/ai-sdk`', ['ai-sdk']],
  ['`/langchain`', ['langchain']],
  ['`/fallback`; and where there is no WebGPU, besides transformers.js', ['fallback', '+', 'fallback-open']],
]);
const START = '<!-- Written by `npm run docs`. -->\n';
const END = '<!-- End of the sizes. -->\n';

/** @param {number} bytes */
const kb = (bytes) => (bytes < 10_000 ? (bytes / 1000).toFixed(1) : String(Math.round(bytes / 1000)));

/**
 * README.md with the sizes of these files.
 * @param {string} readme
 * @param {{ fileName: string, code: string }[]} chunks of the library
 */
export const withSizes = (readme, chunks) => {
  const sizeOf = (/** @type {string[]} */ names) =>
    names
      .map((name) => {
        const chunk = chunks.find(({ fileName }) => fileName === `${name}.js`);
        if (!chunk) throw new Error(`tools/size-docs.mjs: the library has no ${name}.js.`);
        return brotliCompressSync(chunk.code).length;
      })
      .reduce((a, b) => a + b, 0);
  const cells = (/** @type {string[]} */ names) => {
    const plus = names.indexOf('+');
    if (plus < 0) return kb(sizeOf(names));
    return `${kb(sizeOf(names.slice(0, plus)))}; ${kb(sizeOf(names.slice(plus + 1)))}`;
  };
  const table = [
    '| KB after Brotli | |',
    '| --- | ---: |',
    ...ROWS.map(([name, files]) => `| ${name} | ${cells(files)} |`),
  ];
  const [before, rest] = split(readme, START);
  const [, after] = split(rest, END);
  return `${before}${START}\n${table.join('\n')}\n\n${END}${after}`;
};

/**
 * @param {string} text
 * @param {string} mark
 */
const split = (text, mark) => {
  const parts = text.split(mark);
  if (parts.length !== 2) throw new Error(`README.md must have one line ${mark.trim()}.`);
  return parts;
};

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const folder = await mkdtemp(join(tmpdir(), 'sizes-'));
  const path = join(ROOT, 'README.md');
  writeFileSync(path, withSizes(readFileSync(path, 'utf8'), await bundleLibrary(folder)));
  await rm(folder, { recursive: true });
}
