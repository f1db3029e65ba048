import { createHash } from 'node:crypto';
import { existsSync, readFileSync, renameSync, rmSync, statSync } from 'node:fs';
import { basename, join, resolve } from 'node:path';
import type { ModelSource } from '../src/api/types';
import { makeCheckpoint } from '../tools/make-checkpoint.mjs';
import { UsageError } from './usage-error';

/** A checkpoint to measure. `isSmall`: small enough for software adapters to run whole documents. */
export interface BenchModel {
  name: string;
  source: ModelSource;
  isSmall: boolean;
}

const CACHE = 'node_modules/.cache/modernbert-webgpu';
const SPEC = 'bench/shapes/base.json';
const SMALL_BYTES = 64 << 20;

/** The project's own models with these names (default both), or those in `folders`. Throws a UsageError for a folder without a checkpoint. */
export function benchModels(names: string[] | undefined, folders: string[] | undefined): BenchModel[] {
  if (folders) return folders.map(fromFolder);
  return (names ?? ['nano', 'base']).map((name) =>
    name === 'nano' ? { ...fromFolder('public/models/nano'), name } : { name, source: baseFolder(), isSmall: false },
  );
}

function fromFolder(path: string): BenchModel {
  const folder = resolve(path);
  if (!existsSync(join(folder, 'config.json'))) {
    throw new UsageError(`--model: ${path} has no config.json; expected a folder with a checkpoint.`);
  }
  const weights = join(folder, 'model.safetensors');
  const isSmall = existsSync(weights) && statSync(weights).size < SMALL_BYTES;
  return { name: basename(folder), source: folder, isSmall };
}

/** Folder of a checkpoint of ModernBERT-base's shape with random f16 weights, generated on first use. */
function baseFolder(): string {
  const text = readFileSync(SPEC, 'utf8');
  const folder = resolve(CACHE, `base-f16-${createHash('sha256').update(text).digest('hex').slice(0, 12)}`);
  if (existsSync(folder)) return folder;
  console.error(`Writing a checkpoint of ModernBERT-base's shape to ${CACHE} (first use only) …`);
  const unfinished = `${folder}.${process.pid}`;
  try {
    makeCheckpoint(JSON.parse(text), unfinished, 'F16');
    renameSync(unfinished, folder);
  } finally {
    rmSync(unfinished, { recursive: true, force: true });
  }
  return folder;
}
