// Embeds texts with the library, for training/evaluate.py: node tools/run.mjs training/eval/vectors.ts FOLDER DTYPE TEXTS.json OUT.f32
// OUT.f32: the vectors one after the other, little-endian, in the order of the texts.
import { readFileSync, writeFileSync } from 'node:fs';
import { argv } from 'node:process';
import type { Dtype } from '../../src/api/types';
import { loadModel } from '../../src/node';

async function main(): Promise<void> {
  const [folder, dtype, textsFile, out] = argv.slice(2);
  // Only f32 computes in f32 too: the others do what a user's load does.
  const model = await loadModel(folder, dtype === 'f32' ? { dtype, arithmetic: 'f32' } : { dtype: dtype as Dtype });
  const { data } = await model.embed(JSON.parse(readFileSync(textsFile, 'utf8')) as string[]);
  writeFileSync(out, new Uint8Array(data.buffer, data.byteOffset, data.byteLength));
  await model.dispose();
}

main().then(
  () => process.exit(0), // Dawn's threads would keep the process alive.
  (error: unknown) => {
    console.error(error);
    process.exit(1);
  },
);
