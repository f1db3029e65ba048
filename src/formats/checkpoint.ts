import { ModelFileError } from '../api/errors';
import { isObject, wrongField } from './json-fields';
import { isFileName, type ModelFile, type ModelFiles } from './model-files';
import { missingFile, openOptional, type ReadOptions, readJson } from './read';

const WEIGHTS = 'model.safetensors';
const WEIGHTS_INDEX = 'model.safetensors.index.json';

/** In place of config.json, in GLiNER's folders. */
export const GLINER_CONFIG = 'gliner_config.json';

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
  const error = (more: string) =>
    new ModelFileError(
      `There are no weights in ${files.where}: neither ${WEIGHTS} nor ${WEIGHTS_INDEX}${why ? ` (${why})` : ''}.${more}`,
    );
  const isThere = async (name: string) => {
    const file = await files.open(name, signal).catch(() => undefined);
    await file?.stream.cancel().catch(() => {});
    return file !== undefined;
  };
  for (const name of ['pytorch_model.bin', 'pytorch_model.bin.index.json']) {
    if (await isThere(name))
      return error(
        ` There is ${name}, and only safetensors files are supported. ${wayOut(files, await isThere(GLINER_CONFIG))}`,
      );
  }
  const isAdapter = await isThere('adapter_config.json');
  return error(isAdapter ? ' It is a LoRA adapter: load its base, with this folder as the option adapter.' : '');
}

/** How to come by safetensors files. */
function wayOut({ identity }: ModelFiles, isGliner: boolean): string {
  const isOnHub = identity?.revision !== undefined;
  const source = isOnHub ? identity.source : 'folder';
  const convert = isGliner
    ? `in Python: from gliner import GLiNER; GLiNER.from_pretrained('${source}').save_pretrained('new-folder', safe_serialization=True)`
    : `in Python: from transformers import AutoModelForMaskedLM as Model; Model.from_pretrained('${source}').save_pretrained('new-folder') ` +
      "(of a head's class: the one that config.json names)";
  if (!isOnHub) return `Convert it ${convert}.`;
  return (
    `Often a pull request of its repository has them, in a revision of its own: load it with revision 'refs/pr/N', N being the number that ` +
    `${identity.hubUrl ?? 'https://huggingface.co'}/${source}/discussions shows. https://huggingface.co/spaces/safetensors/convert opens such a request. Or convert it ${convert}.`
  );
}
