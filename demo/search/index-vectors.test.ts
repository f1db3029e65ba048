import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { readIndex } from './index-vectors';

const sample = new Blob([readFileSync(new URL('../../public/samples/moby-dick.safetensors', import.meta.url))]);

it('reads the vector and the place of every passage of an exported index', async () => {
  const { vectors, passages } = await readIndex(sample, 20_000);
  expect([vectors.rows, vectors.dim, vectors.data.length]).toEqual([2784, 256, 2784 * 256]);
  expect(vectors.data).toBeInstanceOf(Int8Array);
  expect(passages).toHaveLength(2784);
  const { text, metadata, passage } = passages[0];
  expect(metadata.file).toBe('Moby-Dick');
  expect(text.slice(passage.start, passage.end)).toMatch(/^ETYMOLOGY/);
});

it('takes some evenly where there are too many, each with its own vector', async () => {
  const all = await readIndex(sample, 20_000);
  const some = await readIndex(sample, 100);
  expect(some.vectors.rows).toBe(100);
  expect(some.passages[50]).toEqual(all.passages[1392]);
  expect(some.vectors.data.subarray(50 * 256, 51 * 256)).toEqual(all.vectors.data.subarray(1392 * 256, 1393 * 256));
});
