/** A LoRA adapter's folder, as peft or sentence-transformers saves it: what it changes of its base. */
import { ModelFileError, UnsupportedModelError } from '../../api/errors';
import { isFloatDtype } from '../../formats/float';
import { isObject, shown } from '../../formats/json-fields';
import { isFileName, type ModelFile, type ModelFiles } from '../../formats/model-files';
import { missingFile, type ReadOptions, readBytes, readJson } from '../../formats/read';
import { type Numbers, readNumbers } from '../../formats/read-numbers';
import type { TensorInfo } from '../../formats/safetensors';
import { type LoraConfig, readLoraConfig } from './lora-config';

export interface Adapter {
  config: LoraConfig;
  /** By the name of the tensor that changes, as the adapter's own model calls it. */
  edits: Map<string, Edit>;
  /** The folder's files besides; undefined for one that it leaves to the base. */
  open: ModelFiles['open'];
  where: string;
  /** Its own folder. */
  files: ModelFiles;
}

/** A tensor of the adapter's file, in f32. `file`: for messages, which one it is, as there may be several. */
export interface Values extends Numbers {
  file: string;
  name: string;
}

/** What becomes of a tensor of the base: `whole` in its place, then `plus` or B · A times `scale` added, then rows of the lengths `lengths`. */
export interface Edit {
  whole?: Values;
  plus?: Values;
  scale: number;
  /** [rank, columns] and [rows, rank]; with `isTable` (of an embedding table) [rank, rows] and [columns, rank]. */
  a?: Values;
  b?: Values;
  isTable?: boolean;
  lengths?: Values;
}

const CONFIG = 'adapter_config.json';
const WEIGHTS = 'adapter_model.safetensors';

/**
 * Reads an adapter, whose files are small, into memory. Throws a ModelFileError for a folder that is no adapter and for broken files, an
 * UnsupportedModelError for another kind of adapter than LoRA.
 */
export async function readAdapter(files: ModelFiles, options: ReadOptions): Promise<Adapter> {
  const json = await readJson(files, CONFIG, options);
  if (json === undefined) {
    throw new ModelFileError(
      `${missingFile(files, CONFIG).message} An adapter is a folder with adapter_config.json and ${WEIGHTS}, as peft saves it.`,
    );
  }
  const config = readLoraConfig(json, `${CONFIG} in ${files.where}`);
  const weights = `${WEIGHTS} in ${files.where}`;
  const kept = await readOtherFiles(files, options);
  const file = await files.open(WEIGHTS, options.signal);
  if (!file) throw await noWeights(files, options.signal);
  return {
    config,
    edits: editsOf(await readValues(files.keep?.(file) ?? file, weights, options), weights, config),
    where: files.where,
    files,
    async open(name, signal, isOptional) {
      if (isOfTokenizer(name) ? !kept.get('tokenizer.json') : !kept.get('modules.json')) return undefined;
      return kept.has(name) ? openIn(kept)(name) : files.open(name, signal, isOptional);
    },
  };
}

const isOfTokenizer = (name: string): boolean => /^(tokenizer|special_tokens)[^/]*$/.test(name);

/** The tokenizer and what sentence-transformers has saved: each counts as a whole if it is there, else the base's does. */
async function readOtherFiles(files: ModelFiles, options: ReadOptions) {
  const kept = new Map<string, Uint8Array<ArrayBuffer> | undefined>();
  const read = (names: string[]) =>
    Promise.all(names.map(async (name) => kept.set(name, await readBytes(files, name, options))));
  await read(['tokenizer.json', 'tokenizer_config.json', 'modules.json']);
  if (!kept.get('modules.json')) return kept;
  const modules = await readJson({ ...files, open: openIn(kept) }, 'modules.json', options);
  const paths = Array.isArray(modules) ? modules.map((module) => (isObject(module) ? module.path : undefined)) : [];
  const folders = paths.filter((path): path is string => typeof path === 'string' && isFileName(path));
  await read([
    'config_sentence_transformers.json',
    'sentence_bert_config.json',
    ...folders.flatMap((folder) => [`${folder}/config.json`, `${folder}/model.safetensors`]),
  ]);
  return kept;
}

const openIn =
  (kept: Map<string, Uint8Array<ArrayBuffer> | undefined>): ModelFiles['open'] =>
  async (name) => {
    const bytes = kept.get(name);
    return bytes && { name, size: bytes.length, stream: new Blob([bytes]).stream() };
  };

