import { ModelFileError } from '../api/errors';
import { isObject, wrongField } from './json-fields';
import { isFileName, type ModelFile, type ModelFiles } from './model-files';
import { missingFile, openOptional, type ReadOptions, readJson } from './read';

const WEIGHTS = 'model.safetensors';
const WEIGHTS_INDEX = 'model.safetensors.index.json';

/** Whether config.json is of a model of transformers. GLiNER saves none; some repositories have a copy of its gliner_config.json there. */
export const isTransformer = (config: unknown): boolean =>
  config !== undefined && !(isObject(config) && config.span_mode);

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
  let single = await openOptional(files, WEIGHTS, options.signal);
  const open = async (name: string, signal?: AbortSignal): Promise<ModelFile> => {
    const file = (name === WEIGHTS && single) || (await files.open(name, signal));
    single = undefined;
    if (!file) throw missingFile(files, name);
    return file;
  };
  const index = single ? undefined : await readJson(files, WEIGHTS_INDEX, { ...options, required: false });
  // One of the two is required: a broken network must not look like a checkpoint without weights.
  if (index === undefined) single ??= await files.open(WEIGHTS, options.signal);
  if (single) return { names: [WEIGHTS], open };
  if (index === undefined) throw await noWeights(files, options.signal);
  const weightMap = parseWeightMap(index, files.where);
  return { names: [...new Set(weightMap.values())], weightMap, open };
}

function parseWeightMap(index: unknown, where: string): Map<string, string> {
  const wrong = (value: unknown, what: string) => wrongField(`${WEIGHTS_INDEX} in ${where}`, 'weight_map', value, what);
  const map = isObject(index) ? index.weight_map : undefined;
  if (!isObject(map)) throw wrong(map, 'an object of tensor name → file');
  const entries = Object.entries(map).map(([tensor, file]): [string, string] => {
    if (typeof file === 'string' && isFileName(file)) return [tensor, file];
    throw wrong({ [tensor.slice(0, 40)]: file }, 'an object of tensor name → file inside the checkpoint');
  });
  if (entries.length === 0) throw wrong(map, 'an object with at least one tensor');
  return new Map(entries);
}

async function noWeights(files: ModelFiles, signal?: AbortSignal): Promise<ModelFileError> {
  const why = [WEIGHTS, WEIGHTS_INDEX].map((name) => files.whyMissing?.(name)).find((reason) => reason !== undefined);
  const other = await files.open('pytorch_model.bin', signal).catch(() => undefined);
  other?.stream.cancel().catch(() => {});
  return new ModelFileError(
    `There are no weights in ${files.where}: neither ${WEIGHTS} nor ${WEIGHTS_INDEX}${why ? ` (${why})` : ''}.` +
      (other
        ? ' There is a pytorch_model.bin, but only safetensors files are supported: load and save it in Python (save_pretrained with safe_serialization=True).'
        : ''),
  );
}
