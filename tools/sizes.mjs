// How much a page has to fetch, compressed as hosts send it, and its limits.
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { brotliCompressSync, gzipSync } from 'node:zlib';

/** Limits in bytes after Brotli: the library in a page, and the demo's JavaScript until its first answer. */
const LIMITS = { library: 60 * 1024, firstAnswer: 150 * 1024 };
/** The library's files that every page fetches; the worker fetches its parts when they are needed. */
const PAGE = ['index.js', 'worker.js'];
/** Those that the first load on a device and filling a mask fetch. */
const FIRST_ANSWER = ['http', 'every-load', 'first-load', 'more-calls'];

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
 * Size of the scripts in the demo's HTML, of the library's worker, which they start, and of its parts that the first answer waits for.
 * @param {string} folder
 * @returns {Promise<Size>}
 */
export const firstAnswerSize = async (folder) => {
  /** @type {Map<string, string>} */
  const codes = new Map();
  /** Adds a script and what it imports. Dynamic imports wait. */
  const add = async (/** @type {string} */ name) => {
    if (codes.has(name)) return;
    const code = await readFile(join(folder, 'assets', name), 'utf8');
    codes.set(name, code);
    for (const [, imported] of code.matchAll(/(?:from|^import|;import)["'`]\.\/([\w-]+\.js)["'`]/g))
      await add(imported);
  };
  const html = await readFile(join(folder, 'index.html'), 'utf8');
  for (const [, name] of html.matchAll(/(?:src|href)="\.\/assets\/([^"]+\.js)"/g)) await add(name);
  const workers = new Set([...codes.values()].join('\n').match(/worker-[\w-]{8}\.js/g));
  const [worker] = workers;
  if (workers.size !== 1) {
    throw new Error(
      `The demo's page must start one worker, but its scripts name ${[...workers].join(', ') || 'none'}.`,
    );
  }
  await add(worker);
  for (const part of FIRST_ANSWER) {
    const [name] = codes.get(worker)?.match(new RegExp(`\\b${part}-[\\w-]{8}\\.js`)) ?? [];
    if (!name) throw new Error(`The demo's worker has no part ${part}.`);
    await add(name);
  }
  return total(
    'demo to first answer',
    [...codes].map(([name, code]) => sizeOf(name, code)),
  );
};

/**
 * Prints the sizes of the library's files and of the demo's scripts. Throws an Error if one exceeds its limit.
 * @param {{ fileName: string, code: string }[]} chunks
 * @param {Size} firstAnswer
 */
export const checkSizes = (chunks, firstAnswer) => {
  const files = chunks.map(({ fileName, code }) => sizeOf(fileName, code));
  const library = total(
    PAGE.join(' + '),
    files.filter(({ name }) => PAGE.includes(name)),
  );
  const limited = /** @type {const} */ ([
    [library, LIMITS.library],
    [firstAnswer, LIMITS.firstAnswer],
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