async function noWeights(files: ModelFiles, signal?: AbortSignal): Promise<ModelFileError> {
  const pickled = 'adapter_model.bin';
  const other = await files.open(pickled, signal).catch(() => undefined);
  await other?.stream.cancel();
  const { message } = missingFile(files, WEIGHTS);
  if (!other) return new ModelFileError(message);
  return new ModelFileError(
    `${message} There is ${pickled}, which is not safetensors: save the adapter again with peft 0.7 or later, ` +
      "PeftModel.from_pretrained(base, folder).save_pretrained('new-folder').",
  );
}

/** Far above every published adapter, in numbers. */
const MOST_VALUES = 2 ** 29;

/** All tensors of the file. `where`: how messages call it. */
async function readValues(file: ModelFile, where: string, options: ReadOptions): Promise<Values[]> {
  let total = 0;
  const isWanted = ({ name, dtype, shape }: TensorInfo) => {
    if (!isFloatDtype(dtype)) {
      throw new ModelFileError(`${where}: tensor ${shown(name)} has dtype ${dtype}; expected F32, F16 or BF16.`);
    }
    total += shape.reduce((a, b) => a * b, 1);
    if (total > MOST_VALUES) throw new ModelFileError(`${where} has more than ${MOST_VALUES} numbers.`);
    return true;
  };
  const read = await readNumbers({ ...file, name: where }, isWanted, options);
  return Array.from(read, ([name, numbers]) => ({ file: where, name, ...numbers }));
}

/** Patterns are matched against names. */
const MOST_NAME = 300;

/** What peft calls the parts of an adapter. */
const PART =
  /^(.+)\.(lora_A\.weight|lora_B\.weight|lora_B\.bias|lora_embedding_A|lora_embedding_B|lora_magnitude_vector(?:\.weight)?)$/;

function editsOf(tensors: Values[], file: string, config: LoraConfig): Map<string, Edit> {
  const edits = new Map<string, Edit>();
  const modules = new Map<string, string>();
  const edit = (name: string, module: string, change: Partial<Edit>) => {
    edits.set(name, { scale: config.scaleOf(module), ...edits.get(name), ...change });
    modules.set(name, module);
  };
  for (const values of tensors) {
    if (values.name.length > MOST_NAME) throw unknown(values);
    const name = values.name.replace(/^base_model\.model\./, '');
    if (/\.original_module\./.test(name)) continue; // what modules_to_save replaced: with bias 'all' peft saves its bias too
    const [, module, part] = PART.exec(name) ?? [];
    if (part === 'lora_A.weight') edit(`${module}.weight`, module, { a: values });
    else if (part === 'lora_B.weight') edit(`${module}.weight`, module, { b: values });
    else if (part === 'lora_embedding_A') edit(`${module}.weight`, module, { a: values, isTable: true });
    else if (part === 'lora_embedding_B') edit(`${module}.weight`, module, { b: values, isTable: true });
    else if (part === 'lora_B.bias') edit(`${module}.bias`, module, { plus: values });
    else if (part && config.use_dora) edit(`${module}.weight`, module, { lengths: values });
    else {
      const own = name.replace(/\.(base_layer|modules_to_save(\.default)?)\./, '.');
      if (part || (own === name && !config.saves(name))) throw unknown(values);
      edit(own, own.replace(/\.[^.]+$/, ''), { whole: values });
    }
  }
  if (edits.size === 0) throw new ModelFileError(`${file} has no tensors.`);
  for (const [name, found] of edits) checkEdit(found, file, modules.get(name)!, config);
  return edits;
}

const unknown = ({ file, name }: Values) =>
  new ModelFileError(
    `${file}: nothing is known to do with tensor ${shown(name)}: it is no part of LoRA, and none of ${CONFIG}'s modules_to_save.`,
  );

/** Whether the parts belong together, whatever the base is. */
function checkEdit({ a, b, lengths, isTable }: Edit, file: string, module: string, config: LoraConfig): void {
  const missing = a ? !b && 'lora_B' : b && 'lora_A';
  if (missing) throw new ModelFileError(`${file} has no ${missing} of ${shown(module)}.`);
  if (config.use_dora && a && !lengths)
    throw new ModelFileError(`${file} has no lora_magnitude_vector of ${shown(module)}.`);
  if (lengths && isTable) {
    throw new UnsupportedModelError(`${file}: DoRA of an embedding table (${shown(module)}) is not supported.`);
  }
  if (!a || !b) return;
  const rank = config.rankOf(module);
  if (a.shape.length !== 2 || b.shape.length !== 2 || a.shape[0] !== rank || b.shape[1] !== rank) {
    throw new ModelFileError(
      `${file}: the adapter of ${shown(module)} has shapes [${a.shape}] and [${b.shape}]; by ${CONFIG} its rank is ${rank}, so they must be [${rank}, …] and […, ${rank}].`,
    );
  }
}
