import { fieldsOf, isObject, type Json, MOST } from '../formats/json-fields';
import type { AddedToken } from './added-tokens';
import { readComponent } from './components';
import { isAbsent, isText, unsupportedTokenizer, wrongTokenizer } from './wrong';

/** tokenizer.json, checked as far as this runtime relies on it. */
export interface TokenizerFile {
  /** The parts of each component, in order. */
  normalizer: Json[];
  preTokenizer: Json[];
  postProcessor: Json[];
  decoder: Json[];
  model: TokenizerModel;
  addedTokens: AddedToken[];
}

interface AnyModel {
  vocab: Map<string, number>;
  /** The vocabulary by id. */
  tokens: Map<number, string>;
  unk_token: string | undefined;
  unk_id: number | undefined;
  byte_fallback: boolean;
  fuse_unk: boolean;
}

export type TokenizerModel = AnyModel &
  (
    | { type: 'BPE'; merges: Merge[]; ignore_merges: boolean }
    | { type: 'Unigram'; scores: number[] }
    | { type: 'WordPiece'; continuing_subword_prefix: string; max_input_chars_per_word: number }
  );

/** Ids: of two tokens one after the other, and of what they become. */
export type Merge = [left: number, right: number, merged: number];

const modelTypes = ['BPE', 'Unigram', 'WordPiece'] as const;
/** Of a token, in UTF-16 units: what looks for tokens takes time by the longest. */
const MOST_UNITS = 1000;
const TOKEN = `a token of at most ${MOST_UNITS} characters`;

/** Throws a ModelFileError for a file of the wrong shape or that contradicts itself, an UnsupportedModelError for unknown components. */
export function readTokenizerFile(value: unknown): TokenizerFile {
  const { json } = fieldsOf('tokenizer.json', value);
  const model = readModel(json.model);
  const addedTokens = readAddedTokens(json.added_tokens ?? [], model);
  return {
    normalizer: readComponent(json, 'normalizer'),
    preTokenizer: readComponent(json, 'pre_tokenizer'),
    postProcessor: readComponent(json, 'post_processor'),
    decoder: readComponent(json, 'decoder'),
    model,
    addedTokens,
  };
}

function readModel(json: unknown): TokenizerModel {
  if (!isObject(json)) throw wrongTokenizer('model', json, 'an object');
  const type = modelTypes.find((known) => known === json.type);
  if (type === undefined) throw wrongTokenizer('model.type', json.type, `one of ${modelTypes.join(', ')}`);
  const flag = (key: string): boolean => {
    const value = json[key] ?? false;
    if (typeof value === 'boolean') return value;
    throw wrongTokenizer(`model.${key}`, value, 'true or false');
  };
  const flags = { byte_fallback: flag('byte_fallback'), fuse_unk: flag('fuse_unk') };
  if (type === 'Unigram') {
    const { vocab, unk_id } = json;
    checkAll('model.vocab', vocab, isPiece, `a [piece, score], its piece ${TOKEN}`);
    const unknown = isAbsent(unk_id) ? undefined : (vocab[unk_id as number] as [string, number] | undefined);
    if (!isAbsent(unk_id) && !unknown) throw wrongTokenizer('model.unk_id', unk_id, 'an index into model.vocab');
    const pieces = vocab as [string, number][];
    if (pieces.length === 0) throw wrongTokenizer('model.vocab', vocab, 'a list of at least one piece');
    const ids = new Map(pieces.map(([piece], id) => [piece, id]));
    const tokens = new Map(pieces.map(([piece], id) => [id, piece]));
    const scores = pieces.map(([, score]) => score);
    return {
      type,
      vocab: ids,
      tokens,
      scores,
      unk_token: unknown?.[0],
      unk_id: (unk_id ?? undefined) as number,
      ...flags,
    };
  }
  const { vocab, tokens } = readVocabulary(json.vocab);
  const { unk_token } = json;
  const hasUnknown = typeof unk_token === 'string' && vocab.has(unk_token);
  if (!hasUnknown && (type === 'WordPiece' || !isAbsent(unk_token))) {
    throw wrongTokenizer('model.unk_token', unk_token, 'a token of model.vocab');
  }
  const unk_id = hasUnknown ? vocab.get(unk_token) : undefined;
  const all = { vocab, tokens, unk_token: hasUnknown ? unk_token : undefined, unk_id, ...flags };
  if (type === 'WordPiece') {
    const { continuing_subword_prefix = '##', max_input_chars_per_word = 100 } = json;
    if (!isText(continuing_subword_prefix, MOST_UNITS)) {
      throw wrongTokenizer('model.continuing_subword_prefix', continuing_subword_prefix, 'a string');
    }
    if (!isId(max_input_chars_per_word) || max_input_chars_per_word > MOST_UNITS) {
      const what = `a whole number of at most ${MOST_UNITS}`;
      throw wrongTokenizer('model.max_input_chars_per_word', max_input_chars_per_word, what);
    }
    return { type, continuing_subword_prefix, max_input_chars_per_word, ...all };
  }
  for (const field of ['end_of_word_suffix', 'continuing_subword_prefix', 'continuing_subword_suffix']) {
    if (json[field]) throw unsupportedTokenizer(`model.${field}`, json[field], 'only BPE without word affixes is');
  }
  return { type, merges: readMerges(json.merges, vocab), ignore_merges: flag('ignore_merges'), ...all };
}

