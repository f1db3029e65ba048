import { ModelFileError } from '../api/errors';
import { isObject } from './json-fields';
import type { ModelFile, ModelFiles } from './model-files';
import { missingFile, type ReadOptions, readJson } from './read';

const WEIGHTS = 'model.safetensors';
const WEIGHTS_INDEX = 'model.safetensors.index.json';

/** The files that hold a checkpoint's weights: one file, or the shards that its index names. */
interface CheckpointFiles {
  names: string[];
  /** Tensor name → file, if there is an index. */
  weightMap?: Map<string, string>;
  /** Opens one of `names`. Listing the files has already opened model.safetensors; the first `open` of it returns that. */
  open(name: string, signal?: AbortSignal): Promise<ModelFile>;
}

/** Throws a ModelFileError if there are no weights or the index is broken. */
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
  const map = isObject(index) ? index.weight_map : undefined;
  if (!isObject(map)) throw fail('weight_map is not an object');
  const entries = Object.entries(map).map(([tensor, file]): [string, string] => {
    if (typeof file !== 'string') throw fail(`weight_map names ${JSON.stringify(file)} for ${tensor}, not a file`);
    if (!isRelativeName(file))
      throw fail(`weight_map names ${JSON.stringify(file)} for ${tensor}, outside the checkpoint`);
    return [tensor, file];
  });
  if (entries.length === 0) throw fail('weight_map is empty');
  return new Map(entries);
}

/** Whether a file name stays below the checkpoint's folder: no absolute path, no URL, no '..'. */
const isRelativeName = (name: string): boolean =>
  !/[\\:]/.test(name) && name.split('/').every((part) => part !== '' && part !== '.' && part !== '..');

async function noWeights(files: ModelFiles, signal?: AbortSignal): Promise<ModelFileError> {
  const why = [WEIGHTS, WEIGHTS_INDEX].map((name) => files.whyMissing?.(name)).find((reason) => reason !== undefined);
  const other = await files.open('pytorch_model.bin', signal).catch(() => undefined);
  other?.stream.cancel().catch(() => {});
  return new ModelFileError(
    `There are no weights in ${files.where}: neither ${WEIGHTS} nor ${WEIGHTS_INDEX}${why ? ` (${why})` : ''}.` +
      (other ? ' There is a pytorch_model.bin, but only safetensors files are supported: convert it first.' : ''),
  );
}
