// How much a page has to fetch, compressed as hosts send it, and its limits.
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { brotliCompressSync, gzipSync } from 'node:zlib';

/** Limits in bytes after Brotli: the library in a page, and the demo's JavaScript before its first answer. */
const LIMITS = { library: 60 * 1024, firstPaint: 150 * 1024 };
/** The library's files that every page fetches; the worker fetches its parts when they are needed. */
const PAGE = ['index.js', 'worker.js'];

/**
 * @typedef {{ name: string, raw: number, gzip: number, brotli: number }} Size
 * @param {string} name
 * @param {string} code
 * @returns {Size}
 */
const sizeOf = (name, code) => {
  const bytes = Buffer.from(code);
  return {
    name,
    raw: bytes.length,
    gzip: gzipSync(bytes, { level: 9 }).length,
    brotli: brotliCompressSync(bytes).length,
  };
};

/**
 * @param {string} name
 * @param {Size[]} sizes
 * @returns {Size}
 */
const total = (name, sizes) => {
  const sum = (/** @type {'raw' | 'gzip' | 'brotli'} */ key) => sizes.reduce((all, size) => all + size[key], 0);
  return { name, raw: sum('raw'), gzip: sum('gzip'), brotli: sum('brotli') };
};

/**
 * Size of the scripts in the demo's HTML and of the library's worker, which they start.
 * @param {string} folder
 * @returns {Promise<Size>}
 */
export const firstPaintSize = async (folder) => {
  const html = await readFile(join(folder, 'index.html'), 'utf8');
  const named = [...html.matchAll(/(?:src|href)="\.\/(assets\/[^"]+\.js)"/g)].map(([, path]) => path);
  const codes = new Map();
  for (const path of named) codes.set(path, await readFile(join(folder, path), 'utf8'));
  const workers = new Set([...codes.values()].join('\n').match(/worker-[\w-]{8}\.js/g));
  if (workers.size !== 1) {
    throw new Error(
      `The demo's page must start one worker, but its scripts name ${[...workers].join(', ') || 'none'}.`,
    );
  }
  for (const name of workers) codes.set(name, await readFile(join(folder, 'assets', name), 'utf8'));
  return total(
    "demo's first paint",
    [...codes].map(([name, code]) => sizeOf(name, code)),
  );
};

/**
 * Prints the sizes of the library's files and of the demo's first paint. Throws an Error if one exceeds its limit.
 * @param {{ fileName: string, code: string }[]} chunks
 * @param {Size} firstPaint
 */
export const checkSizes = (chunks, firstPaint) => {
  const files = chunks.map(({ fileName, code }) => sizeOf(fileName, code));
  const library = total(
    PAGE.join(' + '),
    files.filter(({ name }) => PAGE.includes(name)),
  );
  const limited = /** @type {const} */ ([
    [library, LIMITS.library],
    [firstPaint, LIMITS.firstPaint],
  ]);
  const print = (/** @type {unknown[]} */ [name, ...cells]) =>
    console.log(String(name).padEnd(20) + cells.map((cell) => String(cell).padStart(10)).join(''));
  print(['bytes', 'raw', 'gzip', 'brotli', 'at most']);
  for (const size of files) print(Object.values(size));
  for (const [size, limit] of limited) print([...Object.values(size), limit]);
  for (const [{ name, brotli }, limit] of limited) {
    if (brotli > limit)
      throw new Error(`${name}: ${brotli} bytes compressed exceed the limit of ${limit} by ${brotli - limit}.`);
  }
};
