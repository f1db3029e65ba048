// Writes a ModernBERT checkpoint with reproducible pseudo-random weights (random-checkpoint.mjs): config.json and model.safetensors.
//
//   node tools/make-checkpoint.mjs SPEC.json OUT_DIR [--dtype F32|F16|BF16]
//
// SPEC.json: { "seed": 1, "task": "mlm" | "seqcls" | "tokcls" | "encoder", "config": { … }, "build"?: { … } }. `build` has fields of
// the config that only this script reads.
import { closeSync, mkdirSync, openSync, readFileSync, writeFileSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { randomCheckpoint } from './random-checkpoint.mjs';

/**
 * Writes config.json and model.safetensors into `dir`.
 * @param {import('./random-checkpoint.mjs').Spec} spec
 * @param {string} dir
 * @param {import('./random-checkpoint.mjs').Dtype} dtype
 */
export function makeCheckpoint(spec, dir, dtype = 'F32') {
  const { config, bytes, tensors, parts } = randomCheckpoint(spec, dtype);
  mkdirSync(dir, { recursive: true });
  writeFileSync(join(dir, 'config.json'), config);
  const file = openSync(join(dir, 'model.safetensors'), 'w');
  for (const part of parts()) writeSync(file, part);
  closeSync(file);
  return { bytes, tensors };
}

if (process.argv[1]?.endsWith('make-checkpoint.mjs')) {
  const [spec, dir, flag, dtype = 'F32'] = process.argv.slice(2);
  const isDtype = dtype === 'F32' || dtype === 'F16' || dtype === 'BF16';
  if (!spec || !dir || (flag && flag !== '--dtype') || !isDtype) {
    console.error('usage: make-checkpoint.mjs SPEC.json OUT_DIR [--dtype F32|F16|BF16]');
    process.exit(2);
  }
  console.log(makeCheckpoint(JSON.parse(readFileSync(spec, 'utf8')), dir, dtype));
}
