import { createHash } from 'node:crypto';
import { existsSync, readFileSync, renameSync, rmSync, statSync } from 'node:fs';
import { basename, join, resolve } from 'node:path';
import type { ModelSource } from '../src/api/types';
import { makeCheckpoint } from '../tools/make-checkpoint.mjs';
import { UsageError } from './usage-error';

/** A checkpoint to measure. `isSmall`: small enough that software adapters get through whole documents. */
export interface BenchModel {
  name: string;
  source: ModelSource;
  isSmall: boolean;
}

const CACHE = 'node_modules/.cache/modernbert-webgpu';
const SPEC = 'bench/shapes/base.json';
const SMALL_BYTES = 64 << 20;

/** `names` of the two that come with the project, or `folders` instead. Throws a UsageError for a folder without checkpoint. */
export function benchModels(names: string[] | undefined, folders: string[] | undefined): BenchModel[] {
  if (folders) return folders.map(fromFolder);
  return (names ?? ['nano', 'base']).map((name) =>
    name === 'nano' ? { ...fromFolder('public/models/nano'), name } : { name, source: baseFolder(), isSmall: false },
  );
}

function fromFolder(path: string): BenchModel {
  const folder = resolve(path);
  if (!existsSync(join(folder, 'config.json'))) {
    throw new UsageError(`--model: ${path} is no folder with a checkpoint, it has no config.json.`);
  }
  const weights = join(folder, 'model.safetensors');
  const isSmall = existsSync(weights) && statSync(weights).size < SMALL_BYTES;
  return { name: basename(folder), source: folder, isSmall };
}

/** A checkpoint of ModernBERT-base's shape with random f16 weights, made once. */
function baseFolder(): string {
  const text = readFileSync(SPEC, 'utf8');
  const folder = resolve(CACHE, `base-f16-${createHash('sha256').update(text).digest('hex').slice(0, 12)}`);
  if (existsSync(folder)) return folder;
  console.error(`Writing a checkpoint of ModernBERT-base's shape into ${CACHE}, once …`);
  const unfinished = `${folder}.${process.pid}`;
  try {
    makeCheckpoint(JSON.parse(text), unfinished, 'F16');
    renameSync(unfinished, folder);
  } finally {
    rmSync(unfinished, { recursive: true, force: true });
  }
  return folder;
}
