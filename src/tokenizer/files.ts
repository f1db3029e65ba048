import { ModelFileError, UnsupportedModelError } from '../api/errors';
import type { AddedToken } from './added-tokens';

export type Json = Record<string, unknown>;

/** tokenizer.json, checked as far as this runtime relies on it. */
export interface TokenizerFile {
  /** The file with null for the components that it leaves out, as the tokenizers library wants it. */
  json: Json;
  model: Json & { type: (typeof modelTypes)[number] };
  addedTokens: AddedToken[];
}

const modelTypes = ['BPE', 'Unigram', 'WordPiece'] as const;
const components = ['normalizer', 'pre_tokenizer', 'post_processor', 'decoder'] as const;

export const isJson = (value: unknown): value is Json =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

const shown = (value: unknown): string => {
  const text = value === undefined ? 'undefined' : JSON.stringify(value);
  return text.length > 100 ? `${text.slice(0, 100)}…` : text;
};

/** An error that names field and value. */
export const fileError = (file: string, field: string, value: unknown, expected: string): ModelFileError =>
  new ModelFileError(`${file}: ${field} is ${shown(value)}, expected ${expected}`);

const tokenizerError = (field: string, value: unknown, expected: string): ModelFileError =>
  fileError('tokenizer.json', field, value, expected);

/** Throws a ModelFileError for a file of the wrong shape. */
export function readTokenizerFile(value: unknown): TokenizerFile {
  if (!isJson(value)) throw tokenizerError('the file', value, 'an object');
  const json: Json = { ...value };
  for (const component of components) {
    json[component] ??= null;
    const part = json[component];
    if (part !== null && !(isJson(part) && typeof part.type === 'string')) {
      throw tokenizerError(component, part, 'null or an object with a type');
    }
  }
  const model = readModel(json.model);
  const addedTokens = readAddedTokens(json.added_tokens);
  json.added_tokens ??= [];
  return { json, model, addedTokens };
}

function readModel(model: unknown): TokenizerFile['model'] {
  if (!isJson(model)) throw tokenizerError('model', model, 'an object');
  const type = modelTypes.find((known) => known === model.type);
  if (type === undefined) throw tokenizerError('model.type', model.type, `one of ${modelTypes.join(', ')}`);
  const { vocab, merges, unk_token: unkToken } = model;
  if (type === 'Unigram') {
    if (!Array.isArray(vocab)) throw tokenizerError('model.vocab', vocab, 'an array of [piece, score]');
    const isPiece = (entry: unknown) =>
      Array.isArray(entry) && typeof entry[0] === 'string' && typeof entry[1] === 'number';
    const bad = vocab.findIndex((entry) => !isPiece(entry));
    if (bad >= 0) throw tokenizerError(`model.vocab[${bad}]`, vocab[bad], 'a [piece, score]');
    const unkId = model.unk_id;
    if (unkId !== undefined && unkId !== null && !(Number.isInteger(unkId) && (unkId as number) in vocab)) {
      throw tokenizerError('model.unk_id', unkId, 'an index into model.vocab');
    }
    return { ...model, type };
  }
  if (!isJson(vocab)) throw tokenizerError('model.vocab', vocab, 'an object of token ids');
  for (const [token, id] of Object.entries(vocab)) {
    if (!isId(id)) throw tokenizerError(`model.vocab[${JSON.stringify(token)}]`, id, 'a token id');
  }
  if (
    unkToken !== undefined &&
    unkToken !== null &&
    !(typeof unkToken === 'string' && Object.hasOwn(vocab, unkToken))
  ) {
    throw tokenizerError('model.unk_token', unkToken, 'a token of model.vocab');
  }
  if (type === 'WordPiece') {
    if (typeof unkToken !== 'string') throw tokenizerError('model.unk_token', unkToken, 'a token of model.vocab');
    return { ...model, type };
  }
  if (!Array.isArray(merges)) throw tokenizerError('model.merges', merges, 'an array');
  const bad = merges.findIndex((merge) => !isMerge(merge, merges[0]));
  if (bad >= 0) throw tokenizerError(`model.merges[${bad}]`, merges[bad], 'two tokens, as in all other merges');
  for (const field of ['end_of_word_suffix', 'continuing_subword_prefix', 'continuing_subword_suffix']) {
    if (model[field]) {
      throw new UnsupportedModelError(
        `tokenizer.json: model.${field} is ${shown(model[field])}; only BPE without word affixes is supported`,
      );
    }
  }
  return { ...model, type };
}

const isId = (id: unknown): id is number => Number.isInteger(id) && (id as number) >= 0 && (id as number) <= 0xffffffff;

/** "a b" or ["a", "b"]; the library reads all merges as it reads the first. */
const isMerge = (merge: unknown, first: unknown): boolean =>
  Array.isArray(first)
    ? Array.isArray(merge) && merge.length === 2 && merge.every((part) => typeof part === 'string')
    : typeof merge === 'string' && merge.split(' ').length === 2;

function readAddedTokens(value: unknown): AddedToken[] {
  if (value === undefined || value === null) return [];
  if (!Array.isArray(value)) throw tokenizerError('added_tokens', value, 'an array');
  return value.map((entry: unknown, index) => {
    if (!isJson(entry) || typeof entry.content !== 'string' || !isId(entry.id)) {
      throw tokenizerError(`added_tokens[${index}]`, entry, 'an object with content and id');
    }
    const special = entry.special === true;
    return {
      id: entry.id,
      content: entry.content,
      lstrip: entry.lstrip === true,
      rstrip: entry.rstrip === true,
      singleWord: entry.single_word === true,
      normalized: typeof entry.normalized === 'boolean' ? entry.normalized : !special,
      special,
    };
  });
}

/** All parts of a component, those of its Sequences included. */
export function parts(component: unknown): Json[] {
  if (!isJson(component)) return [];
  if (component.type !== 'Sequence') return [component];
  const inner = component.normalizers ?? component.pretokenizers ?? component.decoders ?? component.processors;
  return Array.isArray(inner) ? inner.flatMap(parts) : [];
}

/**
 * The tokens that tokenizer_config.json calls `mask_token` and the like, a string or `{content}`. Decoder-style tokenizers
 * (mmBERT's) may name only bos and eos. Without the file or the field: the usual spellings.
 */
export function readRoleToken(
  config: unknown,
  role: 'mask' | 'cls' | 'sep' | 'pad',
  idOf: (token: string) => number | undefined,
): { token: string; id: number } | undefined {
  if (config !== undefined && config !== null && !isJson(config)) {
    throw fileError('tokenizer_config.json', 'the file', config, 'an object');
  }
  for (const field of roleFields[role]) {
    const value = config?.[field];
    if (value === undefined || value === null) continue;
    const token = isJson(value) ? value.content : value;
    const id = typeof token === 'string' ? idOf(token) : undefined;
    if (typeof token !== 'string' || id === undefined) {
      throw fileError('tokenizer_config.json', field, value, 'a token of tokenizer.json');
    }
    return { token, id };
  }
  for (const token of usualTokens[role]) {
    const id = idOf(token);
    if (id !== undefined) return { token, id };
  }
  return undefined;
}

const roleFields = {
  mask: ['mask_token'],
  cls: ['cls_token', 'bos_token'],
  sep: ['sep_token', 'eos_token'],
  pad: ['pad_token'],
};

const usualTokens = {
  mask: ['[MASK]', '<mask>'],
  cls: ['[CLS]', '<s>', '<bos>'],
  sep: ['[SEP]', '</s>', '<eos>'],
  pad: ['[PAD]', '<pad>'],
};
