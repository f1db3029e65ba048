// The book that comes with the demo, which tests and measurements use too.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { ROOT } from './bundle.mjs';

/** The index that comes with the demo. */
export const SAMPLE = join(ROOT, 'public/samples/moby-dick.safetensors');

/**
 * Its documents, a chapter each.
 * @returns {import('../src/search').IndexDocument[]}
 */
export function sampleDocuments(path = SAMPLE) {
  const file = readFileSync(path);
  const begin = 8 + Number(file.readBigUInt64LE(0));
  const header = JSON.parse(file.toString('utf8', 8, begin));
  const [from, to] = header.documents.data_offsets;
  const lines = file
    .toString('utf8', begin + from, begin + to)
    .trimEnd()
    .split('\n');
  return lines.map((line) => {
    const { id, text, metadata } = JSON.parse(line);
    return { id, text, metadata };
  });
}
