import { fieldsOf, isObject, type Json, unsupportedField, wrongField } from '../formats/json-fields';
import type { AddedToken } from './added-tokens';

/** tokenizer.json, checked as far as this runtime relies on it. */
export interface TokenizerFile {
  /** The file with null for the components that it leaves out, as the tokenizers library needs it. */
  json: Json;
  model: Json & { type: (typeof modelTypes)[number] };
  addedTokens: AddedToken[];
}

const modelTypes = ['BPE', 'Unigram', 'WordPiece'] as const;
const components = ['normalizer', 'pre_tokenizer', 'post_processor', 'decoder'] as const;

export const wrongTokenizer = (field: string, value: unknown, what: string) =>
  wrongField('tokenizer.json', field, value, what);

/** Throws a ModelFileError for a file of the wrong shape. */
export function readTokenizerFile(value: unknown): TokenizerFile {
  const json = { ...fieldsOf('tokenizer.json', value).json };
  for (const component of components) {
    json[component] ??= null;
    const part = json[component];
    if (part !== null && !(isObject(part) && typeof part.type === 'string')) {
      throw wrongTokenizer(component, part, 'null or an object with a type');
    }
  }
  json.added_tokens ??= [];
  return { json, model: readModel(json.model), addedTokens: readAddedTokens(json.added_tokens) };
}

function readModel(model: unknown): TokenizerFile['model'] {
  if (!isObject(model)) throw wrongTokenizer('model', model, 'an object');
  const type = modelTypes.find((known) => known === model.type);
  if (type === undefined) throw wrongTokenizer('model.type', model.type, `one of ${modelTypes.join(', ')}`);
  const { vocab, merges, unk_id, unk_token } = model;
  if (type === 'Unigram') {
    checkAll('model.vocab', vocab, isPiece, 'a [piece, score]');
    if (!isAbsent(unk_id) && !(Number.isInteger(unk_id) && (unk_id as number) in vocab)) {
      throw wrongTokenizer('model.unk_id', unk_id, 'an index into model.vocab');
    }
    return { ...model, type };
  }
  if (!isObject(vocab)) throw wrongTokenizer('model.vocab', vocab, 'an object of token ids');
  for (const [token, id] of Object.entries(vocab)) {
    if (!isId(id)) throw wrongTokenizer(`model.vocab[${JSON.stringify(token)}]`, id, 'a token id');
  }
  const hasUnknown = typeof unk_token === 'string' && Object.hasOwn(vocab, unk_token);
  if (!hasUnknown && (type === 'WordPiece' || !isAbsent(unk_token))) {
    throw wrongTokenizer('model.unk_token', unk_token, 'a token of model.vocab');
  }
  if (type === 'BPE') {
    checkAll('model.merges', merges, isMerge, 'two tokens, written as in all other merges');
    for (const field of ['end_of_word_suffix', 'continuing_subword_prefix', 'continuing_subword_suffix']) {
      if (model[field]) {
        throw unsupportedField('tokenizer.json', `model.${field}`, model[field], 'only BPE without word affixes is');
      }
    }
  }
  return { ...model, type };
}

function checkAll(
  field: string,
  value: unknown,
  isRight: (entry: unknown, first: unknown) => boolean,
  what: string,
): asserts value is unknown[] {
  if (!Array.isArray(value)) throw wrongTokenizer(field, value, 'an array');
  const bad = value.findIndex((entry) => !isRight(entry, value[0]));
  if (bad >= 0) throw wrongTokenizer(`${field}[${bad}]`, value[bad], what);
}

const isAbsent = (value: unknown): boolean => value === undefined || value === null;

const isId = (id: unknown): id is number => Number.isInteger(id) && (id as number) >= 0 && (id as number) <= 0xffffffff;

const isPiece = (entry: unknown): boolean =>
  Array.isArray(entry) && typeof entry[0] === 'string' && typeof entry[1] === 'number';

/** "a b" or ["a", "b"]; the library reads all merges as it reads the first. */
const isMerge = (merge: unknown, first: unknown): boolean =>
  Array.isArray(first)
    ? Array.isArray(merge) && merge.length === 2 && merge.every((part) => typeof part === 'string')
    : typeof merge === 'string' && merge.split(' ').length === 2;

function readAddedTokens(value: unknown): AddedToken[] {
  if (!Array.isArray(value)) throw wrongTokenizer('added_tokens', value, 'an array');
  return value.map((entry: unknown, index) => {
    if (!isObject(entry) || typeof entry.content !== 'string' || !isId(entry.id)) {
      throw wrongTokenizer(`added_tokens[${index}]`, entry, 'an object with content and id');
    }
    return {
      id: entry.id,
      content: entry.content,
      lstrip: entry.lstrip === true,
      rstrip: entry.rstrip === true,
      singleWord: entry.single_word === true,
      normalized: typeof entry.normalized === 'boolean' ? entry.normalized : entry.special !== true,
    };
  });
}

/** All parts of a component, including those of its Sequences. */
export function parts(component: unknown): Json[] {
  if (!isObject(component)) return [];
  if (component.type !== 'Sequence') return [component];
  const inner = component.normalizers ?? component.pretokenizers ?? component.decoders ?? component.processors;
  return Array.isArray(inner) ? inner.flatMap(parts) : [];
}

/**
 * The mask token that tokenizer_config.json names, as a string or `{content}`; without the file or the field, the usual spelling that is in
 * the vocabulary.
 */
export function readMaskToken(config: unknown, isToken: (token: string) => boolean): string | undefined {
  const { json, has, wrong } = fieldsOf('tokenizer_config.json', config ?? undefined);
  if (!has('mask_token')) return ['[MASK]', '<mask>'].find(isToken);
  const token = isObject(json.mask_token) ? json.mask_token.content : json.mask_token;
  if (typeof token === 'string' && isToken(token)) return token;
  throw wrong('mask_token', 'a token of tokenizer.json');
}
