/**
 * Times and memory of an index's searches (modernbert-webgpu/search) on the CPU: on random unit vectors, and on passages of the demo's sample.
 * node tools/run.mjs bench/search-index.ts [dim]
 */
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import type { Precision } from '../src/api/embeddings';
import { nearest } from '../src/search/nearest';
import { VectorTable } from '../src/search/vector-table';
import { wordIndex } from '../src/search/words';
import { sampleDocuments } from '../tools/sample.mjs';

const dim = Number(process.argv[2] ?? 384);
const TIMES = 21;

function unitRow(): Float32Array {
  const row = Float32Array.from({ length: dim }, () => Math.random() - 0.5);
  const length = Math.hypot(...row);
  return row.map((x) => x / length);
}

const int8 = (row: Float32Array): Int8Array => {
  const most = row.reduce((largest, x) => Math.max(largest, Math.abs(x)), 0);
  return Int8Array.from(row, (x) => Math.round((127 * x) / most));
};

console.log(
  `Vectors of ${dim} numbers, the best 10, Node ${process.version}. Milliseconds of ${TIMES} searches: the fastest, and the mean of the processor's time, which other processes do not lengthen.`,
);
for (const count of [1_000, 10_000, 50_000, 200_000]) {
  // Rows that repeat are as much work as others.
  const rows = Array.from({ length: 1000 }, unitRow);
  for (const precision of ['float32', 'int8', 'binary'] as Precision[]) {
    const table = new VectorTable(precision, dim);
    table.reserve(count);
    const kept = precision === 'float32' ? rows : rows.map(int8);
    for (let row = 0; row < count; row++) table.push(kept[row % kept.length]);
    const bytes = table.data.byteLength + table.scales.byteLength + table.bits.byteLength;
    const queries = Array.from({ length: TIMES }, unitRow).map((row) => (precision === 'float32' ? row : int8(row)));
    for (const query of queries.slice(0, 3)) nearest(query, table, 10); // compiles it
    const before = process.cpuUsage();
    const times = queries.map((query) => {
      const start = performance.now();
      nearest(query, table, 10);
      return performance.now() - start;
    });
    const { user, system } = process.cpuUsage(before);
    const [least, mean] = [Math.min(...times), (user + system) / 1000 / TIMES].map((ms) => ms.toFixed(1).padStart(7));
    console.log(
      `${String(count).padStart(7)} ${precision.padEnd(8)}${least}${mean} ms ${(bytes / 1e6).toFixed(1).padStart(7)} MB`,
    );
  }
}

setFlagsFromString('--expose-gc');
const collect: () => void = runInNewContext('gc');
const heapUsed = () => {
  collect();
  return process.memoryUsage().heapUsed;
};

const WORDS = 85; // about 128 tokens
const QUERIES = ['white whale', 'the captain of the ship and his wooden leg', 'where do whales sleep', 'th'];
const all = sampleDocuments().flatMap(({ text }) => text.split(/\s+/));
console.log(`\nWords: passages of ${WORDS} words. Processor time to make the index, its memory, and that of a search.`);
for (const count of [1_000, 10_000, 50_000]) {
  const passages = Array.from({ length: count }, (_, i) => {
    const at = (i * 37) % (all.length - WORDS);
    return { text: all.slice(at, at + WORDS).join(' ') };
  });
  const heap = heapUsed();
  const index = wordIndex<{ text: string }>(({ text }) => text, {});
  const time = (work: () => void) => {
    const before = process.cpuUsage();
    work();
    const { user, system } = process.cpuUsage(before);
    return (user + system) / 1000;
  };
  const made = time(() => {
    for (const passage of passages) index.add(passage);
  });
  const memory = (heapUsed() - heap) / 1e6;
  const searches = QUERIES.map((query) => {
    index.search(query);
    return `${query}: ${time(() => index.search(query)).toFixed(1)} ms`;
  });
  console.log(
    `${String(count).padStart(7)} made in ${made.toFixed(0)} ms, ${memory.toFixed(1)} MB; ${searches.join('; ')}`,
  );
}
