// What an embedding model loses by q8 and q4: node tools/run.mjs training/eval/dtypes.ts FOLDER [--out FILE.json]
// Each dtype retrieves over the held-out pairs, and its vectors are compared with those of f32. Activations are f32, so that only the weights
// differ. Takes 12 minutes of CPU time on lavapipe for a model of all-MiniLM-L6-v2's size.
import { readFileSync, writeFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import type { Dtype, Embeddings } from '../../src/node';
import { loadModel } from '../../src/node';
import { retrieved } from './measure';

const DTYPES: Dtype[] = ['f32', 'q8', 'q4'];

const pairs: { query: string; passage: string }[] = JSON.parse(
  readFileSync('training/eval/held-out.json', 'utf8'),
).pairs;

function dot(a: Float32Array, b: Float32Array): number {
  let sum = 0;
  for (let i = 0; i < a.length; i++) sum += a[i] * b[i];
  return sum;
}

/** The rank of every query's own passage among all passages, from 0. */
function ranks(queries: Embeddings, passages: Embeddings): number[] {
  return pairs.map((_, q) => {
    const cosines = pairs.map((_, p) => dot(queries.row(q), passages.row(p)));
    return cosines.filter((cosine) => cosine > cosines[q]).length;
  });
}

async function embedPairs(folder: string, dtype: Dtype) {
  const model = await loadModel(folder, { dtype, arithmetic: 'f32' });
  const options = { truncate: true, normalize: true };
  const queries = await model.embed(
    pairs.map(({ query }) => query),
    { ...options, kind: 'query' },
  );
  const passages = await model.embed(
    pairs.map(({ passage }) => passage),
    { ...options, kind: 'document' },
  );
  await model.dispose();
  return [queries, passages];
}

async function evaluate(folder: string) {
  const found: Record<string, unknown> = {};
  let exact: Embeddings[] | undefined;
  for (const dtype of DTYPES) {
    const made = await embedPairs(folder, dtype);
    exact ??= made;
    const cosines = exact.flatMap((of, i) => pairs.map((_, row) => dot(of.row(row), made[i].row(row))));
    const places = ranks(made[0], made[1]);
    found[dtype] = {
      ...retrieved(places),
      mrr: places.reduce((sum, rank) => sum + 1 / (rank + 1), 0) / places.length,
      cosine: { mean: cosines.reduce((sum, cosine) => sum + cosine, 0) / cosines.length, least: Math.min(...cosines) },
    };
    console.log(dtype, found[dtype]);
  }
  return found;
}

async function main(): Promise<void> {
  const { values, positionals } = parseArgs({ options: { out: { type: 'string' } }, allowPositionals: true });
  if (positionals.length !== 1) throw new RangeError('Expected exactly one argument: the folder of a model.');
  const rounded = (_: string, value: unknown) =>
    typeof value === 'number' && !Number.isInteger(value) ? Number(value.toFixed(5)) : value;
  const report = `${JSON.stringify(await evaluate(positionals[0]), rounded, 1)}\n`;
  if (values.out) writeFileSync(values.out, report);
}

main().then(
  () => process.exit(0), // Dawn's threads would keep the process alive.
  (error: unknown) => {
    console.error(error);
    process.exit(1);
  },
);
