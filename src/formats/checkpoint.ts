import { ModelFileError } from '../api/errors';
import type { ModelFile, ModelFiles } from './model-files';
import { missingFile, type ReadOptions, readJson } from './read';

const WEIGHTS = 'model.safetensors';
const WEIGHTS_INDEX = 'model.safetensors.index.json';

/** The files that hold a checkpoint's weights: one, or the shards that its index names. */
export interface CheckpointFiles {
  names: string[];
  /** Tensor name → file, where there is an index. */
  weightMap?: Map<string, string>;
  /** Opens one of `names`. Looking for the files has begun to fetch model.safetensors; the first `open` goes on with that. */
  open(name: string, signal?: AbortSignal): Promise<ModelFile>;
}

/** Throws a ModelFileError where there are no weights, or the index is broken. */
export async function listCheckpointFiles(files: ModelFiles, options: ReadOptions = {}): Promise<CheckpointFiles> {
  let single = await files.open(WEIGHTS, options.signal);
  const open = async (name: string, signal?: AbortSignal): Promise<ModelFile> => {
    const file = (name === WEIGHTS && single) || (await files.open(name, signal));
    single = undefined;
    if (!file) throw missingFile(files, name);
    return file;
  };
  if (single) return { names: [WEIGHTS], open };

  const index = await readJson(files, WEIGHTS_INDEX, { ...options, required: false });
  if (index === undefined) throw await noWeights(files, options.signal);
  const weightMap = parseWeightMap(index, files.where);
  return { names: [...new Set(weightMap.values())], weightMap, open };
}

function parseWeightMap(index: unknown, where: string): Map<string, string> {
  const fail = (what: string) => new ModelFileError(`${WEIGHTS_INDEX} in ${where} is invalid: ${what}.`);
  const map = typeof index === 'object' && index !== null && 'weight_map' in index ? index.weight_map : undefined;
  if (typeof map !== 'object' || map === null || Array.isArray(map)) throw fail('weight_map is not an object');
  const entries = Object.entries(map).map(([tensor, file]: [string, unknown]): [string, string] => {
    if (typeof file !== 'string') throw fail(`weight_map names ${JSON.stringify(file)} for ${tensor}, not a file`);
    if (!isRelativeName(file))
      throw fail(`weight_map names ${JSON.stringify(file)} for ${tensor}, outside of the checkpoint`);
    return [tensor, file];
  });
  if (entries.length === 0) throw fail('weight_map is empty');
  return new Map(entries);
}

/** A file name below the checkpoint's folder: no absolute path, no URL, no way up. */
const isRelativeName = (name: string): boolean =>
  !/[\\:]/.test(name) && name.split('/').every((part) => part !== '' && part !== '.' && part !== '..');

async function noWeights(files: ModelFiles, signal?: AbortSignal): Promise<ModelFileError> {
  const why = [WEIGHTS, WEIGHTS_INDEX].map((name) => files.whyMissing?.(name)).find((reason) => reason !== undefined);
  const other = await files.open('pytorch_model.bin', signal).catch(() => undefined);
  other?.stream.cancel().catch(() => {});
  return new ModelFileError(
    `There are no weights in ${files.where}: neither ${WEIGHTS} nor ${WEIGHTS_INDEX}${why ? ` (${why})` : ''}.` +
      (other ? ' It has pytorch_model.bin, but only safetensors files are read: convert it first.' : ''),
  );
}