function readVocabulary(json: unknown): Pick<AnyModel, 'vocab' | 'tokens'> {
  if (!isObject(json)) throw wrongTokenizer('model.vocab', json, 'an object of token ids');
  const vocab = new Map<string, number>();
  const tokens = new Map<number, string>();
  for (const [token, id] of Object.entries(json)) {
    const wrong = (what: string) => wrongTokenizer(`model.vocab[${JSON.stringify(token.slice(0, 100))}]`, id, what);
    if (!isId(id)) throw wrong(`a token id from 0 to ${MOST - 1}`);
    if (token.length > MOST_UNITS) throw wrong(`the id of ${TOKEN}`);
    const other = tokens.get(id);
    if (other !== undefined) throw wrong(`another id than that of ${JSON.stringify(other)}`);
    vocab.set(token, id);
    tokens.set(id, token);
  }
  return { vocab, tokens };
}

/** "a b" or ["a", "b"], all written as the first. */
function readMerges(json: unknown, vocab: Map<string, number>): Merge[] {
  const isList = Array.isArray(json) && Array.isArray(json[0]);
  const merges: Merge[] = [];
  let unknown = -1;
  const isPair = (merge: unknown, i: number) => {
    const pair: unknown = isList || typeof merge !== 'string' ? merge : merge.split(' ');
    if (typeof merge === (isList ? 'string' : 'object') || !Array.isArray(pair) || pair.length !== 2) return false;
    const [left, right] = pair;
    if (typeof left !== 'string' || typeof right !== 'string') return false;
    const [a, b, merged] = [vocab.get(left), vocab.get(right), vocab.get(left + right)];
    if (a === undefined || b === undefined || merged === undefined) unknown = unknown < 0 ? i : unknown;
    else merges.push([a, b, merged]);
    return true;
  };
  checkAll('model.merges', json, isPair, 'two tokens, written as in all other merges');
  if (unknown < 0) return merges;
  const what = 'two tokens of model.vocab that together are one';
  throw wrongTokenizer(`model.merges[${unknown}]`, json[unknown], what);
}

function checkAll(
  field: string,
  value: unknown,
  isRight: (entry: unknown, index: number) => boolean,
  what: string,
): asserts value is unknown[] {
  if (!Array.isArray(value)) throw wrongTokenizer(field, value, 'an array');
  const bad = value.findIndex((entry, i) => !isRight(entry, i));
  if (bad >= 0) throw wrongTokenizer(`${field}[${bad}]`, value[bad], what);
}

const isId = (id: unknown): id is number => Number.isInteger(id) && (id as number) >= 0 && (id as number) < MOST;

const isPiece = (entry: unknown): boolean =>
  Array.isArray(entry) && isText(entry[0], MOST_UNITS) && typeof entry[1] === 'number' && Number.isFinite(entry[1]);

function readAddedTokens(value: unknown, { vocab, tokens }: TokenizerModel): AddedToken[] {
  if (!Array.isArray(value)) throw wrongTokenizer('added_tokens', value, 'an array');
  const ids = new Map<string, number>();
  const owners = new Map<number, string>();
  return value.map((entry: unknown, index) => {
    const field = `added_tokens[${index}]`;
    if (!isObject(entry) || !isText(entry.content, MOST_UNITS) || !isId(entry.id)) {
      throw wrongTokenizer(field, entry, `an object with content, ${TOKEN}, and id, from 0 to ${MOST - 1}`);
    }
    const { id, content } = entry;
    const known = ids.get(content) ?? vocab.get(content);
    const owner = owners.get(id) ?? tokens.get(id) ?? content;
    const name = JSON.stringify(content.slice(0, 100));
    if (known !== undefined && known !== id)
      throw wrongTokenizer(`${field}.id`, id, `${known}, the id of ${name} elsewhere`);
    if (owner !== content)
      throw wrongTokenizer(`${field}.content`, content, `${JSON.stringify(owner)}, whose id is ${id}`);
    ids.set(content, id);
    owners.set(id, content);
    const flag = (key: string, fallback = false): boolean => {
      const flagged = entry[key] ?? fallback;
      if (typeof flagged === 'boolean') return flagged;
      throw wrongTokenizer(`${field}.${key}`, flagged, 'true or false');
    };
    return {
      id,
      content,
      lstrip: flag('lstrip'),
      rstrip: flag('rstrip'),
      singleWord: flag('single_word'),
      normalized: flag('normalized', !flag('special')),
    };
  });
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
