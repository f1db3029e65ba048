/** Reads a table of tokens: the files of StaticEmbedding and SparseStaticEmbedding. */
import { ModelFileError } from '../api/errors';
import { isObject, shown, wrongField } from '../formats/json-fields';
import { isFileName, type ModelFiles } from '../formats/model-files';
import { missingFile, type ReadOptions, readJson } from '../formats/read';
import { type Numbers, readNumbers } from '../formats/read-numbers';
import type { TokenTable } from './token-table';

/**
 * A StaticEmbedding's table (sentence_transformer/modules/static_embedding.py), also in model2vec's own format: several ids may share a row.
 * Throws a ModelFileError for a broken file.
 */
export async function readEmbeddings(files: ModelFiles, options: ReadOptions): Promise<TokenTable> {
  const { file, tensors } = await readWeights(files, ['embedding.weight', 'embeddings', 'mapping', 'weights'], options);
  const own = tensors.get('embedding.weight');
  const table = tableAmong(tensors, `${file} in ${files.where}`);
  const [rows, columns] = table.shape;
  const place = own ? undefined : tensors.get('mapping');
  const factor = own ? undefined : tensors.get('weights');
  const mapping = place && Float64Array.from(place.data);
  const size = mapping?.length ?? rows;
  const wrong = mapping?.find((row) => !(Number.isInteger(row) && row >= 0 && row < rows));
  if (wrong !== undefined) {
    throw new ModelFileError(`${file}: mapping names row ${wrong}, but embeddings has rows 0 to ${rows - 1}.`);
  }
  if (factor && factor.data.length !== size) {
    throw new ModelFileError(`${file}: weights has ${factor.data.length} numbers, and there are ${size} tokens.`);
  }
  return { size, columns, data: table.data, mapping, weights: factor && Float64Array.from(factor.data) };
}

/** The table [rows, columns] of a StaticEmbedding. Throws a ModelFileError if there is none. */
export function tableAmong<T extends { shape: number[] }>(tensors: ReadonlyMap<string, T>, file: string): T {
  const table = tensors.get('embedding.weight') ?? tensors.get('embeddings');
  if (table?.shape.length === 2) return table;
  throw new ModelFileError(
    `${file} has no table of embeddings: neither embedding.weight nor embeddings of two dimensions.`,
  );
}

/**
 * A SparseStaticEmbedding's weights, one per token (sparse_encoder/modules/sparse_static_embedding.py). `idOf`: the tokenizer's, for weights in a
 * JSON file of tokens, which `config.path` names.
 */
export async function readTokenWeights(
  files: ModelFiles,
  config: Record<string, unknown>,
  vocabulary: { size: number; idOf(token: string): number | undefined },
  options: ReadOptions,
): Promise<TokenTable> {
  const { path } = config;
  if (typeof path === 'string' && path.endsWith('.json')) {
    if (!isFileName(path)) throw wrongField('config.json', 'path', path, 'a file of this folder');
    return { size: vocabulary.size, columns: 1, data: await idf(files, path, vocabulary, options) };
  }
  const { file, tensors } = await readWeights(files, ['weight'], options);
  const weight = tensors.get('weight');
  if (weight?.shape.length !== 1) {
    throw new ModelFileError(`${file} in ${files.where} has no tensor 'weight' of one dimension.`);
  }
  return { size: weight.data.length, columns: 1, data: weight.data };
}

async function idf(
  files: ModelFiles,
  path: string,
  { size, idOf }: { size: number; idOf(token: string): number | undefined },
  options: ReadOptions,
): Promise<Float32Array> {
  const json = await readJson(files, path, { ...options, required: true });
  if (!isObject(json)) throw wrongField(path, 'the file', json, 'an object of token → weight');
  const data = new Float32Array(size);
  for (const [token, weight] of Object.entries(json)) {
    const id = idOf(token);
    if (typeof weight !== 'number') throw wrongField(path, shown(token), weight, 'a number');
    if (id === undefined) throw new ModelFileError(`${path}: the tokenizer has no token ${shown(token)}.`);
    data[id] = weight;
  }
  return data;
}

async function readWeights(files: ModelFiles, names: string[], options: ReadOptions) {
  const file = await files.open('model.safetensors', options.signal);
  if (!file) throw missingFile(files, 'model.safetensors');
  const tensors: Map<string, Numbers> = await readNumbers(
    files.keep?.(file) ?? file,
    ({ name }) => names.includes(name),
    options,
  );
  return { file: file.name, tensors };
}
